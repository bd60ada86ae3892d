"""The model on parties, codes and routes without an earlier label, as a test of memory.

All figures cover labelled, inspected subjects. Their parties may have been known to those who
selected them, so the precision is not that of all new traffic.
"""

from training.confidence_intervals import with_intervals
from training.evaluation.evaluation_report import UnseenEntityFigures
from training.evaluation.labelled_window import LabelledWindow
from training.parameters import GATE_SHARE, EvaluationParameters
from training.ranking import Ints, ScoreRanking, at_capacity, roc_auc

# Columns of the subjects' file to examine, if it has them.
COLUMNS = ("operator_id", "origin_country", "goods_code", "corridor")

MIN_CONFIRMED = 5


def unseen_entity_figures(
    window: LabelledWindow, earlier: Ints, parameters: EvaluationParameters, seed: int
) -> tuple[UnseenEntityFigures, ...]:
    """Return figures per column on labelled subjects with a new value, ranked by themselves."""
    data = window.data
    return tuple(
        _figures(column, window.only(data.is_new(column, window.rows, earlier)), parameters, seed)
        for column in COLUMNS
        if column in data.subjects.columns
    )


def _figures(
    column: str, unseen: LabelledWindow, parameters: EvaluationParameters, seed: int
) -> UnseenEntityFigures:
    labelled, confirmed = len(unseen.rows), int(unseen.labels.sum())
    few = min(confirmed, labelled - confirmed) < MIN_CONFIRMED
    # Counts are shown all the same: they explain why there is no figure.
    if few or labelled < parameters.smallest_group:
        return UnseenEntityFigures(column=column, labelled=labelled, confirmed=confirmed)
    estimates = with_intervals(
        unseen.ranking(), _auc_and_precision, rounds=parameters.redraws, seed=seed
    )
    return UnseenEntityFigures(
        column=column,
        labelled=labelled,
        confirmed=confirmed,
        roc_auc=estimates["roc_auc"],
        precision=estimates["precision"],
    )


def _auc_and_precision(ranking: ScoreRanking) -> dict[str, float]:
    return {
        "roc_auc": roc_auc(ranking),
        "precision": at_capacity(ranking, GATE_SHARE)["precision"],
    }
