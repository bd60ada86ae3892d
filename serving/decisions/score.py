"""What a champion says about one vector of features."""

from serving.explanation.reasons import Part
from serving.explanation.usual import percentile_of
from serving.explanation.wording import Value
from serving.scorer.champions import Champion


class Score(Part):
    """What the model said: calibrated log-odds, and each feature's exact part, in vector order."""

    log_odds: float
    base_log_odds: float
    probability: float
    percentile: float
    contributions: tuple[float, ...]


def score_of(champion: Champion, vector: dict[str, Value]) -> tuple[Score, list[str]]:
    """The score of one vector, and the features whose category the model has never seen."""
    row, unseen = champion.model.encode(vector)
    scores = champion.scorer.score(row.reshape(1, -1))
    probability = float(scores.probability[0])
    score = Score(
        log_odds=float(scores.log_odds[0]),
        base_log_odds=scores.base_log_odds,
        probability=probability,
        percentile=percentile_of(probability, champion.model.manifest.score_quantiles),
        contributions=tuple(scores.contributions[0].tolist()),
    )
    return score, unseen
