"""How far two models would send inspectors to the same subjects."""

import numpy as np
from scipy import stats

from training.estimators import proportion
from training.evaluation.report import Agreement, Stability
from training.parameters import EvaluationParameters
from training.ranking import Floats, Ranking, inspected_rows


def stability(
    ours: Floats, theirs: Floats, champion: str, parameters: EvaluationParameters
) -> Stability:
    """Two scores of the same subjects, labelled or not: what the highest of both have in common."""
    nothing = np.zeros(len(ours))
    rankings = Ranking.of(nothing, ours), Ranking.of(nothing, theirs)
    return Stability(
        champion=champion,
        subjects=len(ours),
        rank_correlation=_rank_correlation(ours, theirs),
        agreement=tuple(_agreement(share, rankings) for share in parameters.capacity_shares),
    )


def _rank_correlation(ours: Floats, theirs: Floats) -> float | None:
    if min(np.ptp(ours), np.ptp(theirs)) == 0:
        return None
    return float(stats.spearmanr(ours, theirs).statistic)


def _agreement(share: float, rankings: tuple[Ranking, Ranking]) -> Agreement:
    first, second = (inspected_rows(ranking, share) for ranking in rankings)
    return Agreement(
        share=share, common=proportion(float(np.minimum(first, second).sum()), float(first.sum()))
    )
