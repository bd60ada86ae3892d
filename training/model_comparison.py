"""Models side by side on the traffic that none of them has seen: `tidegate compare`."""

from collections.abc import Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from training.confidence_intervals import Estimate
from training.data.training_set import TrainingSet
from training.evaluation.reevaluation import (
    parameters_of,
    require_unseen,
    scored_window,
    unseen_from,
    unseen_window,
)
from training.gates.comparison_gate import gain_of_recall
from training.gates.gates import LIFT, ROC_AUC
from training.gates.score_gates import ScoredSubjects
from training.model.risk_model import RiskModel


def compare_models(named: Sequence[tuple[str, RiskModel]], data: TrainingSet) -> pd.DataFrame:
    """Return a row of figures for each named model; the others are compared with the first.

    Figures of all traffic come first; `inspected_roc_auc` is of inspected subjects alone, and says
    as much of whom one chose to inspect. `recall_gain` is the mean recall above the first model's,
    paired subject by subject, with an interval of 90 %; other intervals are of 95 %. A figure that
    too few results are known for is missing. Raises WindowUnusable if no traffic is new to all.
    """
    models = [model for _, model in named]
    window = unseen_window(max(models, key=unseen_from), data)
    rows, first = [], None
    for name, model in named:
        require_unseen(model, window)
        scored = ScoredSubjects(data, window, scored_window(model, data, window).log_odds)
        metrics = scored.report(parameters_of(model)).metrics
        labels = scored.everyone.labels
        gain = Estimate(0.0, 0.0, 0.0)
        if first is not None:
            gain = gain_of_recall(labels, scored.log_odds, first)
        first = scored.log_odds if first is None else first
        figures = {
            "roc_auc": metrics.get(ROC_AUC, Estimate(None)),
            "lift_at_5pct": metrics.get(LIFT, Estimate(None)),
            "recall_gain": gain,
            "inspected_roc_auc": metrics["roc_auc"],
        }
        rows.append({"model": name, **_columns(figures)})
    return pd.DataFrame(rows).set_index("model").astype(np.float64)


def _columns(figures: dict[str, Estimate]) -> dict[str, float | None]:
    return {
        name if part == "value" else f"{name}_{part}": number
        for name, estimate in figures.items()
        for part, number in asdict(estimate).items()
    }
