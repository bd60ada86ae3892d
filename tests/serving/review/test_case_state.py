"""What is true of a case: what it waits for, and from whom a proposal is hidden."""

from dataclasses import replace

import pytest

from serving.review import owner_rules
from serving.review.case_state import Case, status_at
from tests.serving.people import CHIEF, ONE, TWO
from tests.serving.review.states import (
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
    waiting, _ = owner_rules.wait(before, before.owner, AT, LATER, "arrival", "why")

    assert status_at(waiting, LATER - TICK) == "waiting"
    assert status_at(waiting, LATER) == before.status
    assert status_at(waiting, LATER + TICK) == before.status


@pytest.mark.parametrize("case", [OPEN, MINE, ORDERED, PROPOSED, CLOSED])
def test_no_time_changes_a_case_that_does_not_wait(case: Case) -> None:
    assert status_at(case, LATER) == case.status
    assert status_at(replace(case, waiting_until=AT), LATER) == case.status
