"""The gate on a new calibration: what is nearer to the truth passes, what is farther never does."""

from collections import Counter
from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.special import expit

from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.gates.recalibration_gate import better_calibrated, gain_of_log_loss
from training.gates.verdict import Answer
from training.model.manifest import WindowFigures
from training.ranking import Floats

SUBJECTS = 10_000
DAY = datetime(2026, 12, 1, tzinfo=UTC)
WINDOW = WindowFigures(begins=DAY.replace(month=9), ends=DAY, labelled=900, confirmed=60)
ODDS_TRIPLED = np.log(3.0)


def traffic(seed: int, drawn: float = 0.2) -> tuple[InspectedSample, Floats]:
    """Some 170 confirmable subjects of which the riskiest are inspected; their true log-odds."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(-5.0, 1.3, SUBJECTS)
    chance = np.where(truth > np.quantile(truth, 0.96), 0.8, drawn)
    labels = (rng.random(SUBJECTS) < expit(truth)).astype(np.float64)
    labels[rng.random(SUBJECTS) >= chance] = np.nan
    ways = np.where(np.isnan(labels), None, "model")
    return inspected_sample(labels, ways, np.where(np.isnan(labels), np.nan, chance)), truth


def test_the_gain_is_that_of_the_truth() -> None:
    gains, differences = [], []
    for seed in range(20):
        sample, truth = traffic(seed)
        champion = 1.3 * truth + 1.5  # higher than the truth at the top, and lower below
        found = gain_of_log_loss(sample, truth, champion)
        each = np.logaddexp(0, champion) - np.logaddexp(0, truth)
        each -= expit(truth) * (champion - truth)
        assert found.low is not None
        assert found.high is not None
        gains.append(found.value)
        differences.append(found.low <= 1_000 * each.mean() <= found.high)
    assert np.mean(gains) == pytest.approx(1_000 * each.mean(), rel=0.05)
    assert sum(differences) >= 18


@pytest.mark.parametrize(
    ("model", "champion", "answers"),
    [
        (0.0, ODDS_TRIPLED, {"passed": 19, "undecided": 1}),
        (ODDS_TRIPLED, 0.0, {"refused": 19, "undecided": 1}),
    ],
)
def test_a_calibration_nearer_to_the_truth_passes_and_one_farther_is_refused(
    model: float, champion: float, answers: dict[Answer, int]
) -> None:
    found = Counter[Answer]()
    for seed in range(20):
        sample, truth = traffic(seed)
        found[better_calibrated(sample, truth + model, truth + champion, WINDOW).verdict] += 1
    assert found == answers


def test_where_little_is_gained_it_says_how_many_results_would_tell() -> None:
    sample, truth = traffic(1)

    told = better_calibrated(sample, truth, truth - 0.4, WINDOW)

    assert told.verdict == "undecided"
    assert told.cases is not None
    assert told.cases.needed is not None
    assert told.cases.known == sample.is_drawn.sum() < told.cases.needed
    assert (told.cases.begins, told.cases.ends) == (WINDOW.begins, WINDOW.ends)
    needed = f"about {told.cases.needed:,} results drawn with a probability would be enough"
    assert told.reason.endswith(f"want an interval above 0; {needed}")
    assert "log loss of 1,000 subjects is lower than the champion's by " in told.reason


def test_a_calibration_that_changes_nothing_is_refused() -> None:
    sample, truth = traffic(1)

    told = better_calibrated(sample, truth, truth, WINDOW)

    assert told.verdict == "refused"
    assert "nothing changed" in told.reason


def test_too_few_draws_decide_nothing() -> None:
    nobody = np.full(SUBJECTS, None), np.full(SUBJECTS, np.nan)
    none = inspected_sample(np.full(SUBJECTS, np.nan), *nobody)
    truth = traffic(1)[1]

    told = better_calibrated(none, truth, truth + ODDS_TRIPLED, WINDOW)

    assert told.verdict == "undecided"
    assert told.reason.startswith("0 results of subjects")
    assert told.cases is not None
    assert told.cases.needed is None
