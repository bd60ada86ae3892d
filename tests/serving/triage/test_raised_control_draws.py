"""When the book of explorations is read, and from when until when one counts."""

from datetime import UTC, datetime, timedelta

import pytest

from serving.errors import LogUnavailable
from serving.triage.raised_control_draws import CurrentExploration, Exploration

BEGINS = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
ENDS = BEGINS + timedelta(days=14)
TICK = timedelta(microseconds=1)


def exploration(factor: float) -> Exploration:
    """Two weeks in which the draw is so many times as probable."""
    return Exploration("shipment", BEGINS, ENDS, factor, "a test")


@pytest.mark.parametrize(
    ("at", "factor"),
    [
        (BEGINS - timedelta(seconds=1), 1.0),
        (BEGINS, 3.0),
        (ENDS - timedelta(seconds=1), 3.0),
        (ENDS, 1.0),
    ],
)
def test_an_exploration_counts_from_its_beginning_and_no_longer_at_its_end(
    at: datetime, factor: float
) -> None:
    assert CurrentExploration(lambda _: exploration(3.0)).factor("shipment", at) == factor


@pytest.mark.parametrize(("stored", "factor"), [(0.0, 1.0), (0.5, 1.0), (1.0, 1.0), (1.5, 1.5)])
def test_no_exploration_makes_the_draw_less_probable(stored: float, factor: float) -> None:
    assert CurrentExploration(lambda _: exploration(stored)).factor("shipment", BEGINS) == factor


def test_without_an_exploration_the_draw_is_as_usual() -> None:
    assert CurrentExploration(lambda _: None).factor("shipment", BEGINS) == 1


class Book:
    """A book that counts how often it is read, of which kind, and fails when it is told to."""

    def __init__(self) -> None:
        self.factor = 2.0
        self.is_down = False
        self.asked: list[str] = []

    def newest(self, kind: str) -> Exploration:
        self.asked.append(kind)
        if self.is_down:
            raise LogUnavailable("the database failed")
        return exploration(self.factor)


@pytest.mark.parametrize(
    ("later", "factor"),
    [
        (timedelta(0), 2.0),
        (timedelta(minutes=1) - TICK, 2.0),
        (timedelta(minutes=1), 5.0),
        (timedelta(hours=1), 5.0),
    ],
)
def test_a_book_is_read_again_after_a_minute_and_not_before(
    later: timedelta, factor: float
) -> None:
    book = Book()
    exploring = CurrentExploration(book.newest)
    exploring.factor("shipment", BEGINS)
    book.factor = 5.0

    assert exploring.factor("shipment", BEGINS + later) == factor
    assert len(book.asked) == (1 if factor == 2.0 else 2)


def test_a_book_is_read_again_where_the_clock_went_back() -> None:
    book = Book()
    exploring = CurrentExploration(book.newest)
    exploring.factor("shipment", BEGINS + timedelta(seconds=30))
    book.factor = 5.0

    assert exploring.factor("shipment", BEGINS + timedelta(seconds=30) - TICK) == 5


def test_each_kind_has_an_exploration_of_its_own() -> None:
    book = Book()
    exploring = CurrentExploration(book.newest)

    exploring.factor("shipment", BEGINS)
    exploring.factor("route", BEGINS)
    exploring.factor("shipment", BEGINS)

    assert book.asked == ["shipment", "route"]


def test_a_book_that_fails_is_asked_again_in_a_minute_and_what_was_known_holds() -> None:
    book = Book()
    exploring = CurrentExploration(book.newest)
    exploring.factor("shipment", BEGINS)
    book.is_down, book.factor = True, 5.0

    later = BEGINS + timedelta(minutes=2)
    assert exploring.factor("shipment", later) == 2
    assert exploring.factor("shipment", later + timedelta(seconds=59)) == 2
    assert len(book.asked) == 2
    book.is_down = False
    assert exploring.factor("shipment", later + timedelta(seconds=60)) == 5
