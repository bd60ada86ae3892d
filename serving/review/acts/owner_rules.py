"""The rules of whose a case is: who works on it, and until when it waits."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from serving.access.actors import SERVICE, Actor
from serving.language import say
from serving.review.cases.case_change import (
    CaseAct,
    CaseChange,
    acted,
    awake,
    refuse_closed,
    refuse_first,
    refuse_other,
)
from serving.review.cases.case_state import Case, Escalation, WaitingFor
from serving.review.errors import AlreadyEscalated, CaseTaken, NotYours, TooLong

LONGEST_WAIT = timedelta(days=14)


def claim(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Take a case to work on it. Raises CaseTaken, CaseClosed, Conflict or PersonNeeded."""
    refuse_closed(case)
    if case.owner is not None and not actor.is_holder(case.owner):
        raise CaseTaken("another reviewer has this case; it comes back when they give it back")
    refuse_first(case, actor)
    return _assigned(case, actor, at, actor, "assign")


def give_back(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Put a case back for others. Raises NotYours or CaseClosed."""
    refuse_other(case, actor)
    return acted(case, actor, at, "give_back", **awake(replace(case, owner=None)), owner=None)


def assign(
    case: Case, actor: Actor, at: datetime, to: Actor, *, may_take: bool = False
) -> CaseChange:
    """Give a case to a reviewer; whoever `may_take` it does so from another owner too.

    Raises CaseClosed, CaseTaken, Conflict or PersonNeeded.
    """
    refuse_closed(case)
    if not (may_take or case.owner is None or actor.is_holder(case.owner)):
        raise CaseTaken("another reviewer has this case; a supervisor may give it to somebody else")
    refuse_first(case, to)
    return _assigned(case, actor, at, to, "assign" if case.owner is None else "hand_over")


def put_into_inbox(
    case: Case, actor: Actor, at: datetime, team: str | None, *, may_take: bool = False
) -> CaseChange:
    """Put a case into the inbox of a team, None for that of its office, where nobody has it.

    Whoever `may_take` it does so from another owner too. Raises CaseClosed or CaseTaken.
    """
    refuse_closed(case)
    if not (may_take or case.owner is None or actor.is_holder(case.owner)):
        raise CaseTaken("another reviewer has this case; a supervisor may put it into an inbox")
    free = awake(replace(case, owner=None))
    return acted(case, actor, at, "put_into_inbox", **free, owner=None, team=team)


def escalate(case: Case, actor: Actor, at: datetime, because: str) -> CaseChange:
    """Call for the supervisor of the office. Raises CaseClosed, NotYours or AlreadyEscalated."""
    refuse_closed(case)
    if case.owner is not None and actor != SERVICE and not actor.is_holder(case.owner):
        raise NotYours("another reviewer has this case, and escalates it where it is needed")
    if case.escalation is not None:
        raise AlreadyEscalated("this case is escalated already: its supervisor was told")
    return acted(case, actor, at, "escalate", because, escalation=Escalation(actor, at, because))


def wait(
    case: Case, actor: Actor, at: datetime, until: datetime, waiting_for: WaitingFor, text: str
) -> CaseChange:
    """Let a case wait until an instant, for something. Raises NotYours, CaseClosed or TooLong."""
    refuse_other(case, actor)
    if not at < until <= at + LONGEST_WAIT:
        raise TooLong(say("want an instant to come, within {days} days", days=LONGEST_WAIT.days))
    return acted(
        case,
        actor,
        at,
        "wait",
        text,
        status="waiting",
        waiting_until=until,
        waiting_for=waiting_for,
    )


def take_and_wait(
    case: Case, actor: Actor, at: datetime, until: datetime, waiting_for: WaitingFor, text: str
) -> CaseChange:
    """Let a case wait; one that nobody has is the actor's by the same act.

    Raises CaseTaken too, Conflict or PersonNeeded.
    """
    return take_and(case, actor, at, lambda taken: wait(taken, actor, at, until, waiting_for, text))


def take_and(case: Case, actor: Actor, at: datetime, act: CaseAct) -> CaseChange:
    """Do what is for whoever works on a case; one that nobody has is theirs by the same act.

    Raises CaseTaken, CaseClosed, Conflict or PersonNeeded beside what the act raises.
    """
    if actor.is_holder(case.owner):
        return act(case)
    taken, claimed = claim(case, actor, at)
    after, event = act(taken)
    was = {name: old for name, (old, _) in claimed.changed.items()}
    since = {name: (was.get(name, old), new) for name, (old, new) in event.changed.items()}
    whole = claimed.changed | since
    changed = {name: (old, new) for name, (old, new) in whole.items() if old != new}
    return after, replace(event, changed=changed)


def _assigned(
    case: Case, actor: Actor, at: datetime, to: Actor, event: Literal["assign", "hand_over"]
) -> CaseChange:
    woken, escalation = awake(replace(case, owner=to)), case.escalation
    is_answered = escalation is not None and not to.is_holder(escalation.by)
    left = None if is_answered else escalation
    return acted(case, actor, at, event, **woken, owner=to, escalation=left)
