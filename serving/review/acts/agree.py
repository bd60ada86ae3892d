"""Agree: confirm, as a second person, what the first proposed."""

from dataclasses import replace
from datetime import datetime

from serving.access.actors import Actor
from serving.review.acts.act_declaration import ActInput, CaseAct, OptionalWords
from serving.review.acts.statements import apply_closing_rule, changes_of_order, require_judge
from serving.review.cases.case_change import CaseChange, acted, ended, proposed
from serving.review.cases.case_state import Case


class Judgement(ActInput):
    """Why a second person agrees, in their own words; they may say nothing."""

    text: OptionalWords = ""


def agree(case: Case, actor: Actor, at: datetime, text: str = "") -> CaseChange:
    """Agree, as a second person, with the proposal of the first.

    Raises Conflict, also before a view of one's own, or PersonNeeded.
    """
    proposal, view = require_judge(case, actor)
    if not proposal.by.is_human:  # a machine's proposal: this is the first person
        own = replace(proposal, by=actor, at=at)
        return acted(case, actor, at, "agree", text, **proposed(case, own))
    if proposal.action is not None:
        ordered = changes_of_order(proposal.action, proposal.by, actor) | {"owner": proposal.by}
        return acted(case, actor, at, "agree", text, **ordered)
    assert proposal.result is not None, "a statement is of an action or a result"
    # If either person says that people were protected, no label may be made of it.
    result = proposal.result.with_protection_of(view.result)
    return acted(case, actor, at, "agree", text, **ended(result, proposal.by, actor))


AGREE = CaseAct(
    name="agreements",
    operation="agree_with_proposal",
    description="Agree, as a second person, with what was proposed, after a view of one's own.",
    perform=lambda acting, body: apply_closing_rule(
        acting,
        lambda case: agree(case, acting.actor, acting.at, body.text if body else ""),
    ),
    records=("agree",),
    input=Judgement,
    is_input_optional=True,
    takes_two=lambda _: True,
    leads_to="next",
)
