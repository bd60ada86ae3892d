"""Decisions as a caller may see them: of its offices or its own, and masked where that is due."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from serving.access.acting import tell_audit
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.logged_decision import DecisionAccess, DecisionFilter
from serving.audit.masking import Masking
from serving.errors import NotFound

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository


def visible_decision(
    log: "DecisionRepository", masking: Masking, caller: Caller, decision_id: str
) -> Decision:
    """A decision that the caller may see; raises NotFound for one that does not or must not exist.

    A caller tied to offices sees the decisions of those offices and its own. Raises Erased where
    its time was over.
    """
    record = log.record(decision_id, DecisionAccess(caller.key_id, caller.offices))
    decision = None if record is None else Decision.model_validate_json(record)
    if decision is None or not may_see(caller, decision, _asker(log, decision)):
        raise NotFound("no decision with this id can be seen with this key")
    return masking.masked_view(decision)


def newest_visible(
    log: "DecisionRepository", masking: Masking, caller: Caller, most: int
) -> list[Decision]:
    """The newest decisions that the caller may see, at most `most`."""
    records = log.newest(DecisionAccess(caller.key_id, caller.offices), most)
    seen = _seen(log, records, masking, caller)
    tell_audit(decisions=[decision.decision_id for decision in seen])
    return seen


def visible_page(
    log: "DecisionRepository",
    masking: Masking,
    caller: Caller,
    wanted: DecisionFilter,
    before: int | None,
    most: int,
) -> tuple[list[Decision], int | None]:
    """Decisions that the caller may see, newest first, and where the next page begins.

    Who reviews or audits sees those of its offices; any other caller its own, and those by which
    the service scored their subjects again. A page may have fewer than `most`, or none, and not be
    the last. Of one subject, those are left out whose masked view names it no more.
    """
    if not (caller.may("review") or caller.may("audit")):
        wanted = replace(wanted, caller_id=caller.key_id)
    page = log.page(DecisionAccess(caller.key_id, caller.offices), wanted, before, most)
    seen = _seen(log, page.records, masking, caller)
    if wanted.subject_id is not None:
        seen = [decision for decision in seen if decision.subject_id == wanted.subject_id]
    tell_audit(decisions=[decision.decision_id for decision in seen])
    return seen, page.before


def _seen(
    log: "DecisionRepository", records: Iterable[str], masking: Masking, caller: Caller
) -> list[Decision]:
    decisions = map(Decision.model_validate_json, records)
    return [
        masking.masked_view(decision)
        for decision in decisions
        if may_see(caller, decision, _asker(log, decision))
    ]


def _asker(log: "DecisionRepository", decision: Decision) -> str:
    """Who submitted the subject: of a rescue that the service found later, the first asker."""
    if decision.rescores is None or decision.lane != "rescue":
        return decision.caller_id
    first = log.records_of([decision.rescores]).get(decision.rescores)
    return Decision.model_validate_json(first).caller_id if first else decision.caller_id


def may_see(caller: Caller, decision: Decision, asked_by: str) -> bool:
    """Return whether it is on the caller's side of the wall between rescue and enforcement.

    Auditors see both. The machine `asked_by` which the subject was submitted sees what it was
    answered, and what the service decided of it later, but no reviewer does.
    """
    is_rescue = decision.lane == "rescue"
    has_asked = asked_by == caller.key_id and not caller.may("review")
    return caller.may("audit") or is_rescue == caller.may("rescue") or (is_rescue and has_asked)
