"""Disagree: as a second person, replace the proposal by a view of one's own."""

from dataclasses import replace
from datetime import datetime

from serving.access.actors import Actor
from serving.access.two_persons import require_second_person
from serving.review.acts.act_declaration import CaseAct, Note
from serving.review.acts.statements import apply_closing_rule, changes_of_statement, require_judge
from serving.review.cases.case_change import CaseChange, acted, proposed
from serving.review.cases.case_state import Case


def disagree(case: Case, actor: Actor, at: datetime, text: str) -> CaseChange:
    """Disagree, as a second person; their own view replaces the proposal.

    After a machine's report, theirs is the first statement of a person, so it stays a proposal
    unless it reports that lives may be at risk. A proposed reopening is declined. Raises Conflict,
    also before a view of one's own, or PersonNeeded.
    """
    if case.reopening is not None:
        words = "another person than who proposed it declines"
        require_second_person(case.reopening.proposed_by, actor, words)
        return acted(case, actor, at, "disagree", text, reopening=None)
    proposal, view = require_judge(case, actor)
    if view.result is not None:
        # Protection stays, even if the second person did not state it.
        view = replace(view, result=view.result.with_protection_of(proposal.result))
    is_first = not proposal.by.is_human and not view.calls_rescue
    after = proposed(case, view) if is_first else changes_of_statement(view, case)
    return acted(case, actor, at, "disagree", text, **after)


DISAGREE = CaseAct(
    name="disagreements",
    operation="disagree_with_proposal",
    description="""\
Disagree, as a second person: one's own view takes the place of what was proposed.

What was proposed to be opened again stays closed.""",
    perform=lambda acting, body: apply_closing_rule(
        acting, lambda case: disagree(case, acting.actor, acting.at, body.text)
    ),
    records=("disagree",),
    input=Note,
    takes_two=lambda _: True,
    leads_to="next",
)
