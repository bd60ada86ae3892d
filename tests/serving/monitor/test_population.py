"""Strata speak for all traffic: merged ones by their probabilities, and none that cannot."""

from collections import Counter
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd
import pytest

from serving.monitor.population import MergedStratum, Stratum, TrafficPart
from serving.monitor.selection_strata import Slice, with_outcomes
from tests.counts import count
from training.estimation.weighted_mean import weighted_mean

STUDY: Any = import_module("experiments.2026-11-27-figures-that-hold.monitoring")


@pytest.mark.parametrize("design", STUDY.DESIGNS)
def test_figures_are_right_on_average_and_their_intervals_hold(design: str) -> None:
    redraws = count(60, 400)

    for held in STUDY.studied(design, redraws, seed=5):
        assert held.held > {60: 0.85, 400: 0.92}[redraws], held
        if held.bias is not None:
            assert abs(held.bias) < 0.05 + 3 * held.unsure, held


def test_recall_of_a_few_draws_is_an_interval_and_says_what_would_be_enough() -> None:
    rng = np.random.default_rng(3)
    traffic = STUDY.DESIGNS["merged: 5,000, 3 % disputed"](rng)

    part = Slice.from_visits(Counter(traffic.stratum.tolist()), traffic.visits(rng))

    assert part.prevalence.value is not None
    assert part.recall.value is part.lift.value is None
    assert part.recall.low <= traffic.truths["recall"] <= part.recall.high  # type: ignore[operator]  # has an interval
    (need,) = part.needs
    assert "want 2, as come of about" in need


def test_strata_that_merge_weigh_each_outcome_by_its_own_probability() -> None:
    few = Stratum("not inspected, drawn at 0.1", 200, 20, 10, 0.1)
    many = Stratum("not inspected, drawn at 0.01", 10_000, 100, 0, 0.01)

    part = TrafficPart.from_strata([few, many])

    (merged,) = part.strata
    assert merged.name == many.name
    assert merged.weights.tolist() == pytest.approx([100, 10])
    # Pooled without weights it would be 10 of 120.
    assert part.share_confirmed.value == pytest.approx(100 / 10_200)  # type: ignore[union-attr]  # has a value


def test_strata_of_enough_outcomes_stay_apart() -> None:
    strata = [Stratum(f"at {p}", 1_000, 40, 2, p) for p in (0.04, 0.05)]

    assert len(TrafficPart.from_strata(strata).strata) == 2


def test_one_inconclusive_hit_of_a_watch_list_leaves_the_figures_of_all_traffic() -> None:
    sizes = Counter(
        {
            "inspected by watch list": 1,
            "inspected by score": 400,
            "not inspected, drawn at 0.02": 10_000,
        }
    )
    visits = pd.DataFrame(
        {
            "stratum": ["inspected by watch list"]
            + ["inspected by score"] * 400
            + ["not inspected, drawn at 0.02"] * 200,
            "confirmed": [np.nan] + [1.0] * 100 + [0.0] * 300 + [1.0] * 4 + [0.0] * 196,
        }
    )

    part = Slice.from_visits(sizes, visits)

    assert part.prevalence.value == pytest.approx((401 / 4 + 200) / 10_401)
    assert part.precision.value == pytest.approx(0.25)
    assert part.unknown_share == pytest.approx(1 / 601)
    ways = {each.way: each for each in part.ways()}
    assert ways["watch list"].precision.value is None
    assert ways["score"].precision.value == pytest.approx(0.25)
    assert ways["random draw"].precision.value == pytest.approx(0.02)


def test_what_each_way_finds_adds_up_to_what_all_find() -> None:
    rng = np.random.default_rng(4)
    traffic = STUDY.DESIGNS["with tips"](rng)

    part = Slice.from_visits(Counter(traffic.stratum.tolist()), traffic.visits(rng))

    ways = {each.way: each for each in part.ways()}
    found = [ways[way].recall.value or 0 for way in ("score", "watch list")]
    assert sum(found) == pytest.approx(ways["all together"].recall.value, rel=0.03)
    assert ways["all together"].recall == part.recall
    assert (
        (ways["watch list"].precision.value or 0) > 0.4 > 0.3 > (ways["score"].precision.value or 1)
    )
    assert (ways["random draw"].lift.value or 9) < 1


@pytest.mark.parametrize(
    ("stratum", "words"),
    [
        (Stratum("drawn", 1_000, 20, 2, 0.02), "want 30, as come of about 1,500 decisions"),
        (Stratum("drawn", 1_000, 0, 0, 0.02), "want 30, as come of about 1,500 decisions"),
        (Stratum("never", 1_000, 0, 0, 0.0), "want a chance above 0 for each of 1,000"),
        (Stratum("selected", 1_000, 4, 1), "want 30 known outcomes"),
    ],
    ids=["too few", "none", "no chance", "selected, not known"],
)
def test_a_stratum_of_too_few_outcomes_is_refused_with_what_would_be_enough(
    stratum: Stratum, words: str
) -> None:
    part = TrafficPart.from_strata([stratum])

    assert part.confirmed is None
    assert [words in each.needs for each in part.too_few_outcomes] == [True]


def test_what_nobody_could_look_at_is_never_merged_into_what_was_drawn() -> None:
    never = Stratum("never", 1_000, 0, 0, 0.0)

    part = TrafficPart.from_strata([never, Stratum("drawn", 1_000, 50, 2, 0.05)])

    assert part.confirmed is None


def test_a_small_stratum_that_was_looked_at_as_a_whole_is_known_exactly() -> None:
    figure = TrafficPart.from_strata([Stratum("all", 7, 7, 2)]).share_confirmed

    assert figure is not None
    assert (figure.estimate.value, figure.estimate.low, figure.estimate.high) == (
        pytest.approx(2 / 7),
        pytest.approx(2 / 7),
        pytest.approx(2 / 7),
    )


def test_no_findings_are_not_taken_for_certainty() -> None:
    figure = TrafficPart.from_strata([Stratum("drawn", 10_000, 100, 0, 0.01)]).share_confirmed

    assert figure is not None
    assert figure.value == 0
    assert figure.estimate.high is not None
    assert 0.01 < figure.estimate.high < 0.06


def test_subjects_whose_stratum_is_not_known_are_spoken_for_by_those_that_were_drawn() -> None:
    merged = MergedStratum((Stratum("drawn at 0.1", 40, 40, 4, 0.1),), 360)

    assert (merged.size, merged.weights.tolist()) == (400, [10.0])


def test_nothing_is_said_about_no_subjects() -> None:
    part = Slice.from_visits(Counter(), pd.DataFrame({"stratum": [], "confirmed": []}))

    assert part.prevalence.value is part.precision.value is part.recall.low is None
    assert part.needs == ()


def test_where_nobody_was_inspected_there_is_a_prevalence_and_no_recall() -> None:
    sizes = Counter({"not inspected, drawn at 0.05": 2_000})
    visits = pd.DataFrame(
        {
            "stratum": ["not inspected, drawn at 0.05"] * 100,
            "confirmed": [1.0] * 5 + [0.0] * 95,
        }
    )

    part = Slice.from_visits(sizes, visits)

    assert part.prevalence.value == pytest.approx(0.05)
    assert part.recall.value is part.lift.low is part.precision.value is None
    assert part.needs == ()
    assert [each.way for each in part.ways()] == ["random draw"]


def test_visits_of_one_inspection_count_as_one_draw_as_in_an_evaluation() -> None:
    name = "not inspected, drawn at 0.05"
    alike = (np.arange(50) % 10 == 0).astype(np.float64)
    visits = pd.DataFrame({"stratum": name, "confirmed": alike.repeat(4)})
    sizes = Counter({name: 4_000})

    part = Slice.from_visits(sizes, visits.assign(together=np.arange(50).repeat(4)))

    same = weighted_mean(alike.repeat(4), np.full(200, 20.0), np.arange(50).repeat(4)).estimate
    assert (part.prevalence.low, part.prevalence.high) == pytest.approx((same.low, same.high))
    alone = Slice.from_visits(sizes, visits).prevalence
    assert part.prevalence.value == pytest.approx(alone.value)
    assert part.prevalence.high > 1.3 * alone.high  # type: ignore[operator]  # has an interval


def test_results_with_one_stated_time_at_one_office_are_one_inspection() -> None:
    times = pd.to_datetime(["2026-03-01T10:15", "2026-03-01T10:15", "2026-03-02T11:21"], utc=True)
    names = [f"S-{number}" for number in range(3)]
    visits = pd.DataFrame(
        {"seq": range(3), "subject_id": names, "scored_at": times - pd.Timedelta("1h")}
    ).assign(office="a")
    outcomes = pd.DataFrame(
        {"subject_id": names, "inspected_at": times, "known_at": times, "confirmed": 1.0}
    ).assign(typology=None, is_at_report=False)

    assert with_outcomes(visits, outcomes)["together"].tolist() == [0, 0, 2]
    at_report = outcomes.assign(is_at_report=True)
    assert with_outcomes(visits, at_report)["together"].tolist() == [0, 1, 2]
