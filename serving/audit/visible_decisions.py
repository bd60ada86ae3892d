"""Decisions as a caller may see them: of its offices or its own, and masked if due."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from features.records import SubjectKind
from serving.access.acting import add_audit_details
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
    """Return a visible decision; raise NotFound for any other, so that its existence stays hidden.

    A caller tied to offices sees the decisions of those offices and its own. Raises Erased after
    the retention period.
    """
    record = log.record(decision_id, DecisionAccess(caller.key_id, caller.offices))
    decision = None if record is None else Decision.model_validate_json(record)
    # One error for both cases, so that a caller cannot probe for ids.
    if decision is None or not may_see(caller, decision, _asker(log, decision)):
        raise NotFound("no decision with this id can be seen with this key")
    return masking.masked_view(decision)


def visible_page(
    log: "DecisionRepository",
    masking: Masking,
    caller: Caller,
    wanted: DecisionFilter,
    before: int | None,
    most: int,
) -> tuple[list[Decision], int | None]:
    """Return visible decisions, newest first, and the position of the next page.

    Reviewers and auditors see those of their offices; any other caller sees its own, and the
    service's later scores of their subjects. A page may have fewer than `most`, or none, and not be
    the last. In a list about one subject, decisions whose masked view no longer names it are left
    out.
    """
    return studied_page(log, masking, caller, _readable(caller, wanted), before, most)


def newest_visible(
    log: "DecisionRepository", masking: Masking, caller: Caller, kind: SubjectKind, subject_id: str
) -> Decision | None:
    """Return the newest decision about a subject, if a list shows it to a caller under its id."""
    wanted = _readable(caller, DecisionFilter(kind, subject_id))
    page = log.page(DecisionAccess(caller.key_id, caller.offices), wanted, None, 1)
    seen = _seen(log, page.records, masking, caller)
    return next((decision for decision in seen if decision.subject_id == subject_id), None)


def _readable(caller: Caller, wanted: DecisionFilter) -> DecisionFilter:
    """Return a filter, narrowed to the caller's own decisions unless it reviews or audits."""
    reads_others = caller.may("review") or caller.may("audit")
    return wanted if reads_others else replace(wanted, caller_id=caller.key_id)


def studied_page(
    log: "DecisionRepository",
    masking: Masking,
    caller: Caller,
    wanted: DecisionFilter,
    before: int | None,
    most: int,
) -> tuple[list[Decision], int | None]:
    """Return the same for a page of the console, where a scientist reads those of others too."""
    page = log.page(DecisionAccess(caller.key_id, caller.offices), wanted, before, most)
    seen = _seen(log, page.records, masking, caller)
    # Otherwise the list itself would reveal the subject of a masked decision.
    if wanted.subject_id is not None:
        seen = [decision for decision in seen if decision.subject_id == wanted.subject_id]
    add_audit_details(decisions=[decision.decision_id for decision in seen])
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
    """Return who submitted the subject; for a rescue found later, the first caller."""
    if decision.rescores is None or decision.lane != "rescue":
        return decision.caller_id
    first = log.records_of([decision.rescores]).get(decision.rescores)
    return Decision.model_validate_json(first).caller_id if first else decision.caller_id


def may_see(caller: Caller, decision: Decision, asked_by: str) -> bool:
    """Return whether a decision is on the caller's side of the wall between rescue and enforcement.

    Auditors see both sides. The machine `asked_by` that submitted the subject sees its answer and
    the service's later decisions, but no reviewer does.
    """
    is_rescue = decision.lane == "rescue"
    has_asked = asked_by == caller.key_id and not caller.may("review")
    return caller.may("audit") or is_rescue == caller.may("rescue") or (is_rescue and has_asked)
