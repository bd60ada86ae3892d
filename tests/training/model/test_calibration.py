import numpy as np
import pytest
from scipy.special import expit
from sklearn.linear_model import LogisticRegression

from training.errors import TrainingError
from training.model.calibration import calibrate, log_odds_of


def drawn(rows: int, slope: float, intercept: float) -> tuple[np.ndarray, np.ndarray]:
    lots = np.random.default_rng(8)
    margins = lots.normal(-2, 1.5, rows)
    return margins, (lots.random(rows) < expit(slope * margins + intercept)).astype(float)


def test_the_line_that_made_the_labels_is_found_again() -> None:
    line = calibrate(*drawn(60_000, slope=0.6, intercept=-0.8))

    assert line.slope == pytest.approx(0.6, abs=0.03)
    assert line.intercept == pytest.approx(-0.8, abs=0.05)


def test_the_line_agrees_with_an_unpenalised_logistic_regression() -> None:
    margins, labels = drawn(20_000, slope=1.3, intercept=0.4)
    reference = LogisticRegression(C=np.inf, tol=1e-10).fit(margins[:, None], labels)

    line = calibrate(margins, labels)

    assert line.slope == pytest.approx(reference.coef_[0, 0], abs=5e-3)
    assert line.intercept == pytest.approx(reference.intercept_[0], abs=5e-3)


def test_weights_count_subjects() -> None:
    margins, labels = drawn(3_000, slope=0.9, intercept=0.0)
    counts = np.random.default_rng(1).integers(1, 4, len(labels))

    weighted = calibrate(margins, labels, counts.astype(float))
    repeated = calibrate(np.repeat(margins, counts), np.repeat(labels, counts))

    assert weighted.slope == pytest.approx(repeated.slope, rel=1e-4)
    assert weighted.intercept == pytest.approx(repeated.intercept, abs=1e-4)


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
