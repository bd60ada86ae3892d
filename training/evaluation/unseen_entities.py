"""The model on parties, codes and ways that no earlier label spoke of: risk, or memory?"""

from training.estimators import with_intervals
from training.evaluation.labelled_window import Judged
from training.evaluation.report import ColdFigures
from training.parameters import GATE_SHARE, EvaluationParameters
from training.ranking import Ints, Ranking, at_capacity, roc_auc

COLUMNS = ("operator_id", "origin_country", "goods_code", "corridor")
"""Columns of the subjects' file that are looked at, where the file has them."""

FEWEST_CONFIRMED = 5


def cold_figures(
    judged: Judged, earlier: Ints, parameters: EvaluationParameters, seed: int
) -> tuple[ColdFigures, ...]:
    """Per column, figures on the judged subjects whose value is new, ranked among themselves."""
    data = judged.data
    return tuple(
        _figures(column, judged.only(data.is_new(column, judged.rows, earlier)), parameters, seed)
        for column in COLUMNS
        if column in data.subjects.columns
    )


def _figures(column: str, cold: Judged, parameters: EvaluationParameters, seed: int) -> ColdFigures:
    labelled, confirmed = len(cold.rows), int(cold.labels.sum())
    few = min(confirmed, labelled - confirmed) < FEWEST_CONFIRMED
    if few or labelled < parameters.smallest_group:
        return ColdFigures(column=column, labelled=labelled, confirmed=confirmed)
    estimates = with_intervals(
        cold.ranking(), _auc_and_precision, rounds=parameters.redraws, seed=seed
    )
    return ColdFigures(
        column=column,
        labelled=labelled,
        confirmed=confirmed,
        roc_auc=estimates["roc_auc"],
        precision=estimates["precision"],
    )


def _auc_and_precision(ranking: Ranking) -> dict[str, float]:
    return {
        "roc_auc": roc_auc(ranking),
        "precision": at_capacity(ranking, GATE_SHARE)["precision"],
    }
