"""What is true of a case: what it waits for, and from whom a proposal is hidden."""

from dataclasses import replace

import pytest

from serving.review.acts.wait import wait
from serving.review.cases.case_state import Amendment, Case, status_at
from tests.serving.people import CHIEF, ONE, TWO
from tests.serving.review.cases.stated import NOTHING, PROTECT, RELEASE
from tests.serving.review.cases.states import (
    AT,
    CLOSED,
    CONFIRMED,
    HOLDING,
    JUDGING,
    KEY,
    LATER,
    MINE,
    OPEN,
    ORDERED,
    PROPOSED,
    SECOND,
    TICK,
)


def test_what_a_first_person_said_is_hidden_from_whoever_may_be_second_until_they_said_theirs() -> (
    None
):
    for proposed in (HOLDING, PROPOSED):
        assert not proposed.hides_proposal_from(ONE)
        for reader in (TWO, CHIEF, KEY):
            assert proposed.hides_proposal_from(reader)
    assert SECOND.hides_proposal_from(TWO)
    assert not JUDGING.hides_proposal_from(TWO)
    assert JUDGING.hides_proposal_from(CHIEF)
    assert not CONFIRMED.hides_proposal_from(CHIEF)


@pytest.mark.parametrize("before", [MINE, ORDERED, replace(SECOND, owner=TWO)])
def test_what_waits_is_from_its_end_on_what_it_was_before(before: Case) -> None:
    assert before.owner is not None
    waiting, _ = wait(before, before.owner, AT, LATER, "arrival", "why")

    assert status_at(waiting, LATER - TICK) == "waiting"
    assert status_at(waiting, LATER) == before.status
    assert status_at(waiting, LATER + TICK) == before.status


@pytest.mark.parametrize("case", [OPEN, MINE, ORDERED, PROPOSED, CLOSED])
def test_no_time_changes_a_case_that_does_not_wait(case: Case) -> None:
    assert status_at(case, LATER) == case.status
    assert status_at(replace(case, waiting_until=AT), LATER) == case.status


@pytest.mark.parametrize(
    ("told", "later", "is_news"),
    [
        (None, Amendment(1, AT), True),
        (None, Amendment(0, AT), False),
        (Amendment(2, AT), Amendment(3, AT), True),
        (Amendment(2, AT), Amendment(2, LATER), False),
        (Amendment(3, AT), Amendment(2, LATER, is_withdrawn=True), False),
        (Amendment(2, AT), Amendment(2, AT, is_withdrawn=True), True),
        (Amendment(2, AT, is_withdrawn=True), Amendment(2, AT), False),
        (Amendment(2, AT, is_withdrawn=True), Amendment(3, AT), True),
    ],
)
def test_a_case_is_told_of_a_later_version_and_of_its_withdrawal_once(
    told: Amendment | None, later: Amendment, is_news: bool
) -> None:
    assert later.follows(told) == is_news


def test_released_is_what_people_let_go_and_nobody_looked_at() -> None:
    released = Case("c", "closed", ONE, action=RELEASE, ended_by=(ONE,))

    assert released.is_released
    for other in (
        replace(released, status="open"),
        replace(released, result=NOTHING),
        replace(released, action=PROTECT),
        replace(released, action=None),
    ):
        assert not other.is_released
