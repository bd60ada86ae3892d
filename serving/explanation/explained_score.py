"""Score vectors of features with a champion, and add the context of each score."""

import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from functools import cache

import numpy as np

from serving.explanation.comparison import percentile_of
from serving.explanation.decision_parts import DecisionPart
from serving.explanation.formatting import Value
from serving.models.model_pool import LoadedModel
from serving.models.scores import Scores, logistic

# Scores are similar if the highest probability is at most this many times the lowest.
MAX_SIMILAR_RATIO = 3.0


class Inspected(DecisionPart):
    """Traffic of the nearest scores that was inspected, in the window that the model was judged on.

    Its probabilities were from `least` to `most`, `expected` on average (None of models before
    December 2026). Of it, `subjects` results are known, `confirmed` of them where something was
    found; `low` and `high` are the 95 % interval of the share of all that traffic that would be
    confirmed.
    """

    least: float
    most: float
    subjects: int
    confirmed: int
    low: float
    high: float
    expected: float | None = None

    def are_similar_to(self, probability: float) -> bool:
        """Return whether all probabilities, this one too, are within a factor of three."""
        lowest, highest = min(self.least, probability), max(self.most, probability)
        return highest <= MAX_SIMILAR_RATIO * lowest

    def range_of(self, log_odds: float) -> tuple[float, float]:
        """Return the range of probabilities that the inspections leave open for these log-odds.

        The band's confirmed share may differ from the share its scores expected; that difference in
        log-odds is applied to this case. The range always contains the estimate itself. If the
        expected share is unknown, the range covers the band's interval and the estimate.
        """
        if self.expected is None:
            (probability,) = logistic(np.array([log_odds])).tolist()
            return min(self.low, probability), max(self.high, probability)
        expected = _log_odds(self.expected)
        least = min(_log_odds(self.low) - expected, 0.0)
        most = max(_log_odds(self.high) - expected, 0.0)
        low, high = logistic(np.array([log_odds + least, log_odds + most])).tolist()
        return low, high


class Score(DecisionPart):
    """A model's result: calibrated log-odds and each feature's exact contribution, in vector order.

    `percentile` is the position among all subjects of the newest window before training ended.
    `outside` names the features whose value lies beyond the training data, and `is_unlike_training`
    is True if there are more of them than in 99 of 100 subjects.
    """

    log_odds: float
    base_log_odds: float
    probability: float
    percentile: float
    contributions: tuple[float, ...]
    inspected: Inspected
    outside: tuple[str, ...]
    is_unlike_training: bool

    @property
    def estimate_range(self) -> tuple[float, float]:
        """The range of the probability for the same cases; it contains the estimate."""
        return self.inspected.range_of(self.log_odds)


Asked = tuple[LoadedModel, Mapping[str, Value]]
# A score, and the features whose category the model has never seen.
Scored = tuple[Score, list[str]]


def score_of(champion: LoadedModel, vector: Mapping[str, Value]) -> Scored:
    """Return the score of one vector."""
    (scored,) = scores_of([(champion, vector)])
    return scored


def scores_of(requests: Sequence[Asked]) -> list[Scored]:
    """Return the scores of vectors, in one call per champion; each has the same bits as alone."""
    scored: dict[int, Scored] = {}
    for digest in {champion.model.digest for champion, _ in requests}:
        places = [i for i, (champion, _) in enumerate(requests) if champion.model.digest == digest]
        champion = requests[places[0]][0]
        # A batch can mix both kinds of subject, and two versions around a promotion.
        vectors = [requests[place][1] for place in places]
        scored |= zip(places, _scores(champion, vectors), strict=True)
    return [scored[place] for place in range(len(requests))]


def _scores(champion: LoadedModel, vectors: Sequence[Mapping[str, Value]]) -> Iterator[Scored]:
    encoded = [champion.model.encode(vector) for vector in vectors]
    scores = champion.scorer.score(np.stack([row for row, _ in encoded]))
    for place, (row, unseen) in enumerate(encoded):
        yield _score(champion, scores, place, champion.model.support.outside(row, unseen)), unseen


def _score(champion: LoadedModel, scores: Scores, place: int, outside: list[str]) -> Score:
    manifest = champion.model.manifest
    probability, log_odds = float(scores.probability[place]), float(scores.log_odds[place])
    return Score(
        log_odds=log_odds,
        base_log_odds=scores.base_log_odds,
        probability=probability,
        percentile=percentile_of(probability, manifest.score_quantiles),
        contributions=tuple(scores.contributions[place].tolist()),
        inspected=_inspected(champion, log_odds),
        outside=tuple(outside),
        is_unlike_training=len(outside) > manifest.most_outside,
    )


def _inspected(champion: LoadedModel, log_odds: float) -> Inspected:
    bands = champion.model.manifest.score_bands
    place = bisect_left(bands, log_odds, key=lambda band: band.most)
    # A score above every band belongs to the last one.
    band = bands[min(place, len(bands) - 1)]
    least, most = _probabilities(band.least, band.most)
    return Inspected(
        least=least,
        most=most,
        subjects=band.inspected,
        confirmed=band.confirmed,
        low=band.low,
        high=band.high,
        expected=band.expected,
    )


def _log_odds(share: float) -> float:
    if 0 < share < 1:
        return math.log(share / (1 - share))
    return math.inf if share else -math.inf


@cache
def _probabilities(least: float, most: float) -> tuple[float, float]:
    """Convert the log-odds that bound a band; cached, since a model has few bands."""
    first, last = logistic(np.array([least, most])).tolist()
    return first, last
