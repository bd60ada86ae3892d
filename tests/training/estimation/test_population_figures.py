"""Figures of all traffic, beside those that everybody's inspection would give."""

from importlib import import_module
from typing import Any

import numpy as np
import pytest

from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.estimation.population_figures import (
    UNKNOWN,
    confirmed_among,
    extremes_of,
    found_among,
    population_figures,
    population_roc_auc,
    share_confirmed,
    share_found,
)
from training.outcomes import Texts
from training.ranking import Floats, ScoreRanking, at_capacity, roc_auc

STUDY: Any = import_module("experiments.2026-11-27-figures-that-hold.population")
REDRAWS = 40


NOBODY = np.full(9, None, dtype=object), np.full(9, np.nan)


def test_where_everyone_is_inspected_figures_are_those_of_the_ranking() -> None:
    traffic = STUDY.Traffic.invented(3_000, np.random.default_rng(3))
    ways: Texts = np.full(3_000, "random", dtype=object)
    sample = inspected_sample(traffic.truth, ways, np.ones(3_000))
    figures = population_figures(sample, traffic.scores, (0.05,))
    ranking = ScoreRanking.from_scores(traffic.truth, traffic.scores)
    at = figures.at_share[0]
    wanted = at_capacity(ranking, 0.05)
    assert figures.prevalence.value == pytest.approx(ranking.prevalence)
    assert figures.roc_auc.value == pytest.approx(roc_auc(ranking))
    assert at.precision.value == pytest.approx(wanted["precision"])
    assert at.recall.value == pytest.approx(wanted["recall"])
    assert at.lift.value == pytest.approx(wanted["lift"])


def test_a_refused_sample_gives_no_figure() -> None:
    nobody: Texts = np.full(500, None, dtype=object)
    sample = inspected_sample(np.full(500, np.nan), nobody, np.full(500, np.nan))
    figures = population_figures(sample, np.arange(500.0), (0.05,))
    assert figures.refusal is not None
    assert figures.prevalence.value is None
    assert figures.at_share[0].precision.value is None
    assert figures.roc_auc.value is None


def test_of_a_part_where_only_a_rules_hits_were_drawn_nothing_is_said() -> None:
    """Forty hits of a rule, each of which stands for one or two, are no sample of a thousand."""
    ways: Texts = np.full(5_000, None, dtype=object)
    labels, probability = np.full(5_000, np.nan), np.full(5_000, np.nan)
    ways[:40], labels[:40], probability[:40] = "rule", 1.0, 0.8
    ways[1_000:1_100], labels[1_000:1_100], probability[1_000:1_100] = "random", 0.0, 0.02
    sample = inspected_sample(labels, ways, probability)
    first_thousand = (np.arange(5_000) < 1_000).astype(np.float64)

    assert sample.refusal is None
    assert confirmed_among(sample, first_thousand) is None
    assert confirmed_among(sample, np.ones(5_000)) is not None


def test_a_part_of_the_traffic_is_counted_exactly_where_everybody_was_inspected() -> None:
    truth = (np.arange(600) % 10 == 0).astype(np.float64)
    ways: Texts = np.full(600, "random", dtype=object)
    part = (np.arange(600) < 100).astype(np.float64)
    found = found_among(inspected_sample(truth, ways, np.ones(600)), part)
    assert found.confirmed.value == pytest.approx(10)
    assert found.precision.value == pytest.approx(0.1)
    assert found.recall.value == pytest.approx(1 / 6)
    assert found.lift.value == pytest.approx(1)


def test_a_part_where_few_were_drawn_is_refused_in_words() -> None:
    truth = (np.arange(600) % 10 == 0).astype(np.float64)
    drawn = np.arange(600) >= 80
    ways: Texts = np.where(drawn, "random", None)
    sample = inspected_sample(np.where(drawn, truth, np.nan), ways, np.full(600, 0.9))
    found = found_among(sample, (np.arange(600) < 100).astype(np.float64))
    assert found.confirmed.value is None
    assert found.refusal is not None
    assert found.refusal.startswith("20 results drawn with a probability among 100 subjects")


def test_what_was_found_is_a_share_of_what_would_be_and_never_more_than_all() -> None:
    truth = (np.arange(3_000) % 10 == 0).astype(np.float64)
    ways: Texts = np.full(3_000, "random", dtype=object)
    sample = inspected_sample(truth, ways, np.ones(3_000))
    assert share_found(sample, 150.0).value == pytest.approx(0.5, abs=0.01)
    assert share_found(sample, 400.0).value == 1.0


def tipped_and_drawn(*, noticed: int = 0) -> InspectedSample:
    """Ten tips that find 8, and 100 of 1,000 others drawn: of the first 500, 50 that find 15.

    Of the last 500 another 50 find 5. Officers notice some more.
    """
    places = np.arange(1_010)
    is_drawn = (places >= 10) & (places % 10 == 0)
    is_noticed = (places >= 11) & (places % 10 == 1) & (places < 11 + 10 * noticed)
    labels = np.full(1_010, np.nan)
    labels[:10] = places[:10] < 8
    labels[is_drawn] = np.r_[np.arange(50) < 15, np.arange(50) < 5]
    labels[is_noticed] = 1.0
    ways: Texts = np.select(
        [places < 10, is_drawn, is_noticed], ["intelligence", "random", "discretion"], None
    ).astype(object)
    return inspected_sample(labels, ways, np.where(is_drawn, 0.1, np.nan))


def first(count: int, of: int = 1_010) -> Floats:
    return (np.arange(of) < count).astype(np.float64)


def test_what_figures_rest_on_is_counted() -> None:
    figures = population_figures(tipped_and_drawn(noticed=7), np.arange(1_010.0), (0.02, 0.5))

    assert (figures.subjects, figures.certain, figures.drawn) == (1_010, 10, 100)
    assert (figures.uncounted, figures.effective_size) == (7, pytest.approx(100))
    assert [at.share for at in figures.at_share] == [0.02, 0.5]
    assert figures.prevalence.value == pytest.approx((8 + 200) / 1_010)


def test_what_tips_found_is_counted_and_what_draws_found_carried_over_to_the_rest() -> None:
    sample = tipped_and_drawn()
    for part, confirmed in (
        (np.ones(1_010), 8 + 200),
        (first(510), 8 + 150),
        (1 - first(510), 50),
        (np.full(1_010, 0.5), 4 + 100),
    ):
        told = confirmed_among(sample, part)
        assert told is not None
        assert told.value == pytest.approx(confirmed)
        assert told.estimate.low is not None
        assert told.estimate.high is not None
        assert told.estimate.low < confirmed - 5 < confirmed + 5 < told.estimate.high
        share = share_confirmed(sample, part)
        assert share.value == pytest.approx(confirmed / part.sum())


def test_tips_alone_leave_no_doubt_and_one_subject_more_cannot_be_told() -> None:
    sample = tipped_and_drawn()
    half_a_subject = first(10)
    half_a_subject[11] = 0.5

    for part in (first(10), half_a_subject):
        told = confirmed_among(sample, part)
        assert told is not None
        assert (told.value, told.points.tolist()) == (8, [8])
    assert confirmed_among(sample, first(11)) is None
    assert share_confirmed(sample, first(0)) == UNKNOWN
    assert share_confirmed(sample, first(11)) == UNKNOWN


def test_of_all_traffic_of_their_kind_even_everybody_says_only_so_much() -> None:
    ways: Texts = np.full(600, "random", dtype=object)
    sample = inspected_sample(first(60, of=600), ways, np.ones(600))

    here, of_their_kind = (
        confirmed_among(sample, np.ones(600), is_this_traffic=this) for this in (True, False)
    )

    assert here is not None
    assert of_their_kind is not None
    assert here.estimate.low == here.estimate.high == pytest.approx(60)
    assert of_their_kind.value == pytest.approx(60)
    assert of_their_kind.points.std() == pytest.approx(np.sqrt(600 * 0.1 * 0.9), rel=0.05)


def test_thirty_drawn_of_a_part_are_enough_to_say_something_of_it() -> None:
    sample = tipped_and_drawn()
    for drawn, is_known in ((30, True), (29, False)):
        part = first(10 + 10 * drawn) - first(10)
        assert (confirmed_among(sample, part) is not None) is is_known


def test_of_what_lies_beyond_a_part_too_little_may_be_known_to_say_its_recall() -> None:
    sample = tipped_and_drawn()

    most = found_among(sample, first(1_000))
    half = found_among(sample, first(510))

    assert most.precision.value is not None
    assert most.confirmed.value == pytest.approx(1_000 * most.precision.value)
    assert (most.recall, most.lift, most.refusal) == (UNKNOWN, UNKNOWN, None)
    assert half.confirmed.value == pytest.approx(158)
    assert half.precision.value == pytest.approx(158 / 510)
    assert half.recall.value == pytest.approx(158 / 208, rel=0.05)
    for end in ("value", "low", "high"):
        assert getattr(half.lift, end) == pytest.approx(getattr(half.recall, end) * 1_010 / 510)
    assert half.recall.low is not None
    assert half.recall.high is not None
    assert 0.5 < half.recall.low < 0.7 < 0.8 < half.recall.high < 0.95


def test_where_nothing_is_confirmed_nobody_knows_which_part_of_it_is_found() -> None:
    ways: Texts = np.full(600, "random", dtype=object)
    sample = inspected_sample(np.zeros(600), ways, np.ones(600))

    found = found_among(sample, first(100, of=600))

    assert (found.precision.value, found.recall, found.lift) == (0, UNKNOWN, UNKNOWN)


def test_the_share_that_was_found_is_as_unsure_as_what_would_be_confirmed() -> None:
    sample = tipped_and_drawn()
    confirmed = confirmed_among(sample, np.ones(1_010))
    assert confirmed is not None
    low, high = confirmed.estimate.low, confirmed.estimate.high
    assert low is not None
    assert high is not None

    told = share_found(sample, 100.0)

    assert told.value == pytest.approx(100 / 208, rel=0.02)
    assert (told.low, told.high) == (pytest.approx(100 / high), pytest.approx(100 / low))
    assert share_found(sample, (low + 208) / 2).high == 1
    assert share_found(sample, high + 1).low == 1
    assert share_found(sample, 0.0) == UNKNOWN


def test_of_a_sample_that_says_nothing_no_share_was_found() -> None:
    nobody: Texts = np.full(500, None, dtype=object)
    refused = inspected_sample(np.full(500, np.nan), nobody, np.full(500, np.nan))
    assert share_found(refused, 10.0) == UNKNOWN


def drawn_evenly(drawn: int, confirmed: int, *, every: int) -> InspectedSample:
    """A draw of one in `every`, the first of which are confirmed."""
    is_drawn = np.arange(drawn * every) % every == 0
    labels = np.where(is_drawn, np.arange(drawn * every) < confirmed * every, np.nan)
    ways: Texts = np.where(is_drawn, "random", None).astype(object)
    return inspected_sample(labels, ways, np.where(is_drawn, 1 / every, np.nan))


def test_two_hundred_evenly_drawn_are_enough_to_place_those_confirmed() -> None:
    for drawn, confirmed, every, is_known in (
        (200, 2, 2, True),
        (199, 2, 2, False),
        (200, 1, 2, False),
        (199, 2, 1, True),
    ):
        sample = drawn_evenly(drawn, confirmed, every=every)
        told = population_roc_auc(sample, np.arange(float(sample.traffic)))
        assert (told.value is not None) is is_known
    beside_tips = tipped_and_drawn()
    assert population_roc_auc(beside_tips, np.arange(1_010.0)) == UNKNOWN


def test_an_area_lies_between_0_and_1_and_its_interval_about_it() -> None:
    half = drawn_evenly(400, 40, every=2)
    best = np.arange(800.0)[::-1]

    first_of_all, last_of_all = population_roc_auc(half, best), population_roc_auc(half, -best)

    assert first_of_all.value == pytest.approx(1, abs=0.002)
    assert last_of_all.value == pytest.approx(0, abs=0.002)
    assert first_of_all.low is not None
    assert first_of_all.high is not None
    assert 0.9 < first_of_all.low < 0.995
    assert first_of_all.high == pytest.approx(1, abs=0.002)
    for told in (first_of_all, last_of_all):
        assert told.low is not None
        assert told.value is not None
        assert told.high is not None
        assert 0 <= told.low <= told.value <= told.high <= 1


def test_an_area_is_that_of_all_traffic_of_its_kind_where_everybody_was_inspected_too() -> None:
    everyone = drawn_evenly(400, 40, every=1)
    scores = np.random.default_rng(2).normal(size=400)

    told = population_roc_auc(everyone, scores)

    assert told.low is not None
    assert told.value is not None
    assert told.high is not None
    assert told.low < told.value - 0.05 < told.value + 0.05 < told.high


def test_subjects_that_are_half_in_a_part_are_counted_to_within_one() -> None:
    sample = drawn_evenly(400, 40, every=1)
    part = first(100, of=400)
    part[:2] = 0.5

    told = confirmed_among(sample, part)

    assert told is not None
    assert told.value == pytest.approx(39, abs=1)
    assert np.isfinite(told.points).all()


def test_where_everyone_is_confirmed_nobody_scores_above_another() -> None:
    ways: Texts = np.full(50, "random", dtype=object)
    everyone = inspected_sample(np.ones(50), ways, np.ones(50))
    assert population_roc_auc(everyone, np.arange(50.0)).value == pytest.approx(0.5)


@pytest.mark.parametrize("design", STUDY.DESIGNS, ids=lambda design: design.__name__)
def test_intervals_of_prevalence_hold_under_every_design(design: Any) -> None:
    rows = {row.figure: row for row in STUDY.studied(design, 20_000, REDRAWS)}
    prevalence = rows["prevalence"]
    # Five standard errors of forty redraws: what held 77 of 100 times is found out.
    assert prevalence.held >= 0.8
    assert abs(prevalence.bias) < 0.2
    assert rows["roc_auc"].held >= 0.8


def test_intervals_hold_where_six_alike_are_inspected_together() -> None:
    rng, held = np.random.default_rng(20261202), []
    together = np.arange(500).repeat(6)
    for _ in range(100):
        truth = (rng.random(500) < 0.1).astype(np.float64).repeat(6)
        is_drawn = (rng.random(500) < 0.15).repeat(6)
        ways = np.where(is_drawn, "random", None).astype(object)
        labels, probability = np.where(is_drawn, truth, np.nan), np.where(is_drawn, 0.15, np.nan)
        sample = inspected_sample(labels, ways, probability, together)
        estimate = share_confirmed(sample, np.ones(3_000))
        assert estimate.low is not None
        assert estimate.high is not None
        held.append(estimate.low <= truth.mean() <= estimate.high)

    assert 0.9 <= np.mean(held) <= 1


def test_a_few_inspections_say_too_little_however_many_they_cover() -> None:
    is_drawn = (np.arange(400) % 40 < 4).repeat(10)
    ways = np.where(is_drawn, "random", None).astype(object)
    labels, probability = np.where(is_drawn, 0.0, np.nan), np.where(is_drawn, 0.1, np.nan)
    part = (np.arange(4_000) < 400).astype(np.float64)

    alone = inspected_sample(labels, ways, probability)
    together = inspected_sample(labels, ways, probability, np.arange(400).repeat(10))

    assert share_confirmed(alone, part).value == 0
    assert share_confirmed(together, part).value is None
    assert "want 30 from 8 inspections" in str(found_among(together, part).refusal)


def test_the_lowest_estimate_of_a_part_counts_none_that_no_result_represents() -> None:
    """Of a part of 300, 200 results represent 270: the other 30 may hold nothing."""
    labels = np.full(1_000, np.nan)
    labels[:200] = np.arange(200) % 5 == 0
    labels[300:335] = 0.0
    ways: Texts = np.full(1_000, None, dtype=object)
    ways[~np.isnan(labels)] = "model"
    probability = np.where(np.arange(1_000) < 300, 200 / 270, 35 / 730)
    sample = inspected_sample(labels, ways, np.where(np.isnan(labels), np.nan, probability))
    of_part, of_represented = ((np.arange(1_000) < size).astype(np.float64) for size in (300, 270))

    part, represented = (share_confirmed(sample, each) for each in (of_part, of_represented))

    assert part.value == represented.value == pytest.approx(0.2)
    assert part.high == pytest.approx(represented.high)
    assert part.low == pytest.approx(0.9 * represented.low, rel=0.02)


def test_bounds_hold_whatever_the_missing_results_are() -> None:
    """Of 1,000 all are inspected; 10 results of the highest 100 and 20 others are missing."""
    labels = np.zeros(1_000)
    labels[:40] = labels[500:520] = 1.0
    labels[90:100] = labels[980:] = np.nan
    sample = inspected_sample(labels, np.full(1_000, "rule", dtype=object), np.ones(1_000))
    highest = (np.arange(1_000) < 100).astype(np.float64)

    ends = {
        name: (worst.value, best.value)
        for name, (worst, best) in extremes_of(sample, highest).items()
    }

    assert ends == {
        "prevalence": pytest.approx((0.060, 0.090)),
        "precision": pytest.approx((0.40, 0.50)),
        "recall": pytest.approx((40 / 80, 50 / 70)),
    }
    assert extremes_of(inspected_sample(np.full(9, np.nan), *NOBODY), np.ones(9)) == {}
