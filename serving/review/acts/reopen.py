"""Reopen: bring back a closed case."""

from datetime import datetime

from serving.access.actors import Actor
from serving.access.two_persons import require_person, require_second_person
from serving.errors import Conflict
from serving.review.acts.act_declaration import CaseAct, Note
from serving.review.cases.case_change import CaseChange, acted, reopened
from serving.review.cases.case_state import Case, Reopening


def reopen(case: Case, actor: Actor, at: datetime, text: str) -> CaseChange:
    """Bring back a closed case, without the letters that were not released.

    An adverse end needs two persons: one proposes, another reopens. Raises Conflict or
    PersonNeeded.
    """
    if case.status != "closed":
        raise Conflict("only a closed case can be opened again", code="case-not-closed")
    if case.is_ended_adversely:
        if case.reopening is None:
            require_person(actor)
            proposal = Reopening(actor, at, text)
            return acted(case, actor, at, "propose_reopening", text, reopening=proposal)
        words = "a second person must agree that what two ended is opened again"
        require_second_person(case.reopening.proposed_by, actor, words)
    return reopened(case, actor, at, text)


REOPEN = CaseAct(
    name="reopen",
    operation="reopen_case",
    description=(
        "Bring back a case that was closed; of an adverse end two persons do, one after another."
    ),
    perform=lambda acting, body: acting.change(reopen, body.text),
    records=("reopen", "propose_reopening"),
    input=Note,
    takes_two=lambda _: True,
    keeps_forms=True,
)
