"""Evaluation of scores by the inspections of a later window."""

import numpy as np

from training import ranking as of
from training.confidence_intervals import Estimate, proportion, with_intervals
from training.evaluation.evaluation_report import (
    CapacityFigures,
    EvaluationReport,
    Figures,
    ReliabilityBin,
    share_name,
)
from training.evaluation.groups import by_group
from training.evaluation.labelled_window import LabelledWindow
from training.model.manifest import WindowFigures
from training.parameters import EvaluationParameters
from training.ranking import ScoreRanking


def evaluate_model(
    name: str,
    subjects: LabelledWindow,
    window: WindowFigures,
    parameters: EvaluationParameters,
    seed: int,
) -> EvaluationReport:
    """Return the figures on all inspected subjects, and by group.

    `subjects` holds labelled subjects only. The caller adds figures of all traffic, importance,
    oracle and unseen categories.
    """
    return EvaluationReport(
        name=name,
        window=window,
        inspected=evaluation_figures(subjects.ranking(), parameters, seed),
        groups=by_group(subjects, smallest=parameters.smallest_group),
        importance=(),
        never_seen={},
    )


def evaluation_figures(
    ranking: ScoreRanking, parameters: EvaluationParameters, seed: int
) -> Figures:
    """Return all figures on one set of labelled subjects, with intervals."""
    shares = parameters.capacity_shares
    estimates = with_intervals(
        ranking, lambda redrawn: _flat(redrawn, shares), rounds=parameters.redraws, seed=seed
    )
    return Figures(
        labelled=len(ranking.labels),
        confirmed=int(ranking.labels.sum()),
        prevalence=proportion(ranking.prevalence * ranking.size, ranking.size),
        at_capacity=tuple(_capacity(share, estimates) for share in shares),
        roc_auc=estimates["roc_auc"],
        pr_auc=estimates["pr_auc"],
        brier=estimates["brier"],
        log_loss=estimates["log_loss"],
        ece=estimates["ece"],
        mean_probability=float(np.average(ranking.scores, weights=ranking.weights)),
        reliability=tuple(
            ReliabilityBin(probability=p, confirmed_share=share, subjects=weight)
            for p, share, weight in of.reliability(ranking)
        ),
    )


def _flat(ranking: ScoreRanking, shares: tuple[float, ...]) -> dict[str, float]:
    figures_by_name = {
        "roc_auc": of.roc_auc(ranking),
        "pr_auc": of.pr_auc(ranking),
        "brier": of.brier_score(ranking),
        "log_loss": of.log_loss(ranking),
        "ece": of.calibration_error(ranking),
    }
    for share in shares:
        for name, value in of.at_capacity(ranking, share).items():
            figures_by_name[f"{name}_at_{share_name(share)}"] = value
    return figures_by_name


def _capacity(share: float, estimates: dict[str, Estimate]) -> CapacityFigures:
    at = share_name(share)
    return CapacityFigures(
        share=share,
        precision=estimates[f"precision_at_{at}"],
        recall=estimates[f"recall_at_{at}"],
        lift=estimates[f"lift_at_{at}"],
        value_captured=estimates[f"value_captured_at_{at}"],
    )
