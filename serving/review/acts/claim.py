"""Claim: take a case to work on it."""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from serving.access.actors import Actor
from serving.errors import Conflict
from serving.review.acts.act_declaration import CaseAct
from serving.review.cases.case_change import (
    CaseChange,
    CaseRule,
    acted,
    awake,
    refuse_closed,
    refuse_first,
)
from serving.review.cases.case_state import Case


def claim(case: Case, actor: Actor, at: datetime) -> CaseChange:
    """Take a case to work on it; raises Conflict or PersonNeeded."""
    refuse_closed(case)
    if case.owner is not None and not actor.is_holder(case.owner):
        raise Conflict(
            "another reviewer has this case; it comes back when they give it back",
            code="case-taken",
        )
    refuse_first(case, actor)
    return change_owner(case, actor, at, actor, "assign")


def claim_then(case: Case, actor: Actor, at: datetime, act: CaseRule) -> CaseChange:
    """Apply an act of the owner, claiming a case without an owner in the same step.

    Raises Conflict or PersonNeeded, and the errors of the act.
    """
    if actor.is_holder(case.owner):
        return act(case)
    taken, claimed = claim(case, actor, at)
    after, event = act(taken)
    # One event holds both changes, so that undo reverts both.
    was = {name: old for name, (old, _) in claimed.changed.items()}
    since = {name: (was.get(name, old), new) for name, (old, new) in event.changed.items()}
    whole = claimed.changed | since
    changed = {name: (old, new) for name, (old, new) in whole.items() if old != new}
    return after, replace(event, changed=changed)


def change_owner(
    case: Case,
    actor: Actor,
    at: datetime,
    to: Actor,
    event: Literal["assign", "hand_over"],
    text: str = "",
) -> CaseChange:
    """Give a case to a person; an escalation ends unless the new owner requested it."""
    woken, escalation = awake(replace(case, owner=to)), case.escalation
    is_answered = escalation is not None and not to.is_holder(escalation.by)
    left = None if is_answered else escalation
    return acted(case, actor, at, event, text, **woken, owner=to, escalation=left)


CLAIM = CaseAct(
    name="claim",
    operation="claim_case",
    description="Take a case; of two who try, one has it and the other gets a 409.",
    perform=lambda acting, _: acting.change(claim),
    records=("assign",),
    revision="if_shown",
    keeps_forms=True,
)
