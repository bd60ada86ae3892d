"""Figures of inspected subjects by way of selection, each ranked by itself.

They describe the ranking within one way of selection, not in all traffic: half of the tips are
confirmed, but few of the draws.
"""

import numpy as np

from training.confidence_intervals import proportion, with_intervals
from training.evaluation.evaluation_report import SelectionFigures
from training.evaluation.labelled_window import LabelledWindow
from training.parameters import GATE_SHARE, EvaluationParameters
from training.ranking import ScoreRanking, at_capacity, calibration_error, roc_auc

# With fewer, ranking figures are dominated by chance.
MIN_CONFIRMED = 5


def by_stratum(
    labelled: LabelledWindow, parameters: EvaluationParameters, seed: int
) -> tuple[SelectionFigures, ...]:
    """Return figures for each way of selection with labelled subjects, in alphabetical order."""
    selections = labelled.data.outcomes.selected_by[labelled.rows].astype(str)
    return tuple(
        _figures(str(selected_by), labelled.only(selections == selected_by), parameters, seed)
        for selected_by in np.unique(selections)
    )


def _figures(
    selected_by: str, stratum: LabelledWindow, parameters: EvaluationParameters, seed: int
) -> SelectionFigures:
    labelled, confirmed = len(stratum.rows), int(stratum.labels.sum())
    counted = SelectionFigures(
        selected_by=selected_by,
        labelled=labelled,
        confirmed=confirmed,
        prevalence=proportion(confirmed, labelled),
    )
    if min(confirmed, labelled - confirmed) < MIN_CONFIRMED:
        return counted
    estimates = with_intervals(stratum.ranking(), _statistics, rounds=parameters.redraws, seed=seed)
    return counted.model_copy(update=estimates)


def _statistics(ranking: ScoreRanking) -> dict[str, float]:
    at = at_capacity(ranking, GATE_SHARE)
    return {
        "precision": at["precision"],
        "recall": at["recall"],
        "lift": at["lift"],
        "roc_auc": roc_auc(ranking),
        "ece": calibration_error(ranking),
    }
