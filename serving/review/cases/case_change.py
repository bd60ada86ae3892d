"""How an act changes a case: the next case with its event, and who is refused."""

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
    """One act: who, when, what; `changed` has the old and the new of every field that changed."""

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
    """A case with new values of some fields, and the event of it."""
    changed = {
        name: (getattr(case, name), new)
        for name, new in after.items()
        if getattr(case, name) != new
    }
    return replace(case, **after), CaseEvent(case.case_id, at, actor, event, changed, text)  # type: ignore[arg-type]  # names of fields


def awake(case: Case) -> dict[str, object]:
    """Return what changes in a case that waits no more."""
    return {"status": status_awake(case), "waiting_until": None, "waiting_for": None}


def proposed(case: Case, statement: Statement) -> dict[str, object]:
    """Return what changes in a case of which a second person is to judge a statement."""
    free = replace(case, proposal=statement, owner=None)
    return awake(free) | {"proposal": statement, "second_view": None, "owner": None}


def ended(result: CaseResult, *by: Actor) -> dict[str, object]:
    """Return what changes in a case that ends, and by whom it does."""
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
    """A closed case open again, without the letters that were not released."""
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
    """Raise Conflict for a case that ended."""
    if case.status == "closed":
        raise Conflict("this case is closed; open it again first", code="case-closed")


def refuse_other(case: Case, actor: Actor) -> None:
    """Raise Conflict for whoever does not work on a case, Conflict where nobody does."""
    refuse_closed(case)
    if case.owner is None:
        raise Conflict("claim this case first", code="not-yours")
    if not actor.is_holder(case.owner):
        raise Conflict(
            "another reviewer has this case; it comes back when they give it back", code="not-yours"
        )


def refuse_first(case: Case, actor: Actor) -> None:
    """Raise Conflict or PersonNeeded for whoever cannot judge what was proposed."""
    if case.proposal is not None:
        require_second_person(case.proposal.by, actor, _IS_SECOND)
