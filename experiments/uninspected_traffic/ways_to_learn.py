"""Ways to fit trees when few subjects were inspected, and those not by chance.

Each function returns the rows of a window, their targets and weights. Subjects that nobody
inspected are *traffic*: most are clean, a few are not.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.data.training_set import TrainingSet
from training.evenly_spaced import evenly_spaced
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import LabelledRows, fit_trees
from training.fit.sample_weights import WeightedRows, with_traffic
from training.model.encoding import Encoding
from training.parameters import TrainingParameters, TreeParameters
from training.ranking import Floats, Ints

TREES = 300
TRAFFIC_PER_CONFIRMED = 25
MAX_WEIGHT = 50.0
FOLDS = 4
# An inspection as unlikely as this would otherwise stand for hundreds of subjects.
MIN_PROPENSITY = 0.02


@dataclass(frozen=True)
class Window:
    """The rows of a training set to learn from: `labels` are NaN where no result is known."""

    data: TrainingSet
    rows: Ints
    labels: Floats
    encoding: Encoding
    columns: list[Floats]
    seed: int

    def fitted(self, part: WeightedRows) -> Margins:
        """Return trees fitted to weighted rows."""
        return Margins.from_text(self.fitted_text(part), threads=1)

    def fitted_text(self, part: WeightedRows) -> str:
        """Return the model text of trees fitted to weighted rows."""
        parameters = TrainingParameters(
            seed=self.seed, trees=TreeParameters(trees=TREES, early_stopping_rounds=0)
        )
        rows = LabelledRows(EncodedRows(self.columns, part.rows), part.targets, part.weights)
        return fit_trees(rows, None, self.encoding, self.data.inputs, parameters)

    def probability(self, margins: Margins, rows: Ints) -> Floats:
        """Return 1 / (1 + exp(-margin)) of each row."""
        return 1 / (1 + np.exp(-margins.predict_all(EncodedRows(self.columns, rows))))

    @property
    def inspected(self) -> Ints:
        """The rows with a known result."""
        return self.rows[~np.isnan(self.labels)]

    @property
    def results(self) -> Floats:
        """The results of `inspected`."""
        return self.labels[~np.isnan(self.labels)]

    @property
    def traffic(self) -> Ints:
        """The rows without a known result."""
        return self.rows[np.isnan(self.labels)]


def inspected_only(window: Window) -> WeightedRows:
    """Return inspected subjects, all alike."""
    return WeightedRows(window.inspected, window.results, None)


def inverse_probability(window: Window) -> WeightedRows:
    """Return inspected subjects with the weight 1 / logged probability."""
    weights = window.data.outcomes.weights(clip=MAX_WEIGHT)[window.inspected]
    return WeightedRows(window.inspected, window.results, weights)


def positive_unlabelled(window: Window) -> WeightedRows:
    """Return all subjects, with confirmed ones against all others: what training does."""
    most = round(TRAFFIC_PER_CONFIRMED * window.results.sum())
    return with_traffic(inspected_only(window), window.traffic, most)


def propensity_weighted(window: Window) -> WeightedRows:
    """Return confirmed subjects with the weight 1 / propensity against all traffic.

    The propensity is the estimated chance of inspection by a subject's features, so that cases like
    those that inspectors seldom look at count more (Bekker and Davis 2019).
    """
    rows = positive_unlabelled(window)
    chance = propensity(window)[np.searchsorted(window.rows, rows.rows)]
    assert rows.weights is not None
    weights = np.where(rows.targets == 1, rows.weights / chance, rows.weights)
    scale = rows.targets.sum() / weights[rows.targets == 1].sum()
    return WeightedRows(
        rows.rows, rows.targets, np.where(rows.targets == 1, weights * scale, weights)
    )


def doubly_robust(window: Window) -> WeightedRows:
    """Return all subjects with doubly robust targets, each as a weighted case and a non-case.

    The target is the cross-fitted prediction of a model of inspected subjects, corrected by the
    residual of those inspected over their propensity, and clipped to 0..1.
    """
    chance = propensity(window)
    predicted = _cross_fitted(window)
    residual = np.where(np.isnan(window.labels), 0.0, window.labels - predicted) / chance
    target = np.clip(predicted + residual, 0.0, 1.0)
    kept = np.sort(
        np.r_[
            window.inspected,
            window.traffic[
                evenly_spaced(
                    len(window.traffic), round(TRAFFIC_PER_CONFIRMED * window.results.sum())
                )
            ],
        ]
    )
    of_kept = target[np.searchsorted(window.rows, kept)]
    rows = np.repeat(kept, 2)
    weights = np.column_stack([of_kept, 1 - of_kept]).ravel()
    return WeightedRows(rows, np.tile([1.0, 0.0], len(kept)), np.maximum(weights, 1e-6))


WAYS: dict[str, Callable[[Window], WeightedRows]] = {
    way.__name__: way
    for way in (
        inspected_only,
        inverse_probability,
        positive_unlabelled,
        propensity_weighted,
        doubly_robust,
    )
}


def propensity(window: Window) -> Floats:
    """Return the cross-fitted chance of a known result, for each row of the window."""
    is_known = (~np.isnan(window.labels)).astype(np.float64)
    chance = np.empty(len(window.rows))
    for fold in np.array_split(np.arange(len(window.rows)), FOLDS):
        others = np.setdiff1d(np.arange(len(window.rows)), fold)
        margins = window.fitted(WeightedRows(window.rows[others], is_known[others], None))
        chance[fold] = window.probability(margins, window.rows[fold])
    return np.clip(chance, MIN_PROPENSITY, 1.0)


def _cross_fitted(window: Window) -> Floats:
    """Return the chance of a confirmation by models of inspected subjects of other folds."""
    predicted = np.empty(len(window.rows))
    is_known = ~np.isnan(window.labels)
    for fold in np.array_split(np.arange(len(window.rows)), FOLDS):
        others = np.setdiff1d(np.flatnonzero(is_known), fold)
        part = WeightedRows(window.rows[others], window.labels[others], None)
        predicted[fold] = window.probability(window.fitted(part), window.rows[fold])
    return predicted
