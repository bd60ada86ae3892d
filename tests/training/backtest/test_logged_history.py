"""What a policy would have found in logged history is estimated from what was really inspected."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.training.planted import INPUTS, instant
from training.backtest.backtest_page import render_backtest
from training.backtest.history import History
from training.backtest.ledger import PolicyReplay
from training.backtest.policy import Policy
from training.backtest.policy_figures import PolicyFigures, figures_of_policies
from training.backtest.replay_policy import replay_policy
from training.backtest.replayed_traffic import ReplayedTraffic
from training.data.training_set import TrainingSet
from training.outcomes import Texts
from training.parameters import TreeParameters
from training.ranking import Floats

REDRAWS = 60
DRAWN = 0.15
EVERYTHING = {"capacity_share": 1.0, "exploration_share": 0.0}


def policy(**changed: object) -> Policy:
    usual: dict[str, object] = {
        "begins": instant("2025-05-01"),
        "weeks": 20,
        "capacity_share": 0.2,
        "capacity_of": "all",
        "trees": TreeParameters(trees=10, leaves=4, early_stopping_rounds=0),
    }
    return Policy(**(usual | changed))  # type: ignore[arg-type]  # fields of a policy


@pytest.fixture(scope="module")
def logged(planted: Path) -> History:
    return History.logged(TrainingSet.read(planted, "shipment", INPUTS))


@pytest.fixture(scope="module")
def top(logged: History) -> PolicyReplay:
    return replay_policy("top", policy(), logged)


@pytest.fixture(scope="module")
def everything(logged: History) -> PolicyReplay:
    return replay_policy("everything", policy(**EVERYTHING), logged)


@pytest.fixture(scope="module")
def told(top: PolicyReplay) -> PolicyFigures:
    return figures_of_policies(top)


def chances(data: TrainingSet) -> Floats:
    """The planted world's own: high where it is cheap, late and from afar."""
    ratio = data.frame["value_per_kg_ratio"].fillna(0.0).abs()
    log_odds = -4.4 + 1.6 * ratio + 0.8 * data.frame["late_payments_30d"]
    return np.asarray(1 / (1 + np.exp(-log_odds)), dtype=np.float64)


def inspected_by_chance(history: History, truth: Floats, rng: np.random.Generator) -> History:
    """The history, had tips, a rule, draws and officers' discretion chosen whom they might."""
    data, size = history.data, len(truth)
    tipped = rng.random(size) < 0.9 * chances(data) ** 1.3
    by_rule = np.where(data.frame["late_payments_30d"] > 2, 0.6, 0.0)
    is_drawn, is_ruled = rng.random(size) < DRAWN, rng.random(size) < by_rule
    noticed = rng.random(size) < 0.03
    ways: Texts = np.full(size, None, dtype=object)
    for way, chosen in (
        ("discretion", noticed),
        ("rule", is_ruled),
        ("random", is_drawn),
        ("intelligence", tipped),
    ):
        ways[chosen] = way
    probability = 1 - (1 - DRAWN) * (1 - by_rule)
    outcomes = replace(
        data.outcomes,
        label=np.where(np.not_equal(ways, None), truth, np.nan),  # type: ignore[call-overload]  # an object column
        known_at=data.declared_at + np.timedelta64(5, "D"),
        selected_by=ways,
        selection_probability=np.where(np.isin(ways, ("rule", "random")), probability, np.nan),
    )
    return History.logged(replace(data, outcomes=outcomes))


@pytest.mark.parametrize("name", ["top", "everything"])
def test_intervals_hold_what_inspecting_everybody_would_have_found(
    logged: History, top: PolicyReplay, everything: PolicyReplay, name: str
) -> None:
    """A short version of the study `experiments/2026-11-27-figures-that-hold/notes.md`."""
    ledger = {"top": top, "everything": everything}[name]
    rng = np.random.default_rng(24)
    truth = (rng.random(len(logged.truth)) < chances(logged.data)).astype(np.float64)
    values, held = [], {"confirmed": 0, "precision": 0, "recall": 0}
    for _ in range(REDRAWS):
        history = inspected_by_chance(logged, truth, rng)
        traffic = ReplayedTraffic.from_replay(replace(ledger, history=history))
        exact = replace(traffic, truth=truth[traffic.rows], sample=None)
        found, true = traffic.found(traffic.selected), exact.found(traffic.selected)
        values.append(found.confirmed.value / true.confirmed.value)
        for figure in held:
            estimate, wanted = getattr(found, figure), getattr(true, figure).value
            held[figure] += estimate.low - 1e-9 <= wanted <= estimate.high + 1e-9
    # Three standard errors of sixty redraws below 95 %.
    assert all(times >= 0.866 * REDRAWS for times in held.values())
    assert np.mean(values) == pytest.approx(1, abs=0.05)


def test_inspecting_everybody_finds_everything_at_the_share_that_is_true_of_all(
    everything: PolicyReplay,
) -> None:
    told = figures_of_policies(everything)
    by_strata = next(each for each in told.prevalence if each.way == "stratified")
    assert told.inspected == told.subjects
    assert told.precision == by_strata.estimate
    assert told.recall.value == pytest.approx(1)
    assert told.lift.value == pytest.approx(1)


def test_nobody_stands_for_more_subjects_than_there_were(top: PolicyReplay) -> None:
    traffic = ReplayedTraffic.from_replay(top)
    assert traffic.sample is not None
    assert traffic.sample.weights.sum() == pytest.approx(traffic.size, rel=0.01)
    assert not np.isin(traffic.sample.rows, np.flatnonzero(np.isnan(traffic.truth))).any()


def test_what_a_tip_had_led_to_is_counted_once_and_said(logged: History, top: PolicyReplay) -> None:
    truth = np.ones(len(logged.truth))
    history = inspected_by_chance(logged, truth, np.random.default_rng(5))
    ledger = replace(top, history=history)
    told, traffic = figures_of_policies(ledger), ReplayedTraffic.from_replay(ledger)
    tipped = history.data.outcomes.selected_by[traffic.rows] == "intelligence"
    assert told.hits_of_tips == int((tipped & (traffic.selected > 0)).sum()) > 0
    assert told.hits.value == pytest.approx(told.inspected)


def test_a_history_of_discretion_alone_is_refused_in_words(
    logged: History, top: PolicyReplay
) -> None:
    data = logged.data
    noticed = np.where(data.outcomes.is_inspected, "discretion", None)
    changed = replace(data, outcomes=replace(data.outcomes, selected_by=noticed))
    told = figures_of_policies(replace(top, history=History.logged(changed)))
    assert told.refusal is not None
    assert "0 results of subjects that were drawn with a probability say too little" in told.refusal
    assert told.hits.value is told.precision.value is told.recall.value is None
    assert told.inspections_per_hit is None
    assert told.bounds == ()
    assert all(week.hits_so_far.value is None for week in told.weeks)
    assert told.refusal in render_backtest((told,), "shipment", is_invented=False)


def test_a_policy_whose_few_subjects_nobody_drew_is_refused_though_the_history_is_not(
    logged: History,
) -> None:
    told = figures_of_policies(replay_policy("few", policy(capacity_share=0.01), logged))
    assert told.refusal is not None
    assert "drawn with a probability among" in told.refusal
    assert told.inspections_made.recall.value is not None


def test_a_week_says_something_only_where_enough_was_drawn(told: PolicyFigures) -> None:
    known = [week for week in told.weeks if week.hits.value is not None]
    assert len(known) < len(told.weeks)
    so_far = [week.hits_so_far for week in told.weeks[: told.weeks_counted]]
    assert so_far[0].value is None
    assert so_far[-1] == told.hits
    assert told.weeks[told.weeks_counted - 1].precision_56d.low is not None


def test_weeks_whose_results_are_still_to_come_are_left_out(
    logged: History, top: PolicyReplay, told: PolicyFigures
) -> None:
    data = logged.data
    now = np.datetime64("2025-09-20", "us")  # two days after the policy's last week
    is_known = data.outcomes.known_at < now
    outcomes = replace(
        data.outcomes,
        label=np.where(is_known, data.outcomes.label, np.nan),
        known_at=np.where(is_known, data.outcomes.known_at, np.datetime64("NaT")),
    )
    early = figures_of_policies(
        replace(top, history=History.logged(replace(data, outcomes=outcomes)))
    )
    assert told.weeks_counted == 20
    # Nine in ten of delays of 1 to 24 days come within 22, of what is confirmed a little later.
    assert early.weeks_counted == 16
    assert early.subjects == sum(week.subjects for week in early.weeks[:16])
    assert early.weeks[15].hits_so_far == early.hits
    assert all(week.hits_so_far.value is None for week in early.weeks[16:])
    assert "The last 4 weeks are left out" in render_backtest(
        (early,), "shipment", is_invented=False
    )


def test_the_status_quo_stands_beside_with_what_it_really_found(
    logged: History, told: PolicyFigures
) -> None:
    first, last = (logged.weeks(policy())[at] for at in (0, -1))
    rows = slice(first.start, last.stop)
    made = told.inspections_made
    assert made.inspected == logged.data.outcomes.is_inspected[rows].sum()
    assert made.hits == np.nansum(logged.data.outcomes.label[rows])
    assert made.hits == sum(week.hits_of_inspections_made for week in told.weeks)
    # The planted world looks at six in ten, whoever they are.
    assert made.recall.value == pytest.approx(0.6, abs=0.08)
    assert told.recall.value is not None
    assert told.recall.value > 1.5 * told.inspected / told.subjects


def test_bounds_say_what_each_figure_assumes(told: PolicyFigures) -> None:
    assert {bound.figure for bound in told.bounds} == {
        "prevalence",
        "precision at 20%",
        "share that smuggles",
        "recall at 20%",
    }
    html = render_backtest((told,), "shipment", is_invented=False)
    for bound in told.bounds:
        assert bound.assumption in html


def test_the_page_names_population_evidence_and_interval(told: PolicyFigures) -> None:
    assert told.evidence is not None
    html = render_backtest((told,), "shipment", is_invented=False)
    assert f"All {told.subjects:,} shipments declared from 2025-05-01" in html
    assert f"{told.evidence.drawn:,} results that were drawn with a probability" in html
    assert "95 % intervals" in html
    assert "believe the last" in html
