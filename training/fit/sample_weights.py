"""The rows that trees are fitted on, and how much each subject weighs.

Of those that were inspected the label is known; all others are traffic of unknown result. Both
count: what is confirmed far more often than traffic holds it is a sign of risk.
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
    """Rows of a training set in order of declaration, with their targets and weights.

    `targets` are 1 for confirmed subjects and 0 for those they are set against: cleared ones, and
    traffic of unknown result, which has no label and is in no figure.
    """

    rows: Ints
    targets: Floats
    weights: Floats | None


def weighted_rows(
    window: TimeWindow, data: TrainingSet, selection: SelectionParameters
) -> WeightedRows:
    """The labelled subjects of a window, and traffic where `selection` asks for it.

    Traffic has no author: it bounds nobody's influence, and counts for none of it.
    """
    before = label_weights(window.rows, data, selection)
    weights = bound_influence(before, data, window.rows, selection)
    if selection.fit == "traffic":
        return _with_traffic(window, weights, selection)
    is_equal = selection.fit == "equal" and weights is before
    return WeightedRows(window.rows, window.labels, None if is_equal else weights)


def label_weights(rows: Ints, data: TrainingSet, selection: SelectionParameters) -> Floats:
    """Return what the labels of `rows` weigh before anybody's influence is bounded."""
    if selection.fit == "inverse_probability":
        return data.outcomes.weights(clip=selection.fit_clip)[rows]
    return np.ones(len(rows))


def _with_traffic(
    window: TimeWindow, weights: Floats, selection: SelectionParameters
) -> WeightedRows:
    """The subjects without a label stand for all of their kind, however few of them are drawn."""
    most = round(selection.traffic_per_confirmed * window.labels.sum())
    traffic = window.unlabelled[evenly_spaced(len(window.unlabelled), most)]
    weight = len(window.unlabelled) / max(len(traffic), 1)
    rows = np.r_[window.rows, traffic]
    order = np.argsort(rows, kind="stable")
    return WeightedRows(
        rows[order],
        np.r_[window.labels, np.zeros(len(traffic))][order],
        np.r_[weights, np.full(len(traffic), weight)][order],
    )
