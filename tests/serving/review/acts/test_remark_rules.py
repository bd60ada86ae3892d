"""What people say of a case: it is written down, and changes nothing."""

from collections.abc import Callable

import pytest

from serving.errors import Conflict
from serving.review.acts.mark_reason import mark_reason
from serving.review.acts.note import note
from serving.review.acts.rereadings import reread
from serving.review.cases.case_change import CaseChange, CaseEvent
from serving.review.cases.case_state import Case
from tests.serving.people import ONE, TWO
from tests.serving.review.cases.states import AT, CLOSED, CONFIRMED, MINE, event


@pytest.mark.parametrize(
    ("acted", "after", "written"),
    [
        (note(CLOSED, ONE, AT, "seen"), CLOSED, event("note", "seen")),
        (
            mark_reason(MINE, ONE, AT, "D10", "wrong"),
            MINE,
            event("mark_reason", "D10: wrong"),
        ),
        (
            reread(CLOSED, TWO, AT, "release"),
            CLOSED,
            event("reread", "release", actor=TWO),
        ),
    ],
)
def test_a_remark_is_written_down_and_changes_nothing(
    acted: CaseChange, after: Case, written: CaseEvent
) -> None:
    assert acted == (after, written)


@pytest.mark.parametrize(
    ("act", "refusal", "words"),
    [
        (
            lambda: reread(MINE, TWO, AT, "release"),
            Conflict,
            "closed case is read again",
        ),
        (lambda: reread(CLOSED, ONE, AT, "release"), Conflict, "what you ended"),
        (lambda: reread(CONFIRMED, ONE, AT, "release"), Conflict, "you ended"),
        (lambda: reread(CONFIRMED, TWO, AT, "release"), Conflict, "you ended"),
    ],
)
def test_a_case_is_read_again_once_it_ended_and_by_nobody_who_ended_it(
    act: Callable[[], CaseChange], refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        act()
