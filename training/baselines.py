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

from training.data.time_split import TimeWindow, as_instant, in_utc, window_before
from training.data.training_set import TrainingSet
from training.errors import WindowUnusable
from training.evaluation.reevaluation import parameters_of, unseen_from
from training.fit.other_libraries import MAX_BINS
from training.fit.sample_weights import weighted_rows
from training.model.risk_model import RiskModel
from training.parameters import SplitParameters
from training.ranking import Floats


def baseline_scores(
    model: RiskModel, data: TrainingSet, window: TimeWindow
) -> Iterator[tuple[str, Floats]]:
    """Yield the name and log-odds of each baseline for all subjects declared in `window`.

    `window` must not begin before the model's own evaluation. Raises WindowUnusable if `data` has
    too little of what the model was fitted on.
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
    begins, ends = as_instant(model.manifest.training_window.fit.begins), unseen_from(model)
    window = window_before(data, (begins, ends), parameters)
    confirmed = int(window.labels.sum())
    cleared = len(window.labels) - confirmed
    if min(confirmed, cleared) < parameters.minimum_labels:
        raise WindowUnusable(
            f"baselines are fitted on {in_utc(begins):%Y-%m-%d} until before "
            f"{in_utc(ends):%Y-%m-%d}, as {model.manifest.name} was, and this training set has "
            f"{confirmed} confirmed and {cleared} cleared of then; want one that goes back as far"
        )
    return window


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
        # Columns of more categories are read as numbers.
        if len(model.encoding.inputs[place].categories or ()) <= MAX_BINS
    ]
    booster = HistGradientBoostingClassifier(categorical_features=texts or None, random_state=seed)
    # It cannot make bins of a column without values.
    filled = np.where(np.isnan(rows).all(axis=0), 0.0, rows)
    return booster.fit(filled, labels, sample_weight=weights)
