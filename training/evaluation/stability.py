"""Agreement of two models on which subjects to inspect."""

import numpy as np
from scipy import stats

from training.confidence_intervals import proportion
from training.evaluation.evaluation_report import Agreement, Stability
from training.parameters import EvaluationParameters
from training.ranking import Floats, ScoreRanking, inspected_rows


def stability(
    scores: Floats, champion_scores: Floats, champion: str, parameters: EvaluationParameters
) -> Stability:
    """Compare the highest subjects of two scores of the same subjects, labelled or not."""
    nothing = np.zeros(len(scores))
    rankings = (
        ScoreRanking.from_scores(nothing, scores),
        ScoreRanking.from_scores(nothing, champion_scores),
    )
    return Stability(
        champion=champion,
        subjects=len(scores),
        rank_correlation=_rank_correlation(scores, champion_scores),
        agreement=tuple(_agreement(share, rankings) for share in parameters.capacity_shares),
    )


def _rank_correlation(scores: Floats, champion_scores: Floats) -> float | None:
    # The correlation with a constant is undefined.
    if min(np.ptp(scores), np.ptp(champion_scores)) == 0:
        return None
    return float(stats.spearmanr(scores, champion_scores).statistic)


def _agreement(share: float, rankings: tuple[ScoreRanking, ScoreRanking]) -> Agreement:
    first, second = (inspected_rows(ranking, share) for ranking in rankings)
    return Agreement(
        share=share, common=proportion(float(np.minimum(first, second).sum()), float(first.sum()))
    )
