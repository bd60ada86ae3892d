from pathlib import Path

import numpy as np
import pytest

from features.errors import TidegateError
from synthetic.corridors import corridors
from synthetic.inspection import NOT_SELECTED, RANDOM
from synthetic.journeys import drafted_journeys, journey_table
from synthetic.networks.catalogue import typologies_of
from synthetic.plan import plan_world
from synthetic.scenario import SCENARIOS, Scenario


@pytest.mark.parametrize("file", sorted(SCENARIOS.glob("*.toml")), ids=lambda file: file.stem)
def test_every_shipped_scenario_can_be_read_and_planned(file):
    plan = plan_world(Scenario.read(file), 3_000, 120, 5)
    assert plan.chapters >= 1


def test_a_shipped_scenario_is_found_by_its_name():
    assert Scenario.read(Path("regime_change")) == Scenario.read(SCENARIOS / "regime_change.toml")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("base_rate = 0.4", ["base_rate", "0.005", "0.1"]),
        ("base_rate = 'much'", ["base_rate", "0.005", "0.1"]),
        ("base_rate = true", ["base_rate", "number"]),
        ("base_rates = 0.02", ["base_rates", "base_rate", "season"]),
        ("drift = 'sudden'", ["drift", "payments", "corridors"]),
        ("closed_region = ['x']", ["closed_region", "Northern Africa"]),
        ("missing = nan", ["missing", "0.5"]),
        ("not toml", ["TOML"]),
    ],
)
def test_a_bad_scenario_names_the_key_and_what_it_may_be(tmp_path, text, says):
    file = tmp_path / "bad.toml"
    file.write_text(text)
    with pytest.raises(TidegateError) as error:
        Scenario.read(file)
    assert all(part in str(error.value) for part in [str(file), *says])


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("tips_from_truth = 0.5", ["tips", "tips_from_truth"]),
        ("closed_region = 'Northern Africa'", ["closed_region", "regime_at"]),
        ("regime_factor = 2.0", ["regime_factor", "regime_at"]),
    ],
)
def test_a_contradictory_scenario_names_the_keys_in_conflict(tmp_path, text, keys):
    file = tmp_path / "contradictory.toml"
    file.write_text(text)
    with pytest.raises(TidegateError, match="contradict") as error:
        Scenario.read(file)
    assert all(key in str(error.value) for key in keys)


def test_a_missing_scenario_names_the_shipped_ones(tmp_path):
    with pytest.raises(TidegateError, match="payments_drift"):
        Scenario.read(tmp_path / "none.toml")


def test_a_higher_base_rate_makes_more_movements():
    few, many = (
        len(plan_world(Scenario(base_rate=rate), 20_000, 365, 7).routes.at_day)
        for rate in (0.01, 0.04)
    )
    assert many > 3 * few


def test_a_closed_region_is_left_by_networks_after_it_has_closed():
    scenario = Scenario(regime_at=0.5, closed_region="Northern Africa")
    plan = plan_world(scenario, 30_000, 200, 7)
    moves, ways = plan.routes, plan.ways
    from_there = ways.region[ways.origin_country[moves.corridor]] == "Northern Africa"
    before, after = (from_there[late].mean() for late in (moves.at_day <= 100, moves.at_day > 100))
    assert before > 0.03
    assert after < before / 2


def worlds_with(drift):
    """What moves on routes in three worlds: in one, the lives of few networks decide it."""
    scenario = Scenario(drift=drift, drift_at=0.5)
    return [plan_world(scenario, 60_000, 300, seed).routes for seed in (7, 8, 9)]


def test_payments_drift_turns_networks_away_from_cash_after_the_drift():
    usual, drifted = (worlds_with(drift) for drift in ("none", "payments"))

    def paid_in_cash(worlds, is_after):
        shown = [moves.signs["cash"][(moves.at_day > 150) == is_after] for moves in worlds]
        return np.concatenate(shown).mean()

    before = [paid_in_cash(worlds, is_after=False) for worlds in (usual, drifted)]
    cash = [paid_in_cash(worlds, is_after=True) for worlds in (usual, drifted)]
    assert cash[1] < 0.85 * cash[0]
    assert before[0] == pytest.approx(before[1], abs=0.03)


def test_a_regime_change_brings_more_movements_than_before():
    moves = plan_world(
        Scenario(regime_at=0.5, regime_factor=3.0, history_days=0), 60_000, 300, 7
    ).routes
    assert (moves.at_day > 180).sum() > 1.3 * (moves.at_day < 120).sum()


def test_a_world_without_capacity_inspects_at_random_alone():
    plan = plan_world(Scenario(inspection_capacity=0.0), 30_000, 200, 7)
    subjects = drafted_journeys(plan, 0).subjects
    assert set(np.unique(subjects.selected_by)) == {NOT_SELECTED, RANDOM}


def test_the_share_of_missing_data_is_the_scenarios():
    plan = plan_world(Scenario(missing=0.4), 3_000, 90, 7)
    table = journey_table(plan, 0, drafted_journeys(plan, 0))
    for column in ("certified_capacity", "declared_cargo_mass_kg"):
        assert table[column].null_count / table.num_rows == pytest.approx(0.4, abs=0.05)
    for column in ("journey_id", "declared_at", "carrier_id"):
        assert table[column].null_count == 0


def test_a_year_before_day_one_moves_as_often_as_the_world_itself():
    plan = plan_world(Scenario(season=0.0), 40_000, 365, 7)
    before, after = plan.honest_shipments[:365].sum(), plan.honest_shipments[365:].sum()
    assert (plan.first_day, plan.days) == (-365, 365)
    assert before == pytest.approx(after, rel=0.02)
    moved = np.histogram(plan.shipments.at_day, [-365, 0, 365])[0]
    assert moved[0] == pytest.approx(moved[1], rel=0.3)


def test_a_history_is_never_longer_than_its_world_and_may_be_none():
    assert plan_world(Scenario(), 3_000, 30, 7).first_day == -30
    assert plan_world(Scenario(history_days=0), 3_000, 30, 7).first_day == 0


def test_a_strong_season_shows_in_how_much_moves():
    level, strong = (
        plan_world(Scenario(season=season), 40_000, 365, 7).honest_journeys for season in (0.0, 0.9)
    )
    months = [days[:360].reshape(12, 30).sum(axis=1) for days in (level, strong)]
    assert months[0].max() < 1.15 * months[0].min()
    assert months[1].max() > 5 * months[1].min()


@pytest.mark.parametrize(("drift", "what"), [("typologies", "typology"), ("corridors", "corridor")])
def test_a_drift_changes_what_it_names_after_it_and_nothing_before(drift, what):
    usual, drifted = (worlds_with(name) for name in ("none", drift))

    def shares(worlds, is_after):
        # Some networks of before the drift go on for weeks after it.
        values = np.concatenate(
            [
                getattr(moves, what)[moves.at_day > 200 if is_after else moves.at_day <= 150]
                for moves in worlds
            ]
        )
        return np.bincount(values, minlength=len(corridors().lane)) / len(values)

    before, after = (
        np.abs(shares(usual, is_after) - shares(drifted, is_after)).sum() / 2
        for is_after in (False, True)
    )
    assert after > 0.25
    assert before < after / 2


@pytest.mark.parametrize("drift", ["all_typologies", "late_typologies"])
def test_all_networks_hand_over_at_once_and_move_as_often(drift):
    usual, drifted = (
        plan_world(Scenario(drift=name, drift_at=0.5, history_days=0), 200_000, 300, 7).shipments
        for name in ("none", drift)
    )
    late = np.array([t.is_late for t in typologies_of("shipment")])
    before, after = drifted.at_day < 150, drifted.at_day > 150

    assert not set(drifted.network[before]) & set(drifted.network[after])
    assert len(drifted.at_day) == pytest.approx(len(usual.at_day), rel=0.1)
    moves = [
        np.sum((usual.at_day > 160) & (usual.at_day < 240)),
        np.sum(after & (drifted.at_day > 160) & (drifted.at_day < 240)),
    ]
    assert moves[1] == pytest.approx(moves[0], rel=0.25)
    assert not late[drifted.typology[before]].any()
    assert late[drifted.typology[after]].all() == (drift == "late_typologies")
