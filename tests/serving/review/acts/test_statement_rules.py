"""What is ordered and found: by whom, what is true then, and what is written down."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from serving.access.actors import SERVICE, Actor
from serving.errors import Conflict, PersonNeeded
from serving.review.acts.agree import agree
from serving.review.acts.claim import claim
from serving.review.acts.disagree import disagree
from serving.review.acts.order import order
from serving.review.acts.reopen import reopen
from serving.review.acts.state_result import state_result
from serving.review.cases.actions import CaseAction
from serving.review.cases.case_change import CaseChange, CaseEvent
from serving.review.cases.case_state import Case, Statement
from serving.review.cases.results import CaseResult, Finding
from tests.serving.people import CHIEF, ONE, TWO
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import (
    CHECK,
    FOUND,
    HOLD,
    INSPECT,
    NOTHING,
    OTHER,
    PROTECT,
    RELEASE,
    TO_AGENCY,
    result_of,
)
from tests.serving.review.cases.states import (
    AT,
    CLOSED,
    CONFIRMED,
    HELD,
    HOLDING,
    JUDGING,
    KEY,
    MINE,
    OPEN,
    ORDERED,
    PROPOSED,
    SECOND,
    TO_OFFICE,
    TO_REOPEN,
    event,
)


@pytest.mark.parametrize(
    ("acted", "after", "written"),
    [
        (
            order(MINE, ONE, AT, INSPECT),
            ORDERED,
            event("order_action", status=("assigned", "action_ordered"), action=(None, INSPECT)),
        ),
        (
            order(ORDERED, ONE, AT, CHECK),
            replace(ORDERED, action=CHECK),
            event("order_action", action=(INSPECT, CHECK)),
        ),
        (
            order(MINE, ONE, AT, RELEASE),
            Case("c", "closed", ONE, action=RELEASE, ended_by=(ONE,)),
            event(
                "order_action",
                RELEASE.text,
                status=("assigned", "closed"),
                action=(None, RELEASE),
                ended_by=((), (ONE,)),
            ),
        ),
        (
            order(MINE, ONE, AT, TO_OFFICE),
            Case("c", "open", action=TO_OFFICE),
            event(
                "order_action",
                TO_OFFICE.text,
                status=("assigned", "open"),
                owner=(ONE, None),
                action=(None, TO_OFFICE),
            ),
        ),
        (
            order(MINE, ONE, AT, HOLD),
            HOLDING,
            event(
                "propose_action",
                HOLD.text,
                status=("assigned", "action_proposed"),
                owner=(ONE, None),
                proposal=(None, HOLDING.proposal),
            ),
        ),
        (
            order(replace(HOLDING, owner=TWO), TWO, AT, INSPECT),
            HELD,
            event("state_view", actor=TWO, second_view=(None, HELD.second_view)),
        ),
        (
            agree(HELD, TWO, AT, "so do I"),
            Case("c", "action_ordered", ONE, action=HOLD),
            event(
                "agree",
                "so do I",
                actor=TWO,
                status=("action_proposed", "action_ordered"),
                owner=(TWO, ONE),
                action=(None, HOLD),
                proposal=(HOLDING.proposal, None),
                second_view=(HELD.second_view, None),
            ),
        ),
        (
            disagree(HELD, TWO, AT, "a look is enough"),
            Case("c", "action_ordered", TWO, action=INSPECT),
            event(
                "disagree",
                "a look is enough",
                actor=TWO,
                status=("action_proposed", "action_ordered"),
                action=(None, INSPECT),
                proposal=(HOLDING.proposal, None),
                second_view=(HELD.second_view, None),
            ),
        ),
        (
            state_result(ORDERED, ONE, AT, NOTHING),
            CLOSED,
            event(
                "state_result",
                NOTHING.text,
                status=("action_ordered", "closed"),
                result=(None, NOTHING),
                ended_by=((), (ONE,)),
            ),
        ),
        (
            state_result(ORDERED, ONE, AT, FOUND),
            PROPOSED,
            event(
                "state_result",
                FOUND.text,
                status=("action_ordered", "result_in"),
                owner=(ONE, None),
                proposal=(None, PROPOSED.proposal),
            ),
        ),
        (
            state_result(SECOND, TWO, AT, FOUND),
            JUDGING,
            event("state_view", FOUND.text, actor=TWO, second_view=(None, JUDGING.second_view)),
        ),
        (
            agree(JUDGING, TWO, AT),
            CONFIRMED,
            event(
                "agree",
                actor=TWO,
                status=("result_in", "closed"),
                result=(None, FOUND),
                ended_by=((), (ONE, TWO)),
                proposal=(PROPOSED.proposal, None),
                second_view=(JUDGING.second_view, None),
            ),
        ),
        (
            reopen(CLOSED, KEY, AT, "new facts"),
            OPEN,
            event(
                "reopen",
                "new facts",
                actor=KEY,
                status=("closed", "open"),
                owner=(ONE, None),
                action=(INSPECT, None),
                result=(NOTHING, None),
                ended_by=((ONE,), ()),
            ),
        ),
        (
            reopen(CONFIRMED, ONE, AT, "new facts"),
            TO_REOPEN,
            event("propose_reopening", "new facts", reopening=(None, TO_REOPEN.reopening)),
        ),
        (
            disagree(TO_REOPEN, CHIEF, AT, "nothing new"),
            CONFIRMED,
            event("disagree", "nothing new", actor=CHIEF, reopening=(TO_REOPEN.reopening, None)),
        ),
        (
            reopen(TO_REOPEN, TWO, AT, "new facts"),
            OPEN,
            event(
                "reopen",
                "new facts",
                actor=TWO,
                reopening=(TO_REOPEN.reopening, None),
                status=("closed", "open"),
                owner=(TWO, None),
                action=(INSPECT, None),
                result=(FOUND, None),
                ended_by=((ONE, TWO), ()),
            ),
        ),
    ],
)
def test_a_statement_changes_what_it_says_and_is_written_down_with_the_old_and_the_new(
    acted: CaseChange, after: Case, written: CaseEvent
) -> None:
    assert acted == (after, written)


@pytest.mark.parametrize("view", [NOTHING, result_of("inconclusive")])
def test_whoever_is_second_and_found_no_offence_ends_the_case_by_their_own_view(
    view: CaseResult,
) -> None:
    judging = replace(SECOND, second_view=Statement(TWO, AT, result=view))

    after, _ = disagree(judging, TWO, AT, "no proof")

    assert (after.status, after.result, after.ended_by) == ("closed", view, (TWO,))
    assert after.proposal is None


@pytest.mark.parametrize("again", [INSPECT, CHECK, RELEASE])
def test_whoever_is_second_may_want_something_done_before_a_result_counts(
    again: CaseAction,
) -> None:
    viewed, _ = order(SECOND, TWO, AT, again)

    after, _ = disagree(viewed, TWO, AT, "look again")

    assert (after.action, after.result, after.proposal) == (again, None, None)
    assert after.status == ("closed" if again == RELEASE else "action_ordered")


@pytest.mark.parametrize("action", [HOLD, TO_AGENCY])
def test_of_what_takes_two_the_second_orders_what_the_first_proposed(action: CaseAction) -> None:
    proposed, _ = order(MINE, ONE, AT, action)
    viewed, _ = order(replace(proposed, owner=TWO), TWO, AT, CHECK)
    ordered, _ = agree(viewed, TWO, AT)

    assert (proposed.status, proposed.action) == ("action_proposed", None)
    assert (ordered.status, ordered.action) == ("action_ordered", action)


@pytest.mark.parametrize("action", [INSPECT, CHECK, RELEASE, PROTECT, TO_OFFICE])
def test_an_officer_orders_at_once_what_takes_one(action: CaseAction) -> None:
    after, done = order(MINE, ONE, AT, action)

    assert (after.action, after.proposal, done.action) == (action, None, "order_action")


@pytest.mark.parametrize(
    ("act", "refusal", "words"),
    [
        (lambda: order(OPEN, ONE, AT, INSPECT), Conflict, "claim"),
        (lambda: order(MINE, TWO, AT, RELEASE), Conflict, "another reviewer"),
        (lambda: order(CLOSED, ONE, AT, INSPECT), Conflict, "closed"),
        (
            lambda: order(replace(MINE, owner=KEY), KEY, AT, HOLD),
            PersonNeeded,
            "a person",
        ),
        (
            lambda: order(replace(HELD, owner=ONE), ONE, AT, HOLD),
            Conflict,
            "the first",
        ),
        (lambda: state_result(OPEN, ONE, AT, NOTHING), Conflict, "claim"),
        (
            lambda: state_result(MINE, ONE, AT, NOTHING),
            Conflict,
            "order first",
        ),
        (lambda: state_result(ORDERED, TWO, AT, NOTHING), Conflict, "another"),
        (lambda: state_result(CLOSED, ONE, AT, NOTHING), Conflict, "closed"),
        (lambda: state_result(PROPOSED, TWO, AT, FOUND), Conflict, "claim"),
        (
            lambda: state_result(replace(ORDERED, action=CHECK), ONE, AT, NOTHING),
            Conflict,
            "order first an inspection",
        ),
        (
            lambda: state_result(replace(ORDERED, action=HOLD), ONE, AT, NOTHING),
            Conflict,
            "order first",
        ),
        (
            lambda: state_result(replace(HELD, action=INSPECT), TWO, AT, NOTHING),
            Conflict,
            "say what you would do",
        ),
        (
            lambda: state_result(replace(ORDERED, owner=KEY), KEY, AT, FOUND),
            PersonNeeded,
            "a person",
        ),
        (
            lambda: state_result(replace(SECOND, owner=ONE), ONE, AT, NOTHING),
            Conflict,
            "the first proposed",
        ),
        (lambda: agree(MINE, TWO, AT), Conflict, "somebody has proposed"),
        (lambda: agree(CONFIRMED, TWO, AT), Conflict, "closed"),
        (lambda: agree(SECOND, TWO, AT), Conflict, "first say"),
        (lambda: agree(PROPOSED, ONE, AT), Conflict, "a second person"),
        (lambda: agree(PROPOSED, KEY, AT), PersonNeeded, "takes a person"),
        (lambda: agree(JUDGING, CHIEF, AT), Conflict, "another"),
        (
            lambda: agree(replace(JUDGING, owner=CHIEF), CHIEF, AT),
            Conflict,
            "first say",
        ),
        (lambda: disagree(MINE, TWO, AT, "x"), Conflict, "somebody has"),
        (lambda: disagree(CONFIRMED, TWO, AT, "x"), Conflict, "closed"),
        (lambda: disagree(SECOND, TWO, AT, "x"), Conflict, "first say"),
        (lambda: disagree(PROPOSED, ONE, AT, "x"), Conflict, "a second person"),
        (lambda: disagree(TO_REOPEN, ONE, AT, "x"), Conflict, "another person"),
        (lambda: disagree(TO_REOPEN, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: reopen(CONFIRMED, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: reopen(TO_REOPEN, KEY, AT, "x"), PersonNeeded, "takes a person"),
        (lambda: reopen(TO_REOPEN, ONE, AT, "x"), Conflict, "must agree"),
        (lambda: reopen(MINE, ONE, AT, "x"), Conflict, "can be opened again"),
        (lambda: reopen(PROPOSED, ONE, AT, "x"), Conflict, "only a closed"),
    ],
)
def test_a_statement_of_somebody_who_may_not_make_it_is_refused(
    act: Callable[[], CaseChange], refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        act()


@pytest.mark.parametrize(
    "stated",
    [
        OTHER,
        replace(FOUND, finding=Finding(offences="tobacco")),
        replace(FOUND, finding=Finding(found_mass_kg=2.0)),
        replace(FOUND, is_protection=True),
    ],
)
def test_whoever_is_second_and_says_otherwise_proposes_and_the_first_may_agree(
    stated: CaseResult,
) -> None:
    viewed, _ = state_result(SECOND, TWO, AT, stated)
    proposed, _ = disagree(viewed, TWO, AT, "it was otherwise")
    with refused_with("same-reviewer"):
        claim(proposed, TWO, AT)
    back, _ = claim(proposed, ONE, AT)
    viewed, _ = state_result(back, ONE, AT, stated)
    ended, _ = agree(viewed, ONE, AT)

    assert (proposed.status, proposed.proposal) == (
        "result_in",
        Statement(TWO, AT, result=stated),
    )
    assert proposed.second_view is None  # it was of another proposal
    assert (ended.status, ended.result, ended.ended_by) == ("closed", stated, (TWO, ONE))


TO_RESCUE = CaseAction("refer", "they are adrift", "rescue")


@pytest.mark.parametrize(
    "view", [NOTHING, result_of("inconclusive"), RELEASE, INSPECT, PROTECT, TO_OFFICE]
)
def test_whoever_disagrees_with_a_machine_is_the_first_of_two_persons(
    view: CaseResult | CaseAction,
) -> None:
    def state(case: Case, actor: Actor) -> Case:
        if isinstance(view, CaseAction):
            return order(case, actor, AT, view)[0]
        return state_result(case, actor, AT, view)[0]

    reported = replace(PROPOSED, proposal=Statement(SERVICE, AT, result=FOUND), owner=ONE)
    proposed, _ = disagree(state(reported, ONE), ONE, AT, "it is flour")

    assert proposed.status in ("result_in", "action_proposed")
    assert (proposed.owner, proposed.second_view) == (None, None)
    with refused_with("same-reviewer"):
        claim(proposed, ONE, AT)
    agreed, _ = agree(state(replace(proposed, owner=TWO), TWO), TWO, AT)
    assert agreed.proposal is None
    assert (agreed.result or agreed.action) == view
    assert agreed.ended_by == ((ONE, TWO) if agreed.status == "closed" else ())


def test_lives_at_risk_wait_for_no_second_person_also_where_a_machine_reported_an_offence() -> None:
    reported = replace(PROPOSED, proposal=Statement(SERVICE, AT, result=FOUND), owner=ONE)
    viewed, _ = order(reported, ONE, AT, TO_RESCUE)

    assert disagree(viewed, ONE, AT, "they drown")[0].action == TO_RESCUE


def test_people_whom_either_of_two_handed_to_protection_stay_protected() -> None:
    protected = replace(FOUND, is_protection=True)
    for first, second in ((protected, FOUND), (FOUND, protected), (protected, NOTHING)):
        case = replace(SECOND, proposal=Statement(ONE, AT, result=first))
        case = replace(case, second_view=Statement(TWO, AT, result=second))
        judged = disagree if second == NOTHING else agree

        after, _ = judged(case, TWO, AT, "as seen")

        assert after.result is not None
        assert after.result.is_protection
