"""A challenger beside the champion on all that was confirmed: worse ones do not pass."""

import re
from collections import Counter

import numpy as np
import pytest
from scipy.special import expit

from training.confidence_intervals import Estimate
from training.gates import comparison_gate
from training.gates.comparison_gate import (
    ERROR_BUDGET,
    MARGIN,
    SHARES,
    error_allowed,
    gain_of_recall,
    mean_recall_of,
    no_worse,
)
from training.gates.verdict import Answer
from training.model.counted_cases import CountedCases
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


def test_what_is_inspected_at_every_share_counts_whole_and_what_is_at_none_for_nothing() -> None:
    found = mean_recall_of(np.arange(1_000.0))

    assert found[-10:].tolist() == [1.0] * 10
    assert found[:800].tolist() == [0.0] * 800
    assert ((found[800:-10] > 0) & (found[800:-10] < 1)).all()


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
    assert answers(0.05, inspected=0.005)["undecided"] >= 24


def test_the_champion_itself_passes_however_few_are_confirmed() -> None:
    scores = np.random.default_rng(3).normal(size=500)
    labels = np.where(np.arange(500) < 1, 1.0, np.nan)

    verdict = no_worse(labels, 2 * scores + 1, scores)

    assert verdict == comparison_gate.Verdict(
        "no worse than the champion", "passed", "it ranks every subject as the champion does"
    )


def retrained(noise: float, confirmed: int, redraws: int = 100) -> "Counter[Answer]":
    """Answers on models that differ from the truth by noise, the champion by .28 (sd, log-odds)."""
    rng = np.random.default_rng(12)
    found: Counter[Answer] = Counter()
    for _ in range(redraws):
        truth, _ = traffic(rng, 0.0)
        smuggling = np.flatnonzero(rng.random(SUBJECTS) < expit(truth))
        labels = np.full(SUBJECTS, np.nan)
        labels[rng.choice(smuggling, confirmed, replace=False)] = 1.0
        champion, model = (truth + sd * rng.normal(size=SUBJECTS) for sd in (0.28, noise))
        found[no_worse(labels, model, champion).verdict] += 1
    return found


def test_of_49_confirmed_most_equal_ones_pass_and_hardly_one_that_loses_a_tenth() -> None:
    """Noise of 1.2 costs .105 of mean recall."""
    equal, worse = retrained(0.28, 49), retrained(1.2, 49)

    assert equal["passed"] >= 60
    assert equal["refused"] <= 10
    assert worse["passed"] <= 2
    assert worse["refused"] >= 50


def test_challengers_of_one_champion_share_a_budget_of_error_and_are_refused_as_before() -> None:
    spent = [error_allowed(attempt) for attempt in range(1, 1_000)]
    assert spent[0] == ERROR_BUDGET / 2
    assert spent == sorted(spent, reverse=True)
    assert ERROR_BUDGET - 0.001 < sum(spent) < ERROR_BUDGET

    rng = np.random.default_rng(14)
    champion, labels = traffic(rng, 0.1)
    model = champion + 0.28 * rng.normal(size=SUBJECTS)
    first, tenth = (gain_of_recall(labels, model, champion, attempt) for attempt in (1, 10))
    assert first.value == tenth.value
    assert first.high == tenth.high
    assert first.low is not None
    assert tenth.low is not None
    assert tenth.low < first.low

    reason = no_worse(labels, model, champion, attempt=10).reason
    assert f"({tenth.low:+.3f} to {tenth.high:+.3f})" in reason
    assert "9 versions were judged against this champion before it" in reason
    assert "holds with 99.91% instead of 95%" in reason


def test_an_interval_holds_the_gain_of_nine_in_ten() -> None:
    rng = np.random.default_rng(13)
    held = 0
    for _ in range(200):
        champion, labels = traffic(rng, 1.0)
        model = champion + 0.6 * rng.normal(size=SUBJECTS)
        whole = gain_of_recall(labels, model, champion).value
        known = np.where(rng.random(SUBJECTS) < 0.2, labels, np.nan)
        found = gain_of_recall(known, model, champion)
        assert whole is not None
        assert found.low is not None
        assert found.high is not None
        held += found.low <= whole <= found.high
    assert held >= 175


def test_a_few_that_do_not_differ_prove_nothing() -> None:
    scores = np.arange(2_000.0)
    labels = np.where(np.arange(2_000) >= 1_997, 1.0, np.nan)

    verdict = no_worse(labels, np.r_[scores[:1_000][::-1], scores[1_000:]], scores)

    assert gain_of_recall(labels, scores, scores).value == 0
    assert verdict.verdict == "undecided"


@pytest.mark.parametrize(("lost", "answer"), [(5, "passed"), (6, "refused")])
def test_who_finds_clearly_fewer_in_the_highest_hundredth_is_refused(
    lost: int, answer: Answer
) -> None:
    """Those it loses there are just below, which costs hardly any mean recall."""
    scores, labels = np.arange(20_000.0), np.zeros(20_000)
    labels[-lost:] = 1
    labels[15_000:19_000:20] = 1
    model = scores.copy()
    model[-lost:] = 19_790 + np.arange(lost) / 10

    gain = gain_of_recall(labels, model, scores)
    verdict = no_worse(labels, model, scores)

    assert gain.low is not None
    assert gain.low > -MARGIN
    assert verdict.verdict == answer
    assert f"it has {lost:,} no longer there, and 0 others" in verdict.reason


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


@pytest.mark.parametrize(
    ("gain", "answer"),
    [
        (Estimate(0.1, 0.02, 0.2), "passed"),
        (Estimate(0.0, -0.0499, 0.1), "passed"),
        (Estimate(0.0, -0.05, 0.1), "undecided"),
        (Estimate(-0.02, -0.04, 0.0), "passed"),
        (Estimate(-0.02, -0.04, -1e-9), "refused"),
        (Estimate(-0.2, -0.3, -0.1), "refused"),
        (Estimate(-0.2, -0.3, 0.0), "undecided"),
        (Estimate(0.1, None, 0.2), "undecided"),
        (Estimate(0.1, 0.02, None), "undecided"),
        (Estimate(None), "undecided"),
    ],
)
def test_an_interval_lies_above_the_margin_and_not_below_0(
    monkeypatch: pytest.MonkeyPatch, gain: Estimate, answer: Answer
) -> None:
    monkeypatch.setattr(comparison_gate, "gain_of_recall", lambda *arrays: gain)

    assert no_worse(np.ones(9), np.arange(9.0), -np.arange(9.0)).verdict == answer


def told_of(
    monkeypatch: pytest.MonkeyPatch, gain: Estimate, confirmed: int
) -> comparison_gate.Verdict:
    monkeypatch.setattr(comparison_gate, "gain_of_recall", lambda *arrays: gain)
    scores = np.arange(float(confirmed))
    return no_worse(np.ones(confirmed), scores, np.roll(scores, 1))


@pytest.mark.parametrize("value", [-0.04, 0.0, 0.03])
def test_an_undecided_gate_says_how_many_would_be_enough(
    monkeypatch: pytest.MonkeyPatch, value: float
) -> None:
    """An interval is half as wide of four times as many, so that it no longer reaches -0.05."""
    gain = Estimate(value, value - 0.11, value + 0.1)

    verdict = told_of(monkeypatch, gain, confirmed=1_001)

    assert verdict.verdict == "undecided"
    said = re.search(r"; about ([\d,]+) confirmed subjects would be enough$", verdict.reason)
    assert said is not None
    enough = int(said[1].replace(",", ""))
    assert value - 0.11 * (1_001 / enough) ** 0.5 >= -MARGIN
    assert value - 0.11 * (1_001 / (enough - 1)) ** 0.5 < -MARGIN


def test_no_number_is_promised_where_the_loss_is_beyond_the_margin(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for value in (-MARGIN, -0.2):
        verdict = told_of(monkeypatch, Estimate(value, -0.5, 0.1), confirmed=9)
        assert verdict.verdict == "undecided"
        assert verdict.reason.endswith("more confirmed subjects would tell")


def test_the_difference_is_told_with_its_interval_and_what_it_rests_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    verdict = told_of(monkeypatch, Estimate(0.0201, -0.01, 0.05), confirmed=1_001)

    assert verdict == comparison_gate.Verdict(
        "no worse than the champion",
        "passed",
        "mean recall over the highest 1% to 20% of all traffic differs from the champion's by "
        "+0.020 (-0.010 to +0.050) over 1,001 confirmed subjects; want an interval above -0.05 "
        "that does not lie below 0; of the confirmed in the champion's highest 1% it has 1 no "
        "longer there, and 1 others",
        cases=CountedCases("confirmed subjects", 1_001, 185),
    )


def test_nothing_confirmed_decides_nothing() -> None:
    scores = np.arange(10.0)

    assert no_worse(np.full(10, np.nan), scores, -scores).verdict == "undecided"
