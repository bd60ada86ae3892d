"""Plain models by scikit-learn, to compare with: what does a model gain over the usual methods?

They are fitted on the rows, targets and weights that the model was fitted on, read its columns, and
know nothing of its window. They are not calibrated: only their order of subjects counts.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.compose import make_column_transformer
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, QuantileTransformer

from training.data.time_split import TimeWindow
from training.data.training_set import TrainingSet
from training.evaluation.reevaluation import parameters_of
from training.fit.sample_weights import weighted_rows
from training.model.risk_model import RiskModel
from training.parameters import SplitParameters
from training.ranking import Floats

# scikit-learn's histograms hold at most 255 categories; others are read as numbers.
_MOST_CATEGORIES = 255


def baseline_scores(
    model: RiskModel, data: TrainingSet, window: TimeWindow
) -> Iterator[tuple[str, Floats]]:
    """Yield the name and log-odds of each baseline for all subjects declared in `window`.

    `window` must not begin before the model's own evaluation.
    """
    parameters = parameters_of(model)
    learnt = _learnt_window(model, data, parameters.split)
    fitted_on = weighted_rows(learnt, data, parameters.selection)
    rows = model.encoding.encode_frame(data.frame.iloc[fitted_on.rows])
    asked = model.encoding.encode_frame(data.frame.iloc[data.span(window.begins, window.ends)])
    for name, fit in (("logistic regression", _logistic), ("histogram boosting", _boosted)):
        fitted = fit(model, rows, fitted_on.targets, fitted_on.weights, parameters.seed)
        yield name, fitted.decision_function(asked)


def _learnt_window(model: RiskModel, data: TrainingSet, parameters: SplitParameters) -> TimeWindow:
    """Return all that was known before the model's evaluation: no baseline holds rows back."""
    learnt = model.manifest.training_window
    begins, ends = (
        np.datetime64(day.replace(tzinfo=None), "us")
        for day in (learnt.fit.begins, learnt.evaluation.begins)
    )
    gap = np.timedelta64(round(parameters.label_gap_days * 86_400e6), "us")
    return TimeWindow.between("fit", data, (begins, ends), known_before=ends, gap=gap)


def _logistic(
    model: RiskModel, rows: Floats, labels: Floats, weights: Floats | None, seed: int
) -> Any:
    """Fit a logistic regression on ranks, so that no scale and no outlier decides."""
    texts = model.encoding.categorical_places
    numbers = [place for place in range(rows.shape[1]) if place not in texts]
    as_ranks = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True, keep_empty_features=True),
        QuantileTransformer(n_quantiles=min(100, len(rows)), random_state=seed),
    )
    encoded = make_column_transformer(
        (as_ranks, numbers), (OneHotEncoder(handle_unknown="ignore"), texts)
    )
    regression = make_pipeline(encoded, LogisticRegression(max_iter=1_000))
    return regression.fit(rows, labels, logisticregression__sample_weight=weights)


def _boosted(
    model: RiskModel, rows: Floats, labels: Floats, weights: Floats | None, seed: int
) -> Any:
    """Fit scikit-learn's histogram boosting as it comes."""
    texts = [
        place
        for place in model.encoding.categorical_places
        if len(model.encoding.inputs[place].categories or ()) <= _MOST_CATEGORIES
    ]
    booster = HistGradientBoostingClassifier(categorical_features=texts or None, random_state=seed)
    # It cannot make bins of a column without values.
    filled = np.where(np.isnan(rows).all(axis=0), 0.0, rows)
    return booster.fit(filled, labels, sample_weight=weights)
