"""Figures by how subjects came to be inspected, each stratum ranked by itself."""

import numpy as np

from training.estimators import proportion, with_intervals
from training.evaluation.labelled_window import Judged
from training.evaluation.report import StratumFigures
from training.parameters import GATE_SHARE, EvaluationParameters
from training.ranking import Ranking, at_capacity, calibration_error, roc_auc

FEWEST_CONFIRMED = 5


def by_stratum(
    labelled: Judged, parameters: EvaluationParameters, seed: int
) -> tuple[StratumFigures, ...]:
    """One line for each way of selection that has labelled subjects, in alphabetical order."""
    ways = labelled.data.outcomes.selected_by[labelled.rows].astype(str)
    return tuple(
        _figures(str(way), labelled.only(ways == way), parameters, seed) for way in np.unique(ways)
    )


def _figures(
    way: str, stratum: Judged, parameters: EvaluationParameters, seed: int
) -> StratumFigures:
    labelled, confirmed = len(stratum.rows), int(stratum.labels.sum())
    counted = StratumFigures(
        selected_by=way,
        labelled=labelled,
        confirmed=confirmed,
        prevalence=proportion(confirmed, labelled),
    )
    if min(confirmed, labelled - confirmed) < FEWEST_CONFIRMED:
        return counted
    estimates = with_intervals(stratum.ranking(), _told, rounds=parameters.redraws, seed=seed)
    return counted.model_copy(update=estimates)


def _told(ranking: Ranking) -> dict[str, float]:
    at = at_capacity(ranking, GATE_SHARE)
    return {
        "precision": at["precision"],
        "recall": at["recall"],
        "lift": at["lift"],
        "roc_auc": roc_auc(ranking),
        "ece": calibration_error(ranking),
    }
