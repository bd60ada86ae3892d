"""Models side by side on the traffic that none of them has seen: `tidegate compare`."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd

from training.confidence_intervals import Estimate
from training.data.time_split import TimeWindow
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
from training.ranking import Floats


def compare_models(
    named: Sequence[tuple[str, RiskModel]], data: TrainingSet, *, with_baselines: bool = False
) -> pd.DataFrame:
    """Return a row of figures for each named model; the others are compared with the first.

    Figures of all traffic come first; `inspected_roc_auc` is of inspected subjects alone, and says
    as much of whom one chose to inspect. `recall_gain` is the mean recall above the first model's,
    paired subject by subject, with an interval of 90 %; other intervals are of 95 %. A figure that
    too few results are known for is missing. With baselines, plain models by scikit-learn follow,
    fitted on what the first model was fitted on. Raises WindowUnusable if no traffic is new to all.
    """
    window = unseen_window(max((model for _, model in named), key=unseen_from), data)
    parameters = parameters_of(named[0][1])
    rows, first = [], None
    for name, log_odds in _scores(named, data, window, with_baselines=with_baselines):
        scored = ScoredSubjects(data, window, log_odds)
        metrics = scored.report(parameters).metrics
        gain = Estimate(0.0, 0.0, 0.0)
        if first is None:
            first = log_odds
        else:
            gain = gain_of_recall(scored.everyone.labels, log_odds, first)
        figures = {
            "roc_auc": metrics.get(ROC_AUC, Estimate(None)),
            "lift_at_5pct": metrics.get(LIFT, Estimate(None)),
            "recall_gain": gain,
            "inspected_roc_auc": metrics["roc_auc"],
        }
        rows.append({"model": name, **_columns(figures)})
    return pd.DataFrame(rows).set_index("model").astype(np.float64)


def _scores(
    named: Sequence[tuple[str, RiskModel]],
    data: TrainingSet,
    window: TimeWindow,
    *,
    with_baselines: bool,
) -> Iterator[tuple[str, Floats]]:
    for name, model in named:
        require_unseen(model, window)
        yield name, scored_window(model, data, window).log_odds
    if with_baselines:
        from training.baselines import baseline_scores  # noqa: PLC0415 - scikit-learn takes a second

        yield from baseline_scores(named[0][1], data, window)


def _columns(figures: dict[str, Estimate]) -> dict[str, float | None]:
    return {
        name if part == "value" else f"{name}_{part}": number
        for name, estimate in figures.items()
        for part, number in asdict(estimate).items()
    }
