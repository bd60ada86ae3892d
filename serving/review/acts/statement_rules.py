"""The rules of statements: what is ordered and found, by one person or by two.

Two persons: a hold, a referral to an agency and an adverse result are proposals of the first. So
is that nobody was in danger, or found, where there were signs of danger to life and nobody reports
from the scene. The second, never the same one, states a view of their own before they see the
first's, and then agrees or not; where they do not, their own view takes its place: what one person
may do is done, what takes two is their proposal. Of what a machine reported the first person who
judges is none of the two yet: whatever they say is a proposal. What two persons ended adversely two
open again; a rescue anybody opens again.
"""

from dataclasses import replace
from datetime import datetime

from serving.access.actors import Actor
from serving.access.two_persons import require_person, require_second_person
from serving.language import say
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_change import (
    CaseChange,
    EventAction,
    acted,
    ended,
    proposed,
    refuse_closed,
    refuse_first,
    refuse_other,
    reopened,
)
from serving.review.cases.case_state import Case, Reopening, Statement
from serving.review.cases.results import FOUND_BY_WORDS, CaseResult
from serving.review.errors import CaseNotClosed, NoActionOrdered, NothingProposed, ViewNeeded


def order(case: Case, actor: Actor, at: datetime, action: CaseAction) -> CaseChange:
    """Order an action, or propose one that takes two; of whoever is second it is their view.

    Raises NotYours, CaseClosed, Conflict or PersonNeeded.
    """
    refuse_other(case, actor)
    refuse_first(case, actor)
    return _stated(case, Statement(actor, at, action=action), action.text)


def state_result(
    case: Case, actor: Actor, at: datetime, result: CaseResult, *, is_life_at_risk: bool = True
) -> CaseChange:
    """State what the ordered action found: the end of a case, or the proposal of one.

    An adverse end takes two persons. So does, where a life is at risk by the records, that nobody
    was in danger, or found, without a report from the scene. Of whoever is second it is their view.
    Raises NotYours, CaseClosed, Conflict, PersonNeeded or NoActionOrdered where nothing was
    ordered that finds this.
    """
    refuse_other(case, actor)
    refuse_first(case, actor)
    if result.found_by != "rescue" and not case.has_ordered(result.found_by):
        raise NoActionOrdered(
            say("order first {found_by}", found_by=say(FOUND_BY_WORDS[result.found_by]))
        )
    of_rescue = result.found_by == "rescue"
    statement = Statement(actor, at, result=result, is_life_at_risk=of_rescue and is_life_at_risk)
    return _stated(case, statement, result.text)


def agree(case: Case, actor: Actor, at: datetime, text: str = "") -> CaseChange:
    """Agree, as a second person, with what a first one proposed.

    Raises NotYours, CaseClosed, Conflict, PersonNeeded or ViewNeeded before an own view.
    """
    proposal, view = _judged(case, actor)
    if not proposal.by.is_human:  # a machine's word, or of nobody known: theirs counts as the first
        own = replace(proposal, by=actor, at=at)
        return acted(case, actor, at, "agree", text, **proposed(case, own))
    if proposal.action is not None:
        ordered = _ordered(proposal.action, proposal.by, actor) | {"owner": proposal.by}
        return acted(case, actor, at, "agree", text, **ordered)
    assert proposal.result is not None, "a statement is of an action or a result"
    result = proposal.result.with_protection_of(view.result)
    return acted(case, actor, at, "agree", text, **ended(result, proposal.by, actor))


def disagree(case: Case, actor: Actor, at: datetime, text: str) -> CaseChange:
    """Disagree, as a second person; their own view takes the place of what the first proposed.

    Of what a machine reported theirs is the first look of a person, and a proposal, but that lives
    may be at risk. What was proposed to be opened again stays closed. Raises NothingProposed,
    CaseClosed, Conflict, PersonNeeded, or ViewNeeded before an own view.
    """
    if case.reopening is not None:
        words = "another person than who proposed it declines"
        require_second_person(case.reopening.proposed_by, actor, words)
        return acted(case, actor, at, "disagree", text, reopening=None)
    proposal, view = _judged(case, actor)
    if view.result is not None:
        view = replace(view, result=view.result.with_protection_of(proposal.result))
    is_first = not proposal.by.is_human and not view.calls_rescue
    after = proposed(case, view) if is_first else _after(case, view)
    return acted(case, actor, at, "disagree", text, **after)


def reopen(case: Case, actor: Actor, at: datetime, text: str) -> CaseChange:
    """Bring back a case that was closed, without the letters that were not released.

    Of an adverse end the first person proposes it and a second one does it. Raises CaseNotClosed,
    Conflict or PersonNeeded.
    """
    if case.status != "closed":
        raise CaseNotClosed("only a closed case can be opened again")
    if case.is_ended_adversely:
        if case.reopening is None or not case.reopening.proposed_by.is_human:
            require_person(actor)
            proposal = Reopening(actor, at, text)
            return acted(case, actor, at, "propose_reopening", text, reopening=proposal)
        words = "a second person must agree that what two ended is opened again"
        require_second_person(case.reopening.proposed_by, actor, words)
    return reopened(case, actor, at, text)


def _stated(case: Case, statement: Statement, text: str) -> CaseChange:
    actor, at = statement.by, statement.at
    if case.proposal is not None:
        if case.proposal.action is not None and statement.result is not None:
            raise NoActionOrdered("an action was proposed: say what you would do")
        return acted(case, actor, at, "state_view", text, second_view=statement)
    event: EventAction = "state_result"
    if statement.action is not None:
        event = "propose_action" if statement.takes_two_persons else "order_action"
    return acted(case, actor, at, event, text, **_after(case, statement))


def _after(case: Case, statement: Statement) -> dict[str, object]:
    """What changes by one person's statement alone."""
    if statement.takes_two_persons:
        require_person(statement.by, _seen_or_two() if statement.is_life_at_risk else None)
        return proposed(case, statement)
    if statement.action is not None:
        return _ordered(statement.action, statement.by)
    assert statement.result is not None, "a statement is of an action or a result"
    return ended(statement.result, statement.by)


def _ordered(action: CaseAction, *by: Actor) -> dict[str, object]:
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


def _judged(case: Case, actor: Actor) -> tuple[Statement, Statement]:
    """What was proposed, and the own view of whoever judges it."""
    refuse_closed(case)
    if case.proposal is None:
        raise NothingProposed("agree or decline once somebody has proposed an end or an action")
    refuse_first(case, actor)
    refuse_other(case, actor)
    if case.second_view is None or not actor.is_holder(case.second_view.by):
        raise ViewNeeded("say first what you would do or what was found, and then judge")
    return case.proposal, case.second_view


def _seen_or_two() -> str:
    return say(
        "there were signs of danger to life: that nobody was in danger or found takes a report "
        "from the scene (seen_on_scene), or two persons who signed in"
    )
