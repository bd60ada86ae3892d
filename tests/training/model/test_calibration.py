import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from training.errors import TrainingError
from training.model.calibration import SLOPE_SPREAD, calibrate, likeliest_line, log_odds_of


def drawn(rows: int, slope: float, intercept: float) -> tuple[np.ndarray, np.ndarray]:
    lots = np.random.default_rng(8)
    margins = lots.normal(-2, 1.5, rows)
    return margins, (lots.random(rows) < expit(slope * margins + intercept)).astype(float)


def test_the_line_that_made_the_labels_is_found_again() -> None:
    line = calibrate(*drawn(60_000, slope=0.6, intercept=-0.8))

    assert line.slope == pytest.approx(0.6, abs=0.03)
    assert line.intercept == pytest.approx(-0.8, abs=0.05)


def test_the_likeliest_line_agrees_with_an_unpenalised_logistic_regression() -> None:
    margins, labels = drawn(20_000, slope=1.3, intercept=0.4)
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(margins[:, None], labels)

    line = likeliest_line(margins, labels)

    assert line.slope == pytest.approx(reference.coef_[0, 0], abs=5e-3)
    assert line.intercept == pytest.approx(reference.intercept_[0], abs=5e-3)


def test_weights_count_subjects() -> None:
    margins, labels = drawn(3_000, slope=0.9, intercept=0.0)
    counts = np.random.default_rng(1).integers(1, 4, len(labels))

    weighted = likeliest_line(margins, labels, counts.astype(float))
    repeated = likeliest_line(np.repeat(margins, counts), np.repeat(labels, counts))

    assert weighted.slope == pytest.approx(repeated.slope, rel=1e-4)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-4)


def test_the_standard_error_is_the_spread_of_slopes_of_redrawn_labels() -> None:
    """Most subjects were drawn with a small chance, as in a control lane, and risky ones often."""
    slopes, errors = [], []
    for seed in range(150):
        lots = np.random.default_rng(seed)
        margins = lots.normal(-3, 1.5, 40_000)
        chance = np.where(margins > -1, 0.5, 0.02)
        kept = lots.random(len(margins)) < chance
        labels = (lots.random(len(margins)) < expit(0.8 * margins)).astype(float)
        line = likeliest_line(margins[kept], labels[kept], 1 / chance[kept])
        slopes.append(line.slope)
        errors.append(line.standard_error)

    assert np.mean(errors) == pytest.approx(np.std(slopes), rel=0.15)
    # Had weights counted as results, errors would be a fifth of it.
    assert np.std(errors) < 0.1 * np.mean(errors)


def test_a_slope_of_few_labels_is_shrunk_by_its_standard_error() -> None:
    margins, labels = drawn(300, slope=0.4, intercept=-1.0)
    alone, shrunk = likeliest_line(margins, labels), calibrate(margins, labels, usual_slope=0.9)
    error = alone.standard_error
    assert error is not None
    assert error > 0.05

    weight = SLOPE_SPREAD**2 / (SLOPE_SPREAD**2 + error**2)
    assert shrunk.slope == pytest.approx(weight * alone.slope + (1 - weight) * 0.9)
    assert abs(shrunk.slope - alone.slope) > 0.02
    assert (shrunk.slope_of_labels, shrunk.standard_error) == (alone.slope, error)


def test_heavier_weights_are_no_more_results() -> None:
    margins, labels = drawn(300, slope=0.4, intercept=-1.0)

    once, fifty = (calibrate(margins, labels, np.full(300, each)) for each in (1.0, 50.0))

    assert fifty.standard_error == pytest.approx(once.standard_error, rel=0.05)
    assert fifty.slope == pytest.approx(once.slope, abs=0.01)


@pytest.mark.parametrize("usual_slope", [0.5, 2.0])
def test_a_shrunk_slope_keeps_the_mean_probability_by_weight(usual_slope: float) -> None:
    margins, labels = drawn(300, slope=1.0, intercept=0.0)
    weights = np.random.default_rng(2).uniform(0, 50, 300)

    alone = likeliest_line(margins, labels, weights)
    shrunk = calibrate(margins, labels, weights, usual_slope)

    before, after = (expit(log_odds_of(margins, line)) for line in (alone, shrunk))
    assert abs(shrunk.slope - alone.slope) > 0.03
    assert weights @ after == pytest.approx(weights @ before, rel=1e-6)


def test_perfectly_separated_labels_get_a_finite_line_that_keeps_the_order() -> None:
    margins = np.linspace(-1, 1, 40)

    line = calibrate(margins, (margins > 0).astype(float))

    assert 0 < line.slope < 1e3
    assert (np.diff(log_odds_of(margins, line)) > 0).all()


def test_labels_none_of_which_weighs_anything_count_once_each() -> None:
    margins, labels = drawn(2_000, 2.0, 3.0)

    line = calibrate(margins, labels, np.zeros(2_000))

    assert line == calibrate(margins, labels)
    assert line.slope > 1.5


def test_margins_that_fall_as_the_risk_rises_are_refused() -> None:
    margins, labels = drawn(5_000, slope=1.0, intercept=0.0)

    with pytest.raises(TrainingError, match="want one above 0"):
        calibrate(-margins, labels)


def test_few_labels_against_the_margins_are_refused_whatever_slope_is_usual() -> None:
    margins = np.linspace(-2, 2, 12)

    with pytest.raises(TrainingError, match="want one above 0"):
        calibrate(margins, (margins < -1).astype(float), usual_slope=2.0)
