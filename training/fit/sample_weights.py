"""The rows that trees are fitted on, and the weight of each subject.

Inspected subjects have a label; all others are traffic with an unknown result. Both are
informative: attributes much more frequent in confirmed subjects than in traffic indicate risk.
"""

from dataclasses import dataclass

import numpy as np

from training.data.time_split import TimeWindow
from training.data.training_set import TrainingSet
from training.evenly_spaced import evenly_spaced
from training.fit.label_influence import bound_influence
from training.parameters import SelectionParameters
from training.ranking import Floats, Ints


@dataclass(frozen=True)
class WeightedRows:
    """Rows of a training set in order of declaration, with targets and weights.

    `targets` are 1 for confirmed subjects and 0 for the contrast: cleared subjects, and traffic of
    unknown result, which has no label and is in no figure.
    """

    rows: Ints
    targets: Floats
    weights: Floats | None


def weighted_rows(
    window: TimeWindow, data: TrainingSet, selection: SelectionParameters
) -> WeightedRows:
    """Return the labelled subjects of a window, with traffic if `selection` includes it.

    Traffic has no author, so it neither counts as nor limits anyone's influence.
    """
    before = label_weights(window.rows, data, selection)
    weights = bound_influence(before, data, window.rows, selection)
    if selection.fit == "traffic":
        most = round(selection.traffic_per_confirmed * window.labels.sum())
        labelled = WeightedRows(window.rows, window.labels, weights)
        return with_traffic(labelled, window.unlabelled, most)
    # None instead of ones makes LightGBM skip weights, with the same result.
    is_equal = selection.fit == "equal" and weights is before
    return WeightedRows(window.rows, window.labels, None if is_equal else weights)


def label_weights(rows: Ints, data: TrainingSet, selection: SelectionParameters) -> Floats:
    """Return the weights of labels before influence is bounded."""
    if selection.fit == "inverse_probability":
        return data.outcomes.weights(clip=selection.fit_clip)[rows]
    return np.ones(len(rows))


def with_traffic(labelled: WeightedRows, unlabelled: Ints, most: int) -> WeightedRows:
    """Return rows with at most `most` unlabelled ones, weighted to represent all of them."""
    traffic = unlabelled[evenly_spaced(len(unlabelled), most)]
    weight = len(unlabelled) / max(len(traffic), 1)
    rows = np.r_[labelled.rows, traffic]
    weights = np.ones(len(labelled.rows)) if labelled.weights is None else labelled.weights
    order = np.argsort(rows, kind="stable")
    return WeightedRows(
        rows[order],
        np.r_[labelled.targets, np.zeros(len(traffic))][order],
        np.r_[weights, np.full(len(traffic), weight)][order],
    )
