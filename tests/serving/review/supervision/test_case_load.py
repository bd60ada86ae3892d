"""How many cases wait, how old they are, which were decided in time, and the cases behind each."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from serving.review.cases.case_records import CaseTimes
from serving.review.supervision.case_load import NO_OFFICE, CaseLoad, Which, by_lane, by_office
from serving.review.supervision.supervision import CaseEnd
from training.confidence_intervals import Estimate, proportion

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
SPAN = (NOW - timedelta(days=30), NOW)


def at(hours: float) -> datetime:
    return NOW + timedelta(hours=hours)


def case(
    case_id: str, opened: float, due: float, decided: float | None, *, is_waiting: bool = False
) -> CaseTimes:
    """An inspection; hours are counted from now."""
    decided_at = None if decided is None else at(decided)
    return CaseTimes(case_id, "one", "inspect", at(opened), at(due), is_waiting, decided_at)


CASES = (
    case("in time", -10, -2, -6),
    case("on the dot", -10, -4, -4),
    case("late", -10, -4, -3),
    case("never", -10, -1, None, is_waiting=True),
    case("in hand", -8, 5, None, is_waiting=True),
    case("over at its opening", -10, -11, -9),
    case("of before", -24 * 31, -24 * 30, None, is_waiting=True),
    replace(case("afterwards", -10, -9, -1), lane="post_review"),
)
ENDS = (
    CaseEnd("in time", "inspect", "one", "goods_found"),
    CaseEnd("late", "control", None, "nothing_found"),
    CaseEnd("a", "document_check", "two", "documents_irregular"),
    CaseEnd("b", "document_check", "two", "documents_in_order"),
    CaseEnd("c", "inspect", "one", "inconclusive"),
    CaseEnd("d", "inspect", "one", "not_carried_out"),
    CaseEnd("e", "inspect", "one", "a code of later"),
)
LOAD = CaseLoad(CASES, ENDS, SPAN, NOW)


def test_of_cases_that_could_be_decided_in_time_the_share_that_was() -> None:
    figures = LOAD.figures()

    assert (figures.limited, figures.late) == (4, 2)
    assert figures.in_time == proportion(2, 4)
    assert (figures.opened, figures.decided) == (7, 5)


def test_a_waiting_case_counts_whenever_it_was_opened_and_the_oldest_has_its_age() -> None:
    figures = LOAD.figures("somebody")

    assert (figures.group, figures.waiting, figures.overdue) == ("somebody", 3, 2)
    assert figures.oldest_hours == 24 * 31
    assert figures.median_hours == 6


def test_nothing_has_no_figures() -> None:
    figures = CaseLoad((), (), SPAN, NOW).figures()

    assert (figures.in_time, figures.found) == (Estimate(None), Estimate(None))
    assert (figures.median_hours, figures.oldest_hours) == (None, None)


def test_what_was_found_is_a_share_of_what_was_settled() -> None:
    figures = LOAD.figures()

    assert (figures.finds, figures.results) == (2, 4)
    assert figures.found == proportion(2, 4)


@pytest.mark.parametrize(
    ("which", "behind"),
    [
        ("waiting", ["never", "in hand", "of before"]),
        ("overdue", ["never", "of before"]),
        ("late", ["late", "never"]),
        ("found", ["in time", "a"]),
        ("not_found", ["late", "b"]),
        (
            "decided",
            ["in time", "on the dot", "late", "over at its opening", "afterwards"],
        ),
    ],
)
def test_behind_each_figure_stand_as_many_cases_as_it_says(which: Which, behind: list[str]) -> None:
    assert LOAD.behind(which) == behind
    figures = LOAD.figures()
    counted = {"found": figures.finds, "not_found": figures.results - figures.finds}
    assert len(behind) == counted.get(which, getattr(figures, which, None))


def test_what_was_opened_is_behind_its_figure() -> None:
    assert len(LOAD.behind("opened")) == LOAD.figures().opened
    assert "of before" not in LOAD.behind("opened")


def test_a_control_case_is_counted_among_inspections() -> None:
    assert [each.group for each in by_lane(LOAD)] == ["document_check", "inspect", "post_review"]
    inspections = next(each for each in by_lane(LOAD) if each.group == "inspect")
    assert (inspections.finds, inspections.results) == (1, 2)


def test_offices_share_the_cases_and_those_of_none_are_a_group() -> None:
    offices = by_office(LOAD)

    assert [each.group for each in offices] == [NO_OFFICE, "one", "two"]
    assert sum(each.results for each in offices) == LOAD.figures().results
    assert [each.opened for each in offices] == [0, 7, 0]
    assert NO_OFFICE in [each.group for each in by_office(CaseLoad((), ENDS, SPAN, NOW))]
