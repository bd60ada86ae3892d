"""Whom the world's inspectors look at, and with what probability it says so."""

import numpy as np
import pytest

from synthetic.corridors import ROAD, SEA
from synthetic.inspection import (
    DISCRETION,
    ENOUGH_POINTS,
    INTELLIGENCE,
    POINTS,
    RANDOM,
    RULE,
    InspectionSelection,
    selected,
    sensitivity,
)
from synthetic.scenario import Scenario

SUBJECTS = 200_000
SIGNS = ("off_hours", "cash", *POINTS["shipment"])


def inspections(*, tip_probability: float, has_signs: bool) -> InspectionSelection:
    """Of very many subjects that are all alike."""
    return selected(
        np.random.default_rng(3),
        "shipment",
        Scenario(random_inspections=0.1),
        signs={name: np.full(SUBJECTS, has_signs) for name in SIGNS},
        office_share=np.full(SUBJECTS, 0.5),
        tip_probability=np.full(SUBJECTS, tip_probability),
    )


@pytest.mark.parametrize("has_signs", [False, True])
@pytest.mark.parametrize("tip_probability", [0.0, 0.5])
def test_the_recorded_probability_is_that_of_being_inspected_by_draw_or_rule(
    tip_probability: float, has_signs: bool
) -> None:
    chosen = inspections(tip_probability=tip_probability, has_signs=has_signs)
    assert (sum(POINTS["shipment"].values()) >= ENOUGH_POINTS) is True

    is_left = chosen.by != INTELLIGENCE
    is_drawn = np.isin(chosen.by, (RANDOM, RULE))
    (recorded,) = np.unique(chosen.probability[is_drawn])
    error = np.sqrt(recorded * (1 - recorded) / is_left.sum())
    assert abs(is_drawn[is_left].mean() - recorded) < 4 * error
    assert np.isnan(chosen.probability[~is_drawn]).all()


def test_tips_come_first_so_that_neither_draw_nor_rule_takes_any_of_them() -> None:
    """A tip is as probable of subjects that every rule hits as of those that none does."""
    with_signs, without = (
        (inspections(tip_probability=0.5, has_signs=has).by == INTELLIGENCE).mean()
        for has in (True, False)
    )
    assert with_signs == without == pytest.approx(0.5, abs=0.005)


def test_discretion_takes_only_of_what_draws_and_rules_left() -> None:
    chosen = inspections(tip_probability=0.0, has_signs=True)
    is_left = ~np.isin(chosen.by, (INTELLIGENCE, RANDOM, RULE))
    noticed = (chosen.by == DISCRETION)[is_left].mean()
    assert noticed == pytest.approx(0.006 + 0.014 + 0.006, abs=0.002)


MONDAY, SATURDAY = 5, 3  # 6 and 4 January 2025


def test_less_is_found_on_ships_than_on_lorries_and_at_weekends_than_on_weekdays() -> None:
    def chance_to_find(lane: int, day: int, **keys: float) -> float:
        scenario = Scenario(season=0.0, **keys)  # type: ignore[arg-type]
        return float(sensitivity(scenario, 0.7, np.array([lane]), np.array([day]))[0])

    assert chance_to_find(SEA, MONDAY) < chance_to_find(ROAD, MONDAY) == pytest.approx(0.7)
    assert chance_to_find(ROAD, SATURDAY) < 0.9 * chance_to_find(ROAD, MONDAY)
    assert chance_to_find(SEA, SATURDAY, sensitivity_spread=0.0) == pytest.approx(0.7)


def test_less_is_found_in_the_busy_season() -> None:
    found = sensitivity(Scenario(season=0.5), 0.7, np.array([ROAD, ROAD]), np.array([19, 201]))
    assert found[1] < 0.75 * found[0]
