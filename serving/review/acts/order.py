"""Order: request an inspection, a check, a hold, a release or a referral."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated

from pydantic import Field

from serving.access.actors import Actor
from serving.access.office_ids import require_known_office
from serving.errors import RequestFault, Unprocessable
from serving.language import say
from serving.review.acts.act_declaration import ActInput, ActRequest, CaseAct, OptionalWords, Stated
from serving.review.acts.statements import apply_closing_rule, make_statement
from serving.review.cases.actions import ActionKind, CaseAction, ReferredTo
from serving.review.cases.case_change import CaseChange, refuse_first, refuse_other
from serving.review.cases.case_state import Case, Statement

# Choices of the form that take two persons: one proposes, another orders.
PROPOSED_CHOICES = ("hold", "refer agency")


class ActionBody(ActInput):
    """An action on the subject of a case."""

    kind: ActionKind
    text: OptionalWords = Field(
        "", description="Why, in your own words: needed to hold, to release and to refer."
    )
    refer_to: Stated[ReferredTo] = Field(None, description="To whom it is referred.")
    destination: Stated[Annotated[str, Field(min_length=1, max_length=64)]] = Field(
        None, description="Which office or agency it is referred to."
    )

    def action(self) -> CaseAction:
        """Return the action that the body states; raises Unprocessable."""
        return CaseAction(self.kind, self.text, self.refer_to, self.destination)


def order(case: Case, actor: Actor, at: datetime, action: CaseAction) -> CaseChange:
    """Order an action, propose one that takes two, or state it as the second person's view.

    Raises Conflict or PersonNeeded.
    """
    refuse_other(case, actor)
    # Nobody may be the second person to their own proposal.
    refuse_first(case, actor)
    return make_statement(case, Statement(actor, at, action=action), action.text)


def order_action(acting: ActRequest, action: CaseAction) -> Case:
    """Order or propose an action; for a second person, record it as their own view.

    Raises Unprocessable for an unknown office, and for a rescue, which has no enforcement.
    """
    cases = acting.cases
    row, _ = cases.case(acting.reviewer, acting.case_id)
    if row.lane == "rescue":
        raise Unprocessable("a rescue has no actions of enforcement: state what became of it")
    # Rescuers need a position or a route, and a shipment without a journey has neither.
    if action.refer_to == "rescue" and row.mode is None:
        raise Unprocessable(
            "nothing is known of a journey to search for: call the rescue by telephone"
        )
    if action.refer_to == "office":
        require_known_office(action.destination or "", cases.known_offices(), "destination")
        if action.destination == row.office_id:
            says = say("the case is at this office already: refer it to another one")
            raise Unprocessable(says, (RequestFault("/destination", "same_office", says),))
    return apply_closing_rule(acting, lambda case: order(case, acting.actor, acting.at, action))


def _action_of_form(form: Mapping[str, str], at: datetime) -> Mapping[str, str]:
    """Split the form's choice into the kind of action and the recipient of a referral."""
    kind, _, refer_to = form.get("kind", "").partition(" ")
    return {**form, "kind": kind, "refer_to": refer_to}


ORDER = CaseAct(
    name="actions",
    operation="order_action",
    description="""\
Order an action; a hold and a referral to an agency are proposed to a second person.

Where something was proposed, it is the second person's own view.""",
    perform=lambda acting, body: order_action(acting, body.action()),
    records=("order_action", "propose_action", "state_view"),
    input=ActionBody,
    form_fields=_action_of_form,
    takes_two=lambda form: form.get("kind") in PROPOSED_CHOICES,
    leads_to="next",
)
