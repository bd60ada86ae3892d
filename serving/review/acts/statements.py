"""Statements of one person or two, as shared by orders and results.

A hold, a referral to an agency and an adverse result are proposals of the first person. So is the
claim that nobody was in danger or found, if there were signs of danger to life and no report from
the scene. The second person, never the same one, states a view of their own before seeing the
proposal, and then agrees or disagrees. On disagreement their view replaces the proposal: an act
that one person may do is done, one that takes two becomes their proposal. A machine's report has no
first person yet: the first person who judges it makes a proposal. An adverse end by two persons
takes two to reopen; anyone may reopen a rescue.
"""

from serving.access.actors import Actor
from serving.access.two_persons import require_person
from serving.errors import Conflict
from serving.language import say
from serving.review.acts.act_declaration import ActRequest
from serving.review.acts.claim import claim_then
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_change import (
    CaseChange,
    CaseRule,
    acted,
    ended,
    proposed,
    refuse_closed,
    refuse_first,
    refuse_other,
)
from serving.review.cases.case_state import Case, Statement
from serving.review.cases.event_kinds import EventAction


def apply_closing_rule(acting: ActRequest, rule: CaseRule) -> Case:
    """Apply a rule that may close a case, claiming the case first if `takes` is set."""
    if not acting.takes:
        return acting.cases.conclude(acting.reviewer, acting.case_id, acting.at, rule)

    def taking(case: Case) -> CaseChange:
        return claim_then(case, acting.actor, acting.at, rule)

    return acting.cases.conclude(acting.reviewer, acting.case_id, acting.at, taking)


def make_statement(case: Case, statement: Statement, text: str) -> CaseChange:
    """State an action or a result; from the second person, it is their own view."""
    actor, at = statement.by, statement.at
    if case.proposal is not None:
        # Nothing was examined yet, so a result cannot answer a proposed action.
        if case.proposal.action is not None and statement.result is not None:
            raise Conflict(
                "an action was proposed: say what you would do", code="no-action-ordered"
            )
        return acted(case, actor, at, "state_view", text, second_view=statement)
    event: EventAction = "state_result"
    if statement.action is not None:
        event = "propose_action" if statement.takes_two_persons else "order_action"
    return acted(case, actor, at, event, text, **changes_of_statement(statement, case))


def changes_of_statement(statement: Statement, case: Case) -> dict[str, object]:
    """Return the fields that change by one person's statement alone."""
    if statement.takes_two_persons:
        # A machine cannot be one of two persons.
        require_person(statement.by, _seen_or_two() if statement.is_life_at_risk else None)
        return proposed(case, statement)
    if statement.action is not None:
        return changes_of_order(statement.action, statement.by)
    assert statement.result is not None, "a statement is of an action or a result"
    return ended(statement.result, statement.by)


def changes_of_order(action: CaseAction, *by: Actor) -> dict[str, object]:
    """Return the fields that change when one person or two order an action."""
    judged: dict[str, object] = {
        "action": action,
        "proposal": None,
        "second_view": None,
        "escalation": None,
    }
    awake: dict[str, object] = {"waiting_until": None, "waiting_for": None}
    if action.closes:
        return judged | awake | {"status": "closed", "ended_by": by}
    if action.moves:
        return judged | awake | {"status": "open", "owner": None, "team": None}
    return judged | awake | {"status": "action_ordered"}


def require_judge(case: Case, actor: Actor) -> tuple[Statement, Statement]:
    """Return the proposal and the view of the second person, who judges it."""
    refuse_closed(case)
    if case.proposal is None:
        raise Conflict(
            "agree or decline once somebody has proposed an end or an action",
            code="nothing-proposed",
        )
    refuse_first(case, actor)
    refuse_other(case, actor)
    if case.second_view is None or not actor.is_holder(case.second_view.by):
        raise Conflict(
            "first say what you would do or what was found, then judge", code="view-needed"
        )
    return case.proposal, case.second_view


def _seen_or_two() -> str:
    return say(
        "there were signs of danger to life: that nobody was in danger or found takes a report "
        "from the scene (seen_on_scene), or two persons who signed in"
    )
