"""While something drifts more is drawn at random: within bounds, for a time, and on the record."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from serving.errors import LogUnavailable
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.repositories.alert_repository import AlertRepository
from serving.triage.control_probability import explored
from serving.triage.lanes import Lanes, PlacementRequest
from serving.triage.raised_control_draws import POLL_INTERVAL, CurrentExploration, Exploration

NOW = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
REFERENCE = [n / 1_000 for n in range(1_000)]


def exploration(factor: float, begins: datetime = NOW, days: int = 14) -> Exploration:
    """A row of the book."""
    ends = begins + timedelta(days=days)
    return Exploration("shipment", begins, ends, factor, "a test")


def control_probability(lanes: Lanes, at: datetime, kind: str = "shipment") -> float:
    """What a subject that nothing selects is drawn with."""
    placed = lanes.place(PlacementRequest(kind, "S-1", None, at, 0.1), REFERENCE)  # type: ignore[arg-type]  # a kind
    return placed.probabilities["control"]


def test_the_control_draw_follows_the_newest_exploration_and_returns(tmp_path: Path) -> None:
    book = AlertRepository(open_database(tmp_path / "log.db", is_service=False))
    usual = Settings(home=tmp_path).control_probability
    lanes = Lanes.from_settings(Settings(home=tmp_path), (), book.exploration)
    before = control_probability(lanes, NOW - timedelta(hours=1))
    book.explore(exploration(2.0))

    raised = control_probability(lanes, NOW + POLL_INTERVAL)
    other_kind = control_probability(lanes, NOW + POLL_INTERVAL, "route")
    lapsed = control_probability(lanes, NOW + timedelta(days=15))
    book.explore(exploration(1.0, NOW + timedelta(minutes=5)))
    ended = control_probability(lanes, NOW + timedelta(minutes=10))

    assert before == other_kind == lapsed == ended == pytest.approx(usual)
    assert raised == pytest.approx(2 * usual)


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.0, 3.0, 1e9])
def test_no_factor_draws_less_than_usual_or_more_than_the_bound(factor: float) -> None:
    for usual in (0.001, 0.01, 0.19, 0.5, 1.0):
        assert usual <= explored(usual, factor) <= max(usual, 0.2)
        if factor > 1:
            assert explored(usual, factor) >= min(3 * usual, 0.2)


def test_a_book_that_cannot_be_read_changes_nothing() -> None:
    answers = iter([exploration(3.0)])

    def newest(_: str) -> Exploration:
        found = next(answers, None)
        if found is None:
            raise LogUnavailable("the database failed")
        return found

    exploring = CurrentExploration(newest)

    assert exploring.factor("shipment", NOW) == 3
    assert exploring.factor("shipment", NOW + 2 * POLL_INTERVAL) == 3
    assert exploring.factor("shipment", NOW + timedelta(days=20)) == 1


def test_the_book_is_read_once_a_minute_and_not_for_every_decision() -> None:
    asked: list[str] = []

    def newest(kind: str) -> None:
        asked.append(kind)

    exploring = CurrentExploration(newest)

    for second in range(120):
        exploring.factor("shipment", NOW + timedelta(seconds=second))

    assert len(asked) == 2
