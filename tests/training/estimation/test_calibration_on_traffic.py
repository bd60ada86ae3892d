"""Whether probabilities mean on all traffic what they say, beside a plain logistic fit."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logit
from sklearn.linear_model import LogisticRegression

from training.confidence_intervals import Estimate
from training.estimation.calibration_on_traffic import cut_weights, traffic_calibration
from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.estimation.population_figures import UNKNOWN
from training.estimation.weighted_mean import weighted_mean
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


@pytest.mark.parametrize(
    ("factor", "shift"), [(0.01, 0.0), (8.0, 0.0), (3.0, 8.0), (1.0, -20.0), (-1.0, 0.0)]
)
def test_a_slope_is_found_however_far_off_the_scores_are(factor: float, shift: float) -> None:
    spoilt = np.clip(factor * TRUE_LOG_ODDS + shift, -30, 30)

    told = traffic_calibration(drawn(1.0), spoilt, 0.05).slope

    assert told.value == pytest.approx(plain_slope(spoilt), rel=1e-3)


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
    assert told.observed_over_expected == UNKNOWN
    assert told.top_observed_over_expected == UNKNOWN
    assert told.slope == UNKNOWN


def tipped_and_drawn(*, tips_found: int, chance_of_tips: float) -> tuple[InspectedSample, Floats]:
    """Ten tips, half of them settled, and a draw of 100 of 1,000, 20 of which are confirmed.

    Log-odds give every drawn subject a chance of a tenth.
    """
    labels, ways = np.full(1_010, np.nan), np.full(1_010, None, dtype=object)
    labels[:5] = (np.arange(5) < tips_found).astype(np.float64)
    labels[10:110] = (np.arange(100) < 20).astype(np.float64)
    ways[:10], ways[10:110] = "intelligence", "random"
    probability = np.where(np.arange(1_010) < 10, np.nan, 0.1)
    log_odds = np.where(np.arange(1_010) < 10, logit(chance_of_tips), logit(0.1))
    return inspected_sample(labels, ways, probability), log_odds


def test_tips_are_set_against_their_own_chance_and_draws_against_that_of_the_rest() -> None:
    sample, log_odds = tipped_and_drawn(tips_found=4, chance_of_tips=0.5)

    told = traffic_calibration(sample, log_odds, 0.05).observed_over_expected

    expected = 10 * 0.5 + 1_000 * 0.1
    drawn = weighted_mean(
        np.r_[np.ones(20), np.zeros(80)], np.full(100, 10.0), is_this_traffic=False
    ).estimate
    # Eight of ten tips, as four of five are settled; and the drawn share of the other thousand.
    for end in ("value", "low", "high"):
        assert getattr(told, end) == pytest.approx(
            (8 + 1_000 * getattr(drawn, end)) / expected, rel=1e-6
        )


def test_tips_that_are_all_settled_stand_for_themselves() -> None:
    labels = np.r_[1.0, 1.0, 0.0, np.arange(100) < 20]
    ways: Texts = np.array(["intelligence"] * 3 + ["random"] * 100, dtype=object)
    sample = inspected_sample(labels, ways, np.r_[np.full(3, np.nan), np.ones(100)])

    told = traffic_calibration(sample, np.r_[np.zeros(3), np.full(100, logit(0.1))], 0.05)

    assert told.observed_over_expected.value == pytest.approx((2 + 20) / (1.5 + 10))


def test_draws_of_unequal_weight_count_by_their_weights() -> None:
    weights, labels = np.r_[np.ones(50), np.full(50, 5.0)], np.r_[np.ones(10), np.zeros(90)]
    labels[50:80] = 1.0
    sample = unequal(weights, labels, traffic=300)

    log_odds = np.full(300, logit(0.15))
    log_odds[:50], log_odds[50:100] = logit(0.1), logit(0.2)

    told = traffic_calibration(sample, log_odds, 0.05)

    assert told.observed_over_expected.value == pytest.approx((10 + 150) / (50 * 0.1 + 250 * 0.2))


def test_where_tips_alone_were_expected_to_find_all_there_is_draws_add_nothing() -> None:
    sample, log_odds = tipped_and_drawn(tips_found=4, chance_of_tips=0.5)
    log_odds[5:10], log_odds[10:] = -30.0, -30.0

    told = traffic_calibration(sample, log_odds, 0.05).observed_over_expected

    # Those settled stand for ten tips of an even chance, of whom half have next to none.
    assert told.value == pytest.approx(8 / 2.5)
    assert (told.low, told.high) == (pytest.approx(3.2), pytest.approx(3.2))


def test_of_a_part_where_nobody_was_drawn_no_ratio_is_known() -> None:
    sample, log_odds = tipped_and_drawn(tips_found=4, chance_of_tips=0.5)

    told = traffic_calibration(sample, log_odds, 9 / 1_010)

    assert told.top_observed_over_expected == UNKNOWN
    assert told.observed_over_expected.value is not None


def unequal(weights: Floats, labels: Floats, traffic: int = 10_000) -> InspectedSample:
    """A draw whose first subjects have these weights, each alone."""
    drawn = np.full(len(weights), "random", dtype=object)
    sample = inspected_sample(labels, drawn, np.ones(len(weights)))
    return replace(sample, weights=weights, traffic=traffic, refusal=None)


def test_no_weight_is_more_than_ten_times_the_usual_and_their_sum_stays() -> None:
    weights = np.array([2.0] * 9 + [100.0])

    cut = cut_weights(unequal(weights, np.zeros(10)))

    assert cut == pytest.approx(np.array([2.0] * 9 + [20.0]) * 118 / 38)
    assert weights.tolist() == [2.0] * 9 + [100.0]
    even = np.linspace(1.0, 9.0, 10)
    assert cut_weights(unequal(even, np.zeros(10))) == pytest.approx(even)


def test_certain_subjects_keep_their_weights() -> None:
    sample = inspected_sample(
        np.zeros(4), np.full(4, "intelligence", dtype=object), np.full(4, np.nan)
    )
    assert cut_weights(sample).tolist() == [1.0] * 4


def slope_of(sample: InspectedSample, log_odds: Floats) -> Estimate:
    return traffic_calibration(sample, log_odds, 0.05).slope


def test_the_interval_of_a_slope_is_as_wide_as_slopes_scatter() -> None:
    rng = np.random.default_rng(8)
    slopes, halves = [], []
    for _ in range(120):
        log_odds = rng.normal(-2, 1.2, 2_000)
        labels = (rng.random(2_000) < 1 / (1 + np.exp(-log_odds))).astype(np.float64)
        told = slope_of(unequal(np.ones(2_000), labels), np.r_[log_odds, np.zeros(8_000)])
        assert told.value is not None
        assert told.low is not None
        slopes.append(told.value)
        halves.append(told.value - told.low)

    assert np.mean(halves) == pytest.approx(1.96 * np.std(slopes), rel=0.12)


def test_a_slope_of_few_confirmed_is_as_unsure_as_they_are_few() -> None:
    """The same results four times over halve the error, and leave more to tell it by."""
    labels, weights = np.r_[np.zeros(60), 1.0, 1.0], np.r_[np.full(60, 3.0), 1.0, 9.0]
    log_odds = np.random.default_rng(9).normal(-3, 1, 62)
    widths = []
    for times in (1, 4):
        sample = unequal(np.tile(weights, times), np.tile(labels, times))
        told = slope_of(sample, np.r_[np.tile(log_odds, times), np.zeros(10_000 - 62 * times)])
        widths.append((told.high or 0.0) - (told.low or 0.0))

    assert widths[0] > 3 * widths[1] > 0


def test_a_slope_holds_where_hardly_any_result_that_represents_many_is_confirmed() -> None:
    rng = np.random.default_rng(10)
    estimates = []
    for _ in range(100):
        log_odds = rng.normal(-5, 1.3, 4_000)
        chance = np.where(log_odds > np.quantile(log_odds, 0.96), 0.8, 0.02)
        rows = np.flatnonzero(rng.random(4_000) < chance)
        labels = (rng.random(len(rows)) < expit(log_odds[rows])).astype(np.float64)
        order = np.r_[log_odds[rows], np.delete(log_odds, rows)]
        estimates.append(slope_of(unequal(1 / chance[rows], labels, 4_000), order))

    given = [each for each in estimates if each.value is not None]
    assert len(given) > 90
    holds = [(each.low or 0.0) <= 1 <= (each.high or 0.0) for each in given]
    assert np.mean(holds) >= 0.92
    assert np.mean([each.value or 0.0 for each in given]) == pytest.approx(1.0, abs=0.1)


def test_log_odds_beyond_thirty_count_as_thirty() -> None:
    sample = drawn(0.2)
    far, at_thirty = TRUE_LOG_ODDS.copy(), TRUE_LOG_ODDS.copy()
    ends = sample.rows[:2]
    far[ends], at_thirty[ends] = (1_000.0, -1_000.0), (30.0, -30.0)

    assert slope_of(sample, far) == slope_of(sample, at_thirty)
    at_29 = at_thirty.copy()
    at_29[ends] = 29.0, -29.0
    assert slope_of(sample, far) != slope_of(sample, at_29)


@pytest.mark.parametrize(
    ("labels", "log_odds", "is_known"),
    [
        ((1, 1, 0, 0), (0.3, -0.1, -0.2, 0.2), True),
        ((0, 1, 0, 0), (0.3, -0.1, -0.2, 0.2), False),
        ((0, 0, 0, 0), (0.3, -0.1, -0.2, 0.2), False),
        ((1, 1, 1, 1), (0.3, -0.1, -0.2, 0.2), False),
        ((1, 1, 1, 0), (0.3, -0.1, -0.2, 0.2), True),
        ((1, 1, 0, 0), (0.3, 0.3, 0.3, 0.3), False),
        ((1, 1, 0, 0), (-300.0, -400.0, -500.0, -600.0), False),
        # Where a score tells every result from every other, no slope is steep enough.
        ((1, 1, 0, 0), (0.3, 0.2, -0.2, -0.1), False),
    ],
)
def test_a_slope_is_known_where_some_of_different_scores_are_confirmed_and_some_are_not(
    labels: tuple[int, ...], log_odds: tuple[float, ...], is_known: bool
) -> None:
    sample = unequal(np.ones(4), np.array(labels, dtype=np.float64))

    told = slope_of(sample, np.r_[log_odds, np.zeros(9_996)])

    assert (told.value is not None) is is_known


def test_probabilities_of_nothing_at_all_are_exceeded_beyond_all_measure() -> None:
    told = traffic_calibration(drawn(0.2), np.full(TRAFFIC, -1_000.0), 0.05)

    for ratio in (told.observed_over_expected, told.top_observed_over_expected):
        assert ratio.low is not None
        assert ratio.high is not None
        assert 1e9 < ratio.low < ratio.high < np.inf
