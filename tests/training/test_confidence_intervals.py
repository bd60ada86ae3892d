from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from scipy.stats import binom

from training.confidence_intervals import Estimate, difference, proportion, with_intervals
from training.estimation.weighted_mean import weighted_mean
from training.ranking import ScoreRanking, at_capacity, roc_auc


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    lots = np.random.default_rng(seed)
    scores = lots.random(rows)
    return (lots.random(rows) < scores).astype(float), scores


def precision(ranking: ScoreRanking) -> dict[str, float]:
    return {"precision": at_capacity(ranking, 0.1)["precision"], "roc_auc": roc_auc(ranking)}


def prevalence(ranking: ScoreRanking) -> dict[str, float]:
    return {"prevalence": ranking.prevalence}


@pytest.mark.parametrize(
    ("successes", "trials"), [(0, 10), (1, 1), (3, 10), (10, 10), (250, 450), (1, 2_000)]
)
def test_a_share_has_the_interval_of_a_mean_of_equal_weights(successes: int, trials: int) -> None:
    share = proportion(successes, trials)

    values = np.arange(trials) < successes
    mean = weighted_mean(values.astype(float), np.ones(trials), is_this_traffic=False).estimate
    assert share.value == successes / trials == mean.value
    assert (share.low, share.high) == pytest.approx((mean.low, mean.high), abs=1e-9)


def test_a_share_stays_within_nothing_and_all_and_of_no_trial_there_is_none() -> None:
    for trials in range(1, 100):
        low, high = proportion(0, trials).low, proportion(trials, trials).high
        assert low is not None
        assert high is not None
        assert low >= 0
        assert high <= 1
    assert proportion(0, 0) == proportion(0, -1) == Estimate(None, None, None)


def test_every_redraw_takes_as_many_rows_as_there_are_and_any_of_them() -> None:
    redraws: list[np.ndarray] = []

    def weights(ranking: ScoreRanking) -> dict[str, float]:
        redraws.append(ranking.weights)
        return {}

    with_intervals(
        ScoreRanking.from_scores([0, 1, 0], [0.9, 0.5, 0.1]), weights, rounds=300, seed=1
    )

    whole, *others = redraws
    assert whole.tolist() == [1, 1, 1]
    assert len(others) == 300
    assert {weights.sum() for weights in others} == {3}
    assert np.mean(others, axis=0) == pytest.approx(np.ones(3), abs=0.2)
    assert np.max(others) == 3


def test_an_interval_holds_the_middle_95_percent_of_the_redraws() -> None:
    ranking = ScoreRanking.from_scores(np.arange(400) % 10 < 3, np.zeros(400))
    low, high = binom.ppf([0.025, 0.975], 400, 0.3) / 400

    share = with_intervals(ranking, prevalence, rounds=1_000, seed=2)["prevalence"]

    assert share.value == 0.3
    assert (share.low, share.high) == pytest.approx((low, high), abs=0.006)


def test_redraws_of_which_nothing_is_known_are_left_out_of_the_interval() -> None:
    known = iter([0.5, np.nan, 0.2, 0.2, np.inf])
    unknown = iter([0.5, np.nan, np.nan])
    ranking = ScoreRanking.from_scores([0, 1], [0.1, 0.9])

    partly = with_intervals(ranking, lambda _: {"f": next(known)}, rounds=4, seed=1)["f"]
    never = with_intervals(ranking, lambda _: {"f": next(unknown)}, rounds=2, seed=1)["f"]

    assert partly == Estimate(0.5, 0.2, 0.2)
    assert never == Estimate(0.5, None, None)


def test_a_difference_is_ours_minus_theirs_and_of_every_figure() -> None:
    labels, scores = drawn(300, seed=8)
    ours, theirs = (
        ScoreRanking.from_scores(labels, scores),
        ScoreRanking.from_scores(labels, np.round(scores, 1)),
    )

    differences = difference(ours, theirs, precision, rounds=60, seed=1)

    assert differences.keys() == {"precision", "roc_auc"}
    gained = differences["roc_auc"]
    assert gained.value == roc_auc(ours) - roc_auc(theirs)
    assert gained.low is not None
    assert gained.high is not None
    assert gained.low < gained.value < gained.high
    # In pairs: apart, each alone would vary by ten times as much.
    alone = with_intervals(ours, precision, rounds=60, seed=1)["roc_auc"]
    assert alone.low is not None
    assert alone.high is not None
    assert gained.high - gained.low < (alone.high - alone.low) / 3


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth = roc_auc(ScoreRanking.from_scores(*drawn(200_000, seed=0)))
    held = 0
    for seed in range(1, 101):
        estimate = with_intervals(
            ScoreRanking.from_scores(*drawn(400, seed)), precision, rounds=100, seed=1
        )
        low, high = estimate["roc_auc"].low, estimate["roc_auc"].high
        assert low is not None
        assert high is not None
        held += low <= truth <= high

    assert 86 <= held <= 100


def test_the_same_seed_gives_the_same_interval() -> None:
    ranking = ScoreRanking.from_scores(*drawn(300, seed=4))

    again = [with_intervals(ranking, precision, rounds=50, seed=9) for _ in range(2)]

    assert again[0] == again[1]


def test_a_figure_that_cannot_be_known_is_none_instead_of_nan() -> None:
    ranking = ScoreRanking.from_scores([0.0, 0.0, 0.0], [0.3, 0.2, 0.1])

    estimates = with_intervals(ranking, precision, rounds=10, seed=1)

    assert estimates["roc_auc"].value is None
    assert estimates["precision"].value == 0


def test_a_ranking_differs_from_itself_by_exactly_nothing() -> None:
    labels, scores = drawn(500, seed=6)
    ranking = ScoreRanking.from_scores(labels, scores)

    nothing = difference(ranking, ranking, precision, rounds=20, seed=1)["precision"]
    worse = difference(
        ScoreRanking.from_scores(labels, -scores), ranking, precision, rounds=50, seed=1
    )

    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
    assert worse["roc_auc"].high is not None
    assert worse["roc_auc"].high < 0


def test_a_share_of_few_trials_has_a_wide_interval() -> None:
    none_of_ten = proportion(0, 10)

    assert none_of_ten.low == 0
    # By mid-P, half the chance of ten without any is 2.5 %.
    assert none_of_ten.high == pytest.approx(1 - 0.05**0.1, abs=5e-3)


def test_figures_and_rankings_do_not_change() -> None:
    for figure, name in (
        (Estimate(0.5), "value"),
        (ScoreRanking.from_scores([0, 1], [0.1, 0.2]), "labels"),
    ):
        with pytest.raises(FrozenInstanceError):
            setattr(figure, name, None)
