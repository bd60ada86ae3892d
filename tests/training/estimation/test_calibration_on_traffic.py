"""Whether probabilities mean on all traffic what they say, beside a plain logistic fit."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from training.estimation.calibration_on_traffic import traffic_calibration
from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.outcomes import Texts
from training.ranking import Floats

TRAFFIC = 20_000
TRUE_LOG_ODDS = np.random.default_rng(4).normal(-2, 1.2, TRAFFIC)
TRUTH = (np.random.default_rng(5).random(TRAFFIC) < 1 / (1 + np.exp(-TRUE_LOG_ODDS))).astype(float)


def drawn(probability: float) -> InspectedSample:
    """Results of a draw with one probability."""
    is_drawn = np.random.default_rng(6).random(TRAFFIC) < probability
    ways: Texts = np.where(is_drawn, "random", None).astype(object)
    labels = np.where(is_drawn, TRUTH, np.nan)
    return inspected_sample(labels, ways, np.where(is_drawn, probability, np.nan))


def plain_slope(log_odds: Floats) -> float:
    """The slope of the logistic line through all subjects, by scikit-learn."""
    line = LogisticRegression(C=np.inf, tol=1e-10).fit(log_odds[:, None], TRUTH)
    return float(line.coef_[0, 0])


def test_a_calibrated_score_is_told_right_with_the_slope_of_a_plain_fit() -> None:
    told = traffic_calibration(drawn(1.0), TRUE_LOG_ODDS, 0.05)

    expected = 1 / (1 + np.exp(-TRUE_LOG_ODDS))
    top = np.sort(TRUE_LOG_ODDS)[-TRAFFIC // 20] <= TRUE_LOG_ODDS
    assert told.observed_over_expected.value == pytest.approx(TRUTH.sum() / expected.sum())
    assert told.top_observed_over_expected.value == pytest.approx(
        TRUTH[top].sum() / expected[top].sum(), rel=0.01
    )
    assert told.slope.value == pytest.approx(plain_slope(TRUE_LOG_ODDS), abs=0.01)
    for figure in (told.observed_over_expected, told.top_observed_over_expected, told.slope):
        assert figure.low <= 1 <= figure.high


@pytest.mark.parametrize("factor", [0.5, 2.0])
def test_log_odds_that_are_too_tame_or_too_wild_have_the_slope_that_undoes_it(
    factor: float,
) -> None:
    told = traffic_calibration(drawn(0.2), factor * TRUE_LOG_ODDS, 0.05).slope

    assert told.value == pytest.approx(1 / factor, rel=0.1)
    assert told.low <= plain_slope(factor * TRUE_LOG_ODDS) <= told.high
    assert not told.low <= 1 <= told.high


@pytest.mark.parametrize(("shift", "is_above"), [(-1.0, True), (1.0, False)])
def test_probabilities_that_are_too_low_find_more_than_they_expect(
    shift: float, is_above: bool
) -> None:
    told = traffic_calibration(drawn(0.2), TRUE_LOG_ODDS + shift, 0.05)

    wanted = TRUTH.sum() / (1 / (1 + np.exp(-TRUE_LOG_ODDS - shift))).sum()
    assert told.observed_over_expected.low <= wanted <= told.observed_over_expected.high
    assert (told.observed_over_expected.low > 1) is is_above
    assert (told.observed_over_expected.high < 1) is not is_above


def test_too_few_draws_say_nothing() -> None:
    told = traffic_calibration(drawn(0.001), TRUE_LOG_ODDS, 0.05)
    assert told.observed_over_expected.value is None
    assert told.slope.value is None
