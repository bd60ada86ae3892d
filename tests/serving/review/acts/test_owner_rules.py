"""Whose a case is: who may take it, give it and let it wait, and what is written down."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from serving.access.actors import SERVICE
from serving.errors import Conflict, PersonNeeded, Unprocessable
from serving.review.acts.assign import assign, put_into_inbox
from serving.review.acts.claim import claim
from serving.review.acts.escalate import escalate
from serving.review.acts.give_back import give_back
from serving.review.acts.note import note
from serving.review.acts.order import order
from serving.review.acts.undo import undo
from serving.review.acts.wait import MAX_CASE_WAIT, take_and_wait, wait
from serving.review.cases.case_change import CaseChange, CaseEvent
from serving.review.cases.case_state import Case
from tests.serving.people import CHIEF, ONE, TWO
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import HOLD, INSPECT, RELEASE
from tests.serving.review.cases.states import (
    ASIDE,
    AT,
    CLOSED,
    HOLDING,
    KEY,
    LATER,
    MINE,
    OPEN,
    ORDERED,
    PROPOSED,
    SECOND,
    TICK,
    event,
)

WORDS = "the master refuses to open the hold"


@pytest.mark.parametrize(
    ("acted", "after", "written"),
    [
        (
            claim(OPEN, ONE, AT),
            MINE,
            event("assign", status=("open", "assigned"), owner=(None, ONE)),
        ),
        (claim(MINE, ONE, AT), MINE, event("assign")),
        (
            claim(ASIDE, ONE, AT),
            MINE,
            event(
                "assign",
                status=("waiting", "assigned"),
                waiting_until=(LATER, None),
                waiting_for=("documents", None),
            ),
        ),
        (
            claim(PROPOSED, TWO, AT),
            SECOND,
            event("assign", actor=TWO, owner=(None, TWO)),
        ),
        (
            give_back(MINE, ONE, AT),
            OPEN,
            event("give_back", status=("assigned", "open"), owner=(ONE, None)),
        ),
        (
            give_back(ASIDE, ONE, AT),
            OPEN,
            event(
                "give_back",
                status=("waiting", "open"),
                owner=(ONE, None),
                waiting_until=(LATER, None),
                waiting_for=("documents", None),
            ),
        ),
        (
            give_back(SECOND, TWO, AT),
            PROPOSED,
            event("give_back", actor=TWO, owner=(TWO, None)),
        ),
        (
            give_back(ORDERED, ONE, AT),
            replace(ORDERED, owner=None),
            event("give_back", owner=(ONE, None)),
        ),
        (
            assign(OPEN, CHIEF, AT, ONE),
            MINE,
            event("assign", actor=CHIEF, status=("open", "assigned"), owner=(None, ONE)),
        ),
        (
            assign(MINE, ONE, AT, TWO),
            replace(MINE, owner=TWO),
            event("hand_over", owner=(ONE, TWO)),
        ),
        (
            assign(ASIDE, CHIEF, AT, TWO, may_take=True),
            replace(MINE, owner=TWO),
            event(
                "hand_over",
                actor=CHIEF,
                status=("waiting", "assigned"),
                owner=(ONE, TWO),
                waiting_until=(LATER, None),
                waiting_for=("documents", None),
            ),
        ),
        (
            wait(MINE, ONE, AT, LATER, "documents", "the invoice"),
            ASIDE,
            event(
                "wait",
                "the invoice",
                status=("assigned", "waiting"),
                waiting_until=(None, LATER),
                waiting_for=(None, "documents"),
            ),
        ),
    ],
)
def test_whose_a_case_is_changes_as_the_act_says_and_is_written_down(
    acted: CaseChange, after: Case, written: CaseEvent
) -> None:
    assert acted == (after, written)


@pytest.mark.parametrize(
    ("act", "refusal", "words"),
    [
        (lambda: claim(MINE, TWO, AT), Conflict, "another reviewer has this case"),
        (lambda: claim(ASIDE, TWO, AT), Conflict, "another reviewer"),
        (lambda: claim(CLOSED, ONE, AT), Conflict, "open it again first"),
        (lambda: claim(PROPOSED, ONE, AT), Conflict, "what the first proposed"),
        (lambda: claim(HOLDING, ONE, AT), Conflict, "what the first proposed"),
        (lambda: claim(PROPOSED, KEY, AT), PersonNeeded, "takes a person"),
        (lambda: assign(MINE, CHIEF, AT, TWO), Conflict, "a supervisor may give it"),
        (lambda: assign(CLOSED, CHIEF, AT, TWO), Conflict, "closed"),
        (lambda: assign(PROPOSED, CHIEF, AT, ONE), Conflict, "the first proposed"),
        (
            lambda: assign(SECOND, CHIEF, AT, ONE, may_take=True),
            Conflict,
            "the first proposed",
        ),
        (lambda: give_back(OPEN, ONE, AT), Conflict, "claim this case first"),
        (lambda: give_back(MINE, TWO, AT), Conflict, "another reviewer has this case"),
        (lambda: give_back(CLOSED, ONE, AT), Conflict, "closed"),
        (lambda: wait(MINE, TWO, AT, LATER, "reply", "x"), Conflict, "another"),
        (lambda: wait(CLOSED, ONE, AT, LATER, "reply", "x"), Conflict, "closed"),
    ],
)
def test_a_case_is_taken_given_or_laid_aside_by_nobody_who_may_not(
    act: Callable[[], CaseChange], refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        act()


def test_a_case_waits_for_fourteen_days_at_most_and_not_for_the_past() -> None:
    assert timedelta(days=14) == MAX_CASE_WAIT
    for until in (AT + TICK, AT + MAX_CASE_WAIT):
        assert wait(MINE, ONE, AT, until, "other", "why")[0].waiting_until == until
    for until in (AT - TICK, AT, AT + MAX_CASE_WAIT + TICK):
        with pytest.raises(Unprocessable, match="within 14 days"):
            wait(MINE, ONE, AT, until, "other", "why")


def test_what_nobody_has_is_laid_aside_by_one_act_that_is_undone_whole() -> None:
    free = Case("c", team="Tobacco")

    waiting, event = take_and_wait(free, ONE, AT, LATER, "other", "the ship is late")

    assert (waiting.owner, waiting.status, waiting.waiting_until) == (ONE, "waiting", LATER)
    assert event.changed["status"] == ("open", "waiting")
    assert undo(waiting, ONE, AT, event, free)[0] == free
    with refused_with("case-taken"):
        take_and_wait(claim(free, TWO, AT)[0], ONE, AT, LATER, "other", "")
    with refused_with("too-long"):
        take_and_wait(free, ONE, AT, AT + 2 * MAX_CASE_WAIT, "other", "")


def test_an_inbox_is_put_into_by_whoever_may_give_the_case_away() -> None:
    taken, _ = claim(OPEN, ONE, AT)

    with refused_with("case-taken"):
        put_into_inbox(taken, TWO, AT, "Containers")
    for case, by, may_take in ((OPEN, TWO, False), (taken, ONE, False), (taken, CHIEF, True)):
        put, event = put_into_inbox(case, by, AT, "Containers", may_take=may_take)
        assert (put.team, put.owner, put.status) == ("Containers", None, "open")
        assert event.changed["team"] == (None, "Containers")
        assert undo(put, by, AT, event, case)[0] == case
    proposed, _ = order(taken, ONE, AT, HOLD)
    assert put_into_inbox(proposed, TWO, AT, "Containers")[0].status == "action_proposed"


def test_whoever_has_a_case_escalates_it_once_and_takes_it_back() -> None:
    mine = claim(OPEN, ONE, AT)[0]
    case, event = escalate(mine, ONE, AT, WORDS)

    assert (case.owner, event.text) == (ONE, WORDS)
    assert case.escalation is not None
    assert undo(case, ONE, AT, event, mine)[0] == mine
    with refused_with("already-escalated"):
        escalate(case, ONE, AT, WORDS)
    with refused_with("not-yours"):
        escalate(mine, TWO, AT, WORDS)
    with refused_with("case-closed"):
        escalate(order(mine, ONE, AT, RELEASE)[0], ONE, AT, WORDS)
    assert escalate(mine, SERVICE, AT, "")[0].escalation is not None


def test_an_escalation_counts_until_another_has_the_case_or_something_is_ordered() -> None:
    free, _ = escalate(OPEN, ONE, AT, WORDS)
    own = claim(free, ONE, AT)[0]
    for still in (
        own,
        give_back(own, ONE, AT)[0],
        note(own, TWO, AT, "seen")[0],
    ):
        assert still.escalation == free.escalation
    proposed = order(own, ONE, AT, HOLD)[0]
    assert proposed.escalation == free.escalation
    ended = (
        claim(free, TWO, AT)[0],
        assign(own, TWO, AT, TWO, may_take=True)[0],
        order(own, ONE, AT, INSPECT)[0],
        order(own, ONE, AT, RELEASE)[0],
    )
    assert [case.escalation for case in ended] == [None] * len(ended)
