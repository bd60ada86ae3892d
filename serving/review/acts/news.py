"""Rules of news: acts of the service that apply what became known to a case."""

from dataclasses import replace
from datetime import datetime

from serving.access.actors import Actor
from serving.errors import Conflict
from serving.review.acts.note import note
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_change import (
    CaseChange,
    acted,
    awake,
    ended,
    proposed,
    refuse_closed,
    reopened,
)
from serving.review.cases.case_state import Amendment, Case, Statement
from serving.review.cases.event_kinds import EventAction
from serving.review.cases.results import CaseResult, StatedInspection
from serving.review.errors import NothingToTell


def take_outcome(
    case: Case, actor: Actor, at: datetime, result: CaseResult, inspection: StatedInspection | None
) -> CaseChange:
    """Apply another system's outcome: close the case, or propose its end if adverse.

    A machine is no person, so an adverse result still needs two reviewers. An earlier report that
    it corrects is dropped. If people ordered something else or closed the case, it closes nothing
    and becomes a note. Raises Conflict while two persons are judging the case.
    """
    case = _without_report(case)
    if case.status == "closed":
        return note(case, actor, at, f"reported by record: {result.words}")
    if case.proposal is not None:
        raise Conflict(
            "two persons are judging this case; the outcome stays on record", code="case-taken"
        )
    known = replace(case, reported_inspection=inspection or case.reported_inspection)
    # People are waiting for another result, so this one must not end the case.
    if not result.is_adverse and case.action is not None and not case.has_ordered(result.found_by):
        return note(known, actor, at, f"reported by record: {result.words}")
    after: dict[str, object] = {}
    if result.found_by in ("inspect", "check_documents") and not case.has_ordered(result.found_by):
        after["action"] = CaseAction(result.found_by, is_reported=True)
    if result.is_adverse:
        after |= proposed(known, Statement(actor, at, result=result))
        return acted(known, actor, at, "state_result", result.text, **after)
    return acted(known, actor, at, "close", result.text, **after, **ended(result, actor))


def withdraw_outcome(
    case: Case, actor: Actor, at: datetime, inspection: StatedInspection | None
) -> CaseChange:
    """Remove another system's outcome, reopening the case for people.

    The case loses the inspection of that outcome. If people judged or closed the case, the
    withdrawal becomes a note. Raises Conflict if the case holds nothing of the outcome.
    """
    before = _without_report(case)
    words = "the outcome that was reported by record was withdrawn"
    left = {
        name: None
        for name in ("inspection", "reported_inspection")
        if inspection is not None and _is_of(inspection, getattr(case, name))
    }
    if before is case and (left or case.status == "closed" or case.proposal is not None):
        return acted(case, actor, at, "note", words, **left)
    if before is case:
        raise Conflict(
            "no report of a machine counts in this case, which stays as it is", code="case-taken"
        )
    named = ("status", "owner", "action", "result", "ended_by", "proposal", "second_view")
    after = {each: getattr(before, each) for each in named}
    return acted(case, actor, at, "reopen", words, **after | left)


def amend(
    case: Case, actor: Actor, at: datetime, amendment: Amendment, *, is_in_time: bool
) -> CaseChange:
    """Record that the declaration was amended or withdrawn, and end a wait.

    A released case is reopened while it can still be stopped, since people decided on another
    declaration. Raises NothingToTell if the case has been notified already.
    """
    if not amendment.follows(case.amendment):
        raise NothingToTell
    if case.is_released and is_in_time and not amendment.is_withdrawn:
        words = "its declaration was amended after it was released"
        return reopened(case, actor, at, words, amendment=amendment)
    event: EventAction = "withdraw_declaration" if amendment.is_withdrawn else "amend_declaration"
    woken = awake(case) if case.status == "waiting" else {}
    return acted(case, actor, at, event, **woken, amendment=amendment)


def amend_journey(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Record that the journey which brings the goods was amended; raises Conflict."""
    refuse_closed(case)
    return acted(case, actor, at, "amend_journey")


def come_back(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Wake a case whose documents or reply arrived; raises NothingToTell if it does not wait."""
    if case.status != "waiting":
        raise NothingToTell
    return acted(case, actor, at, "come_back", **awake(case))


def score_again(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Record a further score that does not change the case."""
    return acted(case, actor, at, "score_again")


def _is_of(one: StatedInspection, other: StatedInspection | None) -> bool:
    return other is not None and one.inspected_at == other.inspected_at


def _without_report(case: Case) -> Case:
    """Return the case without a machine's report; the same case if people judged it."""
    end = case.result if case.status == "closed" else None
    claim = case.proposal.result if case.proposal and not case.proposal.by.is_human else None
    # Once people judged it, the end is theirs, whatever a machine reported.
    is_untouched = case.second_view is None and not any(by.is_human for by in case.ended_by)
    if not is_untouched or not any(each and each.reason == "reported" for each in (end, claim)):
        return case
    ordered = case.action if case.action and not case.action.is_reported else None
    return replace(
        case,
        status="action_ordered" if ordered else "open",
        owner=None,
        action=ordered,
        result=None,
        ended_by=(),
        proposal=None,
        second_view=None,
    )
