"""Tidegate's fit as a scikit-learn classifier: LightGBM's trees and a calibrating line."""

import warnings
from typing import Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.model_selection import StratifiedKFold
from sklearn.utils import check_random_state
from sklearn.utils.multiclass import check_classification_targets, type_of_target
from sklearn.utils.validation import _check_sample_weight, check_is_fitted, validate_data

from serving.models.scores import PreparedTrees
from tidegate.frames import as_pandas, is_tabular
from training.errors import TrainingError
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_calibrated import FOLDS
from training.fit.fit_trees import LabelledRows, cross_fit_trees, fit_trees
from training.model.calibration import calibrate, calibrated_probability, log_odds_of
from training.model.encoding import Encoding, ModelInput
from training.model.manifest import Calibration
from training.model.model_inputs import ModelInputs
from training.parameters import TrainingParameters
from training.ranking import Floats

# Columns of any table have no direction in which risk may change.
NO_DIRECTIONS = ModelInputs("shipment", (), {}, "")
NOT_CALIBRATED = Calibration(slope=1.0, intercept=0.0)


class RiskClassifier(ClassifierMixin, BaseEstimator):  # type: ignore[misc]  # untyped
    """A calibrated classifier of two classes; `classes_[1]` is the one at risk.

    Four cross-fitted folds determine the number of trees and the calibration; the final trees are
    fitted on all rows. Rows are not shuffled. Numbers may be missing (NaN), and text columns of a
    frame are categories; one on fewer than `fewest_per_category` rows, or not seen in the fit,
    counts as missing. Equal rows, parameters and `random_state` give equal trees. Other parameters
    are those of `training.parameters.TreeParameters`. To train a model that can be promoted, which
    needs windows of time and gates, use `tidegate.train`.
    """

    def __init__(  # noqa: PLR0913  scikit-learn reads parameters from it
        self,
        *,
        trees: int = 800,
        leaves: int = 8,
        learning_rate: float = 0.03,
        min_data_in_leaf: int = 20,
        l2: float = 3.0,
        feature_share: float = 0.5,
        early_stopping_rounds: int = 100,
        fewest_per_category: int = 60,
        thresholds: str = "random",
        random_state: Any = 7,
        threads: int = 1,
    ) -> None:
        self.trees = trees
        self.leaves = leaves
        self.learning_rate = learning_rate
        self.min_data_in_leaf = min_data_in_leaf
        self.l2 = l2
        self.feature_share = feature_share
        self.early_stopping_rounds = early_stopping_rounds
        self.fewest_per_category = fewest_per_category
        self.thresholds = thresholds
        self.random_state = random_state
        self.threads = threads

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit trees and calibration to rows with one of two labels each; return the classifier.

        `X` is an array or anything that `tidegate.frames.as_pandas` reads; `sample_weight` is the
        number of subjects that a row stands for. Raises ValueError, also for pydantic's faults of
        parameters. Warns, and leaves margins as they are, if folds cannot calibrate them.
        """
        self._encoding = self._learn_encoding(X)
        rows, labels = validate_data(
            self, self._encoded(X), y, dtype=np.float64, ensure_all_finite="allow-nan"
        )
        check_classification_targets(labels)
        if type_of_target(labels, input_name="y", raise_unknown=True) != "binary":
            raise ValueError(
                "Only binary classification is supported. The type of the target is "
                f"{type_of_target(labels)}."
            )
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError("y holds one class; want rows of both, to tell them apart")
        weights = None
        if sample_weight is not None:
            weights = _check_sample_weight(sample_weight, rows, dtype=np.float64)
        targets = codes.astype(np.float64)
        self.booster_text_, self.calibration_ = self._fit_calibrated(
            LabelledRows(EncodedRows.from_matrix(rows), targets, weights)
        )
        return self

    def decision_function(self, X: Any) -> Floats:
        """Return the calibrated log-odds of `classes_[1]`, one for each row."""
        margins = Margins.from_text(self._checked().booster_text_, self.threads)
        return log_odds_of(margins.predict(self._rows(X)), self.calibration_)

    def predict_proba(self, X: Any) -> Floats:
        """Return calibrated probabilities, a column for each of `classes_`."""
        probability = calibrated_probability(self.decision_function(X))
        return np.column_stack([1 - probability, probability])

    def predict(self, X: Any) -> Any:
        """Return the more probable class of each row."""
        return self._checked().classes_[(self.decision_function(X) > 0).astype(np.int64)]

    def contributions(self, X: Any) -> tuple[Floats, float]:
        """Return exact SHAP values [rows, features] in log-odds, and the base they add up from."""
        margins = Margins.from_text(self._checked().booster_text_, self.threads)
        parts, expected = margins.contributions(self._rows(X))
        slope = self.calibration_.slope
        return slope * parts, slope * expected + self.calibration_.intercept

    def interactions(self, X: Any) -> Floats:
        """Return SHAP interaction values [rows, features, features] in log-odds.

        The rows of each matrix add up to the contributions.
        """
        trees = PreparedTrees.from_text(self._checked().booster_text_)
        return self.calibration_.slope * trees.interactions(self._rows(X))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = False
        tags.input_tags.allow_nan = True
        return tags

    def _fit_calibrated(self, rows: LabelledRows) -> tuple[str, Calibration]:
        parameters, encoding = self._parameters(), self._encoding or _numbered(rows)
        folds = min(FOLDS, *np.bincount(rows.labels.astype(np.int64)).tolist())
        if folds < 2:
            warnings.warn("a class has a single row; nothing is calibrated", stacklevel=3)
            trees = fit_trees(rows, None, encoding, NO_DIRECTIONS, parameters)
            return trees, NOT_CALIBRATED
        places = [
            fold
            for _, fold in StratifiedKFold(folds).split(np.zeros(len(rows.labels)), rows.labels)
        ]
        fitted = cross_fit_trees(rows, places, encoding, NO_DIRECTIONS, parameters)
        margins = np.empty(len(rows.labels))
        for text, fold in zip(fitted.texts, places, strict=True):
            margins[fold] = Margins.from_text(text, self.threads).predict_all(
                rows.values.only(fold)
            )
        fixed = parameters.with_trees(fitted.rounds)
        trees = fit_trees(rows, None, encoding, NO_DIRECTIONS, fixed)
        try:
            return trees, calibrate(margins, rows.labels, rows.weights)
        except TrainingError:
            reason = "scores of held-out rows do not rise with the risk; nothing is calibrated"
            warnings.warn(reason, stacklevel=3)
            return trees, NOT_CALIBRATED

    def _parameters(self) -> TrainingParameters:
        trees = {
            name: value
            for name, value in self.get_params().items()
            if name not in ("random_state", "threads")
        }
        seed = check_random_state(self.random_state).randint(2**31 - 1)
        if isinstance(self.random_state, int):
            seed = self.random_state
        tables = {"seed": seed, "threads": self.threads, "trees": trees | {"monotone": "off"}}
        return TrainingParameters.model_validate(tables)

    def _learn_encoding(self, X: Any) -> Encoding | None:
        """Return the columns of a frame with their categories; None for an array."""
        if not _has_names(X):
            return None
        frame = as_pandas(X)
        return Encoding(tuple(self._input(frame, name) for name in frame.columns))

    def _input(self, frame: pd.DataFrame, name: str) -> ModelInput:
        if pd.api.types.is_numeric_dtype(frame[name].dtype):
            return ModelInput(name=name)
        counts = frame[name].value_counts()
        often = counts.index[counts >= self.fewest_per_category]
        return ModelInput(name=name, categories=tuple(sorted(map(str, often))))

    def _rows(self, X: Any) -> Floats:
        rows: Floats = validate_data(
            self, self._encoded(X), reset=False, dtype=np.float64, ensure_all_finite="allow-nan"
        )
        return rows

    def _encoded(self, X: Any) -> Any:
        """Return a frame with numbers for its categories; an array as it is."""
        if self._encoding is None or not _has_names(X):
            return as_pandas(X) if is_tabular(X) else X
        frame = as_pandas(X)
        # scikit-learn says it in the words of its own convention.
        if list(frame.columns) != self._encoding.names:
            return frame
        return pd.DataFrame(self._encoding.encode_frame(frame), columns=frame.columns)

    def _checked(self) -> Self:
        check_is_fitted(self)
        return self


def _has_names(rows: Any) -> bool:
    return is_tabular(rows) and all(isinstance(name, str) for name in as_pandas(rows).columns)


def _numbered(rows: LabelledRows) -> Encoding:
    return Encoding(tuple(ModelInput(name=f"x{at}") for at in range(len(rows.values.columns))))
