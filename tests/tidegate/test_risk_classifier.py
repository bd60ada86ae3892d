"""The classifier keeps scikit-learn's rules, and takes rows in every form."""

from typing import Any

import numpy as np
import pandas as pd
import polars
import pytest
from sklearn.utils.estimator_checks import parametrize_with_checks

from tidegate.risk_classifier import RiskClassifier

SMALL = {"trees": 30, "leaves": 4, "min_data_in_leaf": 2, "learning_rate": 0.2}
# Named, with the reason why.
EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": "folds, edges of bins and the least number of "
    "rows in a leaf count rows: one of weight 2 is not two rows"
}


@pytest.mark.filterwarnings("ignore:scores of held-out rows")  # labels of many checks are noise
@parametrize_with_checks(
    [RiskClassifier(thresholds="best", **SMALL)],
    expected_failed_checks=lambda _: EXPECTED_TO_FAIL,
)
def test_the_classifier_keeps_a_rule_of_scikit_learn(estimator: Any, check: Any) -> None:
    check(estimator)


@pytest.fixture(scope="module")
def cargo() -> pd.DataFrame:
    """Rows whose risk rises with a price and with one port, and which miss a price now and then."""
    lots = np.random.default_rng(3)
    port = np.where(lots.random(600) < 0.3, "NLRTM", "DEHAM")
    price = np.where(lots.random(600) < 0.1, np.nan, lots.normal(size=600))
    risk = np.nan_to_num(price) + 2 * (port == "NLRTM") - 1
    label = np.where(lots.random(600) < 1 / (1 + np.exp(-2 * risk)), "smuggled", "clean")
    return pd.DataFrame({"port": port, "price": price, "label": label})


def test_rows_count_the_same_in_every_form(cargo: pd.DataFrame) -> None:
    rows = cargo.drop(columns="label")
    fitted = RiskClassifier(**SMALL).fit(rows, cargo["label"])
    expected = fitted.predict_proba(rows)

    for form in (polars.from_pandas(rows), rows.to_dict("records")):
        again = RiskClassifier(**SMALL).fit(form, cargo["label"])
        np.testing.assert_array_equal(again.predict_proba(form), expected)
        assert again.feature_names_in_.tolist() == ["port", "price"]
    assert fitted.classes_.tolist() == ["clean", "smuggled"]
    parts, base = fitted.contributions(rows)
    np.testing.assert_allclose(base + parts.sum(axis=1), fitted.decision_function(rows), atol=1e-9)
    # Calibrated: of those with a probability above one half, as many are smuggled as it says.
    likely = expected[:, 1] > 0.5
    assert (cargo["label"] == "smuggled")[likely].mean() == pytest.approx(
        expected[likely, 1].mean(), abs=0.1
    )
    assert fitted.score(rows, cargo["label"]) > 0.75
