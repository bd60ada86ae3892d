"""What is taken back at once, and what stays."""

from datetime import datetime, timedelta

import pytest

from serving.access.actors import Actor
from serving.review.acts.agree import agree
from serving.review.acts.assign import assign
from serving.review.acts.claim import claim
from serving.review.acts.give_back import give_back
from serving.review.acts.order import order
from serving.review.acts.reopen import reopen
from serving.review.acts.state_result import state_result
from serving.review.acts.undo import undo
from serving.review.acts.wait import wait
from serving.review.cases.case_change import CaseChange
from serving.review.cases.case_state import Case
from tests.serving.people import ONE, TWO
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import FOUND, HOLD, INSPECT, NOTHING, RELEASE, result_of
from tests.serving.review.cases.states import (
    AT,
    CLOSED,
    HELD,
    JUDGING,
    LATER,
    MINE,
    OPEN,
    ORDERED,
    TICK,
    TO_OFFICE,
)


def undone(change: CaseChange, before: Case, by: Actor = ONE, at: datetime = AT) -> CaseChange:
    """The last act taken back by somebody, at an instant."""
    after, done = change
    return undo(after, by, at, done, before)


@pytest.mark.parametrize(
    ("before", "change"),
    [
        (OPEN, claim(OPEN, ONE, AT)),
        (MINE, assign(MINE, ONE, AT, TWO)),
        (MINE, give_back(MINE, ONE, AT)),
        (MINE, wait(MINE, ONE, AT, LATER, "reply", "why")),
        (MINE, order(MINE, ONE, AT, RELEASE)),
        (MINE, order(MINE, ONE, AT, INSPECT)),
        (ORDERED, order(ORDERED, ONE, AT, HOLD)),
        (ORDERED, state_result(ORDERED, ONE, AT, FOUND)),
        (ORDERED, state_result(ORDERED, ONE, AT, result_of("not_carried_out"))),
    ],
)
def test_what_one_did_is_undone_by_them_within_ten_seconds(
    before: Case, change: CaseChange
) -> None:
    for after in (timedelta(), timedelta(seconds=10)):
        back, written = undone(change, before, at=AT + after)
        assert (back, written.action) == (before, "undo")
        assert written.changed == {
            name: (new, old) for name, (old, new) in change[1].changed.items()
        }
    for by, at in ((TWO, AT), (ONE, AT + timedelta(seconds=10) + TICK)):
        with refused_with("undo-refused"):
            undone(change, before, by, at)


@pytest.mark.parametrize(
    ("before", "change", "by"),
    [
        (ORDERED, state_result(ORDERED, ONE, AT, NOTHING), ONE),
        (JUDGING, agree(JUDGING, TWO, AT), TWO),
        (HELD, agree(HELD, TWO, AT), TWO),
        (MINE, order(MINE, ONE, AT, TO_OFFICE), ONE),
        (CLOSED, reopen(CLOSED, ONE, AT, "new facts"), ONE),
    ],
)
def test_what_is_on_record_elsewhere_or_of_two_persons_is_not_undone(
    before: Case, change: CaseChange, by: Actor
) -> None:
    with refused_with("undo-refused"):
        undone(change, before, by)
