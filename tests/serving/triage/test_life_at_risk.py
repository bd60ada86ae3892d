"""Signs that lives are at risk: more persons on board than a craft is certified for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.triage.life_at_risk import life_at_risk, overcrowding
from tests.serving.bodies import route, shipment, submission


@pytest.mark.parametrize(
    ("persons", "capacity", "signal"),
    [
        (13.0, 12.0, "13 persons on board of a conveyance certified for 12"),
        (12.0, 12.0, None),
        (11.0, 12.0, None),
        (1.0, 0.0, "1 persons on board of a conveyance certified for 0"),
        (0.0, 0.0, None),
        (None, 12.0, None),
        (13.0, None, None),
        (None, None, None),
    ],
)
def test_one_person_more_than_is_certified_is_a_sign_and_the_unknown_is_none(
    persons: float | None, capacity: float | None, signal: str | None
) -> None:
    assert overcrowding(persons, capacity) == signal


@given(st.integers(0, 10_000), st.integers(0, 10_000))
def test_whoever_is_not_certified_for_is_at_risk(persons: int, capacity: int) -> None:
    assert (overcrowding(persons, capacity) is not None) == (persons > capacity)


def test_the_journey_of_whatever_is_submitted_is_looked_at() -> None:
    crowded = {"certified_capacity": 12, "persons_on_board": 41}
    signal = "41 persons on board of a conveyance certified for 12"
    on_board = shipment()
    on_board["journey"] |= crowded
    ashore = shipment()
    ashore["journey"] = None
    ashore["legs"] = []

    assert life_at_risk(submission(route(**crowded))) == signal
    assert life_at_risk(submission(on_board)) == signal
    assert life_at_risk(submission(ashore)) is None
