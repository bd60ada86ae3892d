"""Escalate: request the supervisor of a case's office."""

from datetime import datetime

from serving.access.actors import SERVICE, Actor
from serving.errors import Conflict
from serving.review.acts.act_declaration import CaseAct, Note
from serving.review.cases.case_change import CaseChange, acted, refuse_closed
from serving.review.cases.case_state import Case, Escalation


def escalate(case: Case, actor: Actor, at: datetime, because: str) -> CaseChange:
    """Request the supervisor of the office; raises Conflict."""
    refuse_closed(case)
    if case.owner is not None and actor != SERVICE and not actor.is_holder(case.owner):
        raise Conflict(
            "another reviewer has this case, and escalates it where it is needed", code="not-yours"
        )
    if case.escalation is not None:
        raise Conflict(
            "this case is already escalated, and its supervisor was notified",
            code="already-escalated",
        )
    return acted(case, actor, at, "escalate", because, escalation=Escalation(actor, at, because))


ESCALATE = CaseAct(
    name="escalations",
    operation="escalate_case",
    description="Call for the supervisor of the office of a case, and say why.",
    perform=lambda acting, body: acting.change(escalate, body.text),
    records=("escalate",),
    input=Note,
    keeps_forms=True,
)
