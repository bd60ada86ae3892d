"""Changes of a case by an act, and the checks of who may act."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from serving.access.actors import Actor
from serving.access.two_persons import require_second_person
from serving.errors import Conflict
from serving.review.cases.case_state import Case, Statement, status_awake
from serving.review.cases.event_kinds import EventAction
from serving.review.cases.results import CaseResult

_IS_SECOND = "a second person must judge what the first proposed"


@dataclass(frozen=True)
class CaseEvent:
    """One act: who, when, what; `changed` maps changed fields to (old, new)."""

    case_id: str
    at: datetime
    actor: Actor
    action: EventAction
    changed: dict[str, tuple[object, object]]
    text: str = ""


CaseChange = tuple[Case, CaseEvent]

CaseRule = Callable[[Case], CaseChange]


def acted(
    case: Case, actor: Actor, at: datetime, event: EventAction, text: str = "", /, **after: object
) -> CaseChange:
    """Return a case with new values of some fields, and the event of the change."""
    changed = {
        name: (getattr(case, name), new)
        for name, new in after.items()
        if getattr(case, name) != new
    }
    return replace(case, **after), CaseEvent(case.case_id, at, actor, event, changed, text)  # type: ignore[arg-type]  # names of fields


def awake(case: Case) -> dict[str, object]:
    """Return the fields that change when a case stops waiting."""
    return {"status": status_awake(case), "waiting_until": None, "waiting_for": None}


def proposed(case: Case, statement: Statement) -> dict[str, object]:
    """Return the fields that change when a statement waits for a second person."""
    # Without an owner, so that any colleague can take it and judge.
    free = replace(case, proposal=statement, owner=None)
    return awake(free) | {"proposal": statement, "second_view": None, "owner": None}


def ended(result: CaseResult, *by: Actor) -> dict[str, object]:
    """Return the fields that change when a case closes; `by` are the people who closed it."""
    return {
        "status": "closed",
        "result": result,
        "ended_by": by,
        "proposal": None,
        "second_view": None,
        "escalation": None,
        "waiting_until": None,
        "waiting_for": None,
    }


def reopened(case: Case, actor: Actor, at: datetime, text: str, **also: object) -> CaseChange:
    """Reopen a closed case, dropping letters that were not released."""
    # A released letter has reached its recipient; a draft describes an end that no longer holds.
    released = tuple(letter for letter in case.letters if letter.released_at)
    after: dict[str, object] = {
        "status": "open",
        "owner": None,
        "action": None,
        "result": None,
        "ended_by": (),
        "reopening": None,
    }
    return acted(replace(case, letters=released), actor, at, "reopen", text, **after, **also)


def refuse_closed(case: Case) -> None:
    """Raise Conflict for a closed case."""
    if case.status == "closed":
        raise Conflict("this case is closed; open it again first", code="case-closed")


def refuse_other(case: Case, actor: Actor) -> None:
    """Raise Conflict for anyone but the owner, and if there is no owner."""
    refuse_closed(case)
    if case.owner is None:
        raise Conflict("claim this case first", code="not-yours")
    if not actor.is_holder(case.owner):
        raise Conflict(
            "another reviewer has this case; it comes back when they give it back", code="not-yours"
        )


def refuse_first(case: Case, actor: Actor) -> None:
    """Raise Conflict or PersonNeeded for anyone who must not judge the proposal."""
    if case.proposal is not None:
        require_second_person(case.proposal.by, actor, _IS_SECOND)
