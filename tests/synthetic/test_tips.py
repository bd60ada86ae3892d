"""Tips follow exposure, come in clusters, and say little about the truth."""

import numpy as np
import pandas as pd
import pytest

from synthetic.actors import CONSIGNEE
from synthetic.corridors import corridors
from synthetic.networks.life import lived
from synthetic.scenario import SCENARIOS, Scenario
from synthetic.tips import exposure_of_firms, exposure_of_networks
from synthetic.truth_check import effect_of_confirmation, subjects_with_truth, tip_findings

MOVEMENTS = 100_000


def exposure(**changed) -> np.ndarray:
    many = np.arange(MOVEMENTS)
    usual = {
        "network": many,
        "corridor": many % 300,
        "epoch": np.zeros(MOVEMENTS, dtype=np.int64),
        "at": np.full(MOVEMENTS, 100.0),
        "age": np.full(MOVEMENTS, 100.0),
    }
    return exposure_of_networks(Scenario(), 7, "route", **usual | changed)


def test_a_network_that_is_old_or_lost_partners_is_betrayed_more_often():
    usual = exposure().mean()
    assert exposure(age=np.zeros(MOVEMENTS)).mean() < 0.7 * usual
    assert exposure(epoch=np.full(MOVEMENTS, 3)).mean() > 1.5 * usual


def test_an_informant_talks_about_a_network_for_a_week():
    of_one = exposure(network=np.zeros(MOVEMENTS, dtype=np.int64), at=np.arange(MOVEMENTS) / 10)
    by_week = of_one.reshape(-1, 10)[:, 0]
    assert 0 < (of_one > 0.2).mean() < 0.5
    days = np.arange(0, MOVEMENTS // 10, 7)
    assert (by_week[days] == by_week[days + 1]).mean() > 0.95


def test_a_tip_is_as_probable_of_a_loaded_movement_as_of_an_empty_one():
    moves = [
        lived("shipment", corridors(), scenario=Scenario(), subjects=200_000, days=365, seed=seed)
        for seed in (7, 8)
    ]
    tipped = np.concatenate([m.selected_by == 2 for m in moves])
    loaded = np.concatenate([m.truth for m in moves])
    rates = [tipped[loaded].mean(), tipped[~loaded].mean()]
    error = np.sqrt(tipped.mean() / loaded.sum())
    assert tipped.mean() > 0.03
    assert abs(rates[0] - rates[1]) < 4 * error


def test_in_the_first_edition_tips_knew_the_truth():
    scenario = Scenario.read(SCENARIOS / "usual_2026.toml")
    moves = lived("route", corridors(), scenario=scenario, subjects=200_000, days=365, seed=7)
    is_tipped = moves.selected_by == 2
    assert moves.probability[is_tipped].mean() > 2 * moves.probability[~is_tipped].mean()
    assert is_tipped[moves.probability > 0.9].mean() > 0.8


def test_a_firm_is_denounced_for_a_week_and_an_old_one_more_often():
    slots = np.arange(MOVEMENTS)
    corridor, day = np.zeros(MOVEMENTS, dtype=np.int64), np.full(MOVEMENTS, 100)
    first, same_week, later = (
        exposure_of_firms(Scenario(), 7, CONSIGNEE, slots, corridor, day + more) > 0
        for more in (0, 1, 70)
    )
    assert 0.001 < first.mean() < 0.01
    assert same_week[first].mean() > 0.95
    assert later[first].mean() < 0.1
    assert not exposure_of_firms(Scenario(tips=0.0), 7, CONSIGNEE, slots, corridor, day).any()


@pytest.mark.parametrize(("kind", "party"), [("route", "carrier_id"), ("shipment", "consignee_id")])
def test_few_tips_are_right_and_they_cover_little_smuggling(world, other_world, kind, party):
    found = [tip_findings(subjects_with_truth(w, kind), party) for w in (world, other_world)]
    mean = {name: np.mean([each[name] for each in found]) for name in found[0]}
    assert 0.06 < mean["right"] < 0.3
    assert 0.02 < mean["of_smuggling"] < 0.12
    assert mean["in_clusters"] > mean["in_clusters_by_chance"] + 0.03


def planted(rows: list[tuple[str, int, float, str | None, int | None]]) -> pd.DataFrame:
    """Subjects of a firm, declared on a day, with a result known on a later day."""
    begin = pd.Timestamp("2025-01-01")
    names = ["consignee_id", "day", "true_probability", "outcome_result", "known_day"]
    of = pd.DataFrame(rows, columns=names)
    return of.assign(
        declared_at=begin + pd.to_timedelta(of.day, unit="D"),
        outcome_known_at=begin + pd.to_timedelta(of.known_day.astype(float), unit="D"),
    )


def test_a_confirmation_counts_from_when_it_is_known():
    subjects = planted(
        [
            ("a", 0, 0.1, "confirmed", 9),
            ("b", 1, 0.1, "not_confirmed", 2),
            ("a", 5, 0.1, None, None),
            ("b", 6, 0.1, None, None),
            ("a", 20, 0.4, None, None),
            ("a", 300, 0.2, None, None),
        ]
    )
    found = effect_of_confirmation(subjects, "consignee_id")
    assert found["subjects"] == 2
    assert found["factor"] == pytest.approx(3.0)
    assert found["recent"] == pytest.approx(4.0)
    assert found["long_ago"] == pytest.approx(2.0)
