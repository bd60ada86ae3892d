"""What a champion says about one vector of features."""

import math
from bisect import bisect_left

from serving.explanation.parts import Part
from serving.explanation.usual import percentile_of
from serving.explanation.wording import Value
from serving.scorer.champions import Champion


class Inspected(Part):
    """Inspected subjects of about the same score, in the window that the model was judged on.

    Their probabilities were from `least` to `most`; `low` and `high` are the 95 % interval of the
    share that was confirmed among them.
    """

    least: float
    most: float
    subjects: int
    confirmed: int
    low: float
    high: float


class Score(Part):
    """What the model said: calibrated log-odds, and each feature's exact part, in vector order.

    `percentile` is the place among all subjects of the newest window before training ended;
    `outside` names the features whose value lies beyond what training held, and
    `is_unlike_training` says that they are more than in 99 of 100 subjects.
    """

    log_odds: float
    base_log_odds: float
    probability: float
    percentile: float
    contributions: tuple[float, ...]
    inspected: Inspected
    outside: tuple[str, ...]
    is_unlike_training: bool


def score_of(champion: Champion, vector: dict[str, Value]) -> tuple[Score, list[str]]:
    """The score of one vector, and the features whose category the model has never seen."""
    model = champion.model
    row, unseen = model.encode(vector)
    scores = champion.scorer.score(row.reshape(1, -1))
    probability, log_odds = float(scores.probability[0]), float(scores.log_odds[0])
    outside = tuple(model.reach.outside(row, unseen))
    score = Score(
        log_odds=log_odds,
        base_log_odds=scores.base_log_odds,
        probability=probability,
        percentile=percentile_of(probability, model.manifest.score_quantiles),
        contributions=tuple(scores.contributions[0].tolist()),
        inspected=_inspected(champion, log_odds),
        outside=outside,
        is_unlike_training=len(outside) > model.manifest.most_outside,
    )
    return score, unseen


def _inspected(champion: Champion, log_odds: float) -> Inspected:
    bands = champion.model.manifest.score_bands
    place = bisect_left(bands, log_odds, key=lambda band: band.most)
    band = bands[min(place, len(bands) - 1)]
    least, most = (1 / (1 + math.exp(-end)) for end in (band.least, band.most))
    return Inspected(
        least=least,
        most=most,
        subjects=band.inspected,
        confirmed=band.confirmed,
        low=band.low,
        high=band.high,
    )
