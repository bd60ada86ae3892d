"""What people say of a case: it is written down, and changes nothing."""

from collections.abc import Callable

import pytest

from serving.errors import Conflict
from serving.review.acts import remark_rules
from serving.review.acts.attachments import AttachedFile
from serving.review.cases.case_change import CaseChange, CaseEvent
from serving.review.cases.case_state import Case
from serving.review.errors import CaseNotClosed
from tests.serving.people import ONE, TWO
from tests.serving.review.cases.states import AT, CLOSED, CONFIRMED, MINE, event


@pytest.mark.parametrize(
    ("acted", "after", "written"),
    [
        (remark_rules.note(CLOSED, ONE, AT, "seen"), CLOSED, event("note", "seen")),
        (
            remark_rules.mark_reason(MINE, ONE, AT, "D10", "wrong"),
            MINE,
            event("mark_reason", "D10: wrong"),
        ),
        (
            remark_rules.reread(CLOSED, TWO, AT, "release"),
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
            lambda: remark_rules.reread(MINE, TWO, AT, "release"),
            CaseNotClosed,
            "closed case is read again",
        ),
        (lambda: remark_rules.reread(CLOSED, ONE, AT, "release"), Conflict, "what you ended"),
        (lambda: remark_rules.reread(CONFIRMED, ONE, AT, "release"), Conflict, "you ended"),
        (lambda: remark_rules.reread(CONFIRMED, TWO, AT, "release"), Conflict, "you ended"),
    ],
)
def test_a_case_is_read_again_once_it_ended_and_by_nobody_who_ended_it(
    act: Callable[[], CaseChange], refusal: type[Exception], words: str
) -> None:
    with pytest.raises(refusal, match=words):
        act()


def test_an_attached_file_is_written_down_and_changes_no_case() -> None:
    file = AttachedFile("0" * 64, "list.pdf", "application/pdf", 9)

    assert remark_rules.attach(CLOSED, ONE, AT, file) == (
        CLOSED,
        event("attach", "list.pdf", attachment=(None, vars(file))),
    )
