"""A challenger beside the champion on all that was confirmed: worse ones do not pass."""

from collections import Counter

import numpy as np
import pytest
from scipy.special import expit

from training.gates.comparison_gate import MARGIN, SHARES, gain_of_recall, mean_recall_of, no_worse
from training.gates.verdict import Answer
from training.ranking import Floats, ScoreRanking, at_capacity

SUBJECTS = 20_000


def traffic(rng: np.random.Generator, inspected: float) -> tuple[Floats, Floats]:
    """The champion's log-odds, and labels of so many of those whom it ranks and others."""
    log_odds = rng.normal(-6.0, 1.8, SUBJECTS)
    labels = (rng.random(SUBJECTS) < expit(log_odds)).astype(np.float64)
    return log_odds, np.where(rng.random(SUBJECTS) < inspected, labels, np.nan)


def test_mean_recall_is_that_of_every_share_in_turn() -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(size=2_000), (rng.random(2_000) < 0.05).astype(np.float64)
    ranking = ScoreRanking.from_scores(labels, scores)
    shares = np.linspace(*SHARES, 400)

    one_by_one = np.mean([at_capacity(ranking, share)["recall"] for share in shares])

    assert mean_recall_of(scores)[labels == 1].mean() == pytest.approx(one_by_one, abs=0.003)


def test_equal_scores_are_met_halfway() -> None:
    assert mean_recall_of(np.zeros(100)).tolist() == [0.0] * 100
    first, last = mean_recall_of(np.r_[np.ones(10), np.zeros(90)])[[0, 99]]
    assert (first, last) == (pytest.approx((0.2 - 0.05) / 0.19), 0.0)


def test_a_gain_is_that_over_the_champion_and_its_interval_holds_it() -> None:
    labels = np.r_[np.ones(40), np.zeros(160)]
    best, worst = np.r_[np.ones(40), np.zeros(160)], np.zeros(200)

    gain = gain_of_recall(labels, best, worst)

    assert gain.value == pytest.approx(float(mean_recall_of(best)[:40].mean()))
    assert gain.low is not None
    assert gain.high is not None
    assert gain.low <= gain.value <= gain.high
    assert gain_of_recall(np.zeros(200), best, worst).value is None


def answers(noise: float, inspected: float, redraws: int = 30) -> "Counter[Answer]":
    rng = np.random.default_rng(2)
    found: Counter[Answer] = Counter()
    for _ in range(redraws):
        champion, labels = traffic(rng, inspected)
        challenger = champion + noise * rng.normal(size=SUBJECTS)
        found[no_worse(labels, challenger, champion).verdict] += 1
    return found


def test_a_challenger_with_three_quarters_of_the_precision_does_not_pass() -> None:
    rng = np.random.default_rng(4)
    champion, _ = traffic(rng, 1.0)
    noise = 1.2
    precise, noisy = (
        at_capacity(ScoreRanking.from_scores(expit(champion), scores), 0.05)["precision"]
        for scores in (champion, champion + noise * rng.normal(size=SUBJECTS))
    )
    assert 0.7 < noisy / precise < 0.8

    assert answers(noise, inspected=0.5)["passed"] == 0


def test_an_equal_one_passes_where_labels_are_many_and_is_undecided_where_they_are_few() -> None:
    assert answers(0.05, inspected=0.5)["passed"] >= 24
    assert answers(0.05, inspected=0.02)["undecided"] == 30
    assert answers(0.0, inspected=0.02)["undecided"] == 30


def test_clearly_worse_scores_are_refused_however_small_the_loss() -> None:
    scores = np.arange(20_000.0)
    labels = np.zeros(20_000)
    labels[np.random.default_rng(7).integers(16_500, 19_500, 1_000)] = 1
    a_little_later = scores - 150 * labels

    gain = gain_of_recall(labels, a_little_later, scores)

    assert gain.value is not None
    assert -MARGIN < gain.value < 0
    assert no_worse(labels, a_little_later, scores).verdict == "refused"
    assert no_worse(labels, scores, a_little_later).verdict == "passed"


def test_an_undecided_gate_says_how_many_would_be_enough() -> None:
    rng = np.random.default_rng(6)
    champion, labels = traffic(rng, 0.02)

    verdict = no_worse(labels, champion, champion)

    confirmed = int((labels == 1).sum())
    assert verdict.verdict == "undecided"
    assert f"over {confirmed} confirmed subjects" in verdict.reason
    assert "would be enough" in verdict.reason


def test_nothing_confirmed_decides_nothing() -> None:
    scores = np.arange(10.0)

    assert no_worse(np.full(10, np.nan), scores, scores).verdict == "undecided"
