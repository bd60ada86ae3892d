"""Share confirmed of all traffic with similar scores: the honest width of a probability.

A calibrated probability is one point on a fitted line. The bands show the evidence next to it: the
traffic of the evaluation window, on which neither trees nor line were fitted, by score, each band
with its estimated share confirmed and 95 % interval. Bands are as fine as the draws allow, from 1 %
of the traffic up.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from scipy.special import expit

from training.estimation.inspected_sample import InspectedSample, represent
from training.estimation.population_figures import UNKNOWN, share_confirmed
from training.evaluation.evaluation_report import TrafficBand
from training.inverse_probability import MIN_DRAWN
from training.model.manifest import ScoreBand
from training.outcomes import Bools
from training.ranking import Floats

SMALLEST_SHARE = 0.01
SMALLEST_EXPECTED = 1e-9
# Bands may end at 1 % of the traffic, and at each multiple by this factor.
STEP = 1.5


def traffic_bands(sample: InspectedSample, log_odds: Floats) -> tuple[TrafficBand, ...]:
    """Return bands of rising calibrated `log_odds`, which has one value for each subject.

    Subjects of equal score share a band. If the sample allows no figure of all traffic, there is
    one band with an unknown share.
    """
    edges = [] if sample.refusal is not None else [*_edges(sample, log_odds)]
    places = np.searchsorted(np.array(edges), log_odds, side="left")
    return tuple(
        _band(sample, log_odds, places == place)
        for place in range(len(edges) + 1)
        if (places == place).any()
    )


def score_bands(bands: Iterable[TrafficBand]) -> tuple[ScoreBand, ...]:
    """Return the bands as stored in a manifest; an unknown share spans 0 to 1."""
    return tuple(
        ScoreBand(
            least=band.least,
            most=band.most,
            inspected=band.inspected,
            confirmed=band.confirmed,
            low=0.0 if band.share.low is None else band.share.low,
            high=1.0 if band.share.high is None else band.share.high,
            # Probabilities of exactly 0 or 1 would have infinite log-odds.
            expected=min(max(band.mean_probability, SMALLEST_EXPECTED), 1 - SMALLEST_EXPECTED),
        )
        for band in bands
    )


def _edges(sample: InspectedSample, log_odds: Floats) -> Iterator[float]:
    """Yield the highest log-odds of each band except the last, rising.

    Possible ends depend on the traffic only: intervals of bands chosen where the draws look best
    would cover less often than stated.
    """
    rows, weights = sample.rows[sample.is_drawn], sample.weights[sample.is_drawn]
    order = np.argsort(-log_odds[rows], kind="stable")
    scores, ranked = log_odds[rows][order], weights[order]
    ends = _possible_ends(log_odds)
    above = _not_certain_above(sample, log_odds, ends)
    totals = np.concatenate([[0.0], np.cumsum(ranked)])
    squares = np.concatenate([[0.0], np.cumsum(ranked**2)])
    # A relative tolerance, because sums of floats depend on their order.
    fewest = (1 + 1e-9) * MIN_DRAWN

    def are_enough(first: int, last: int, there_were: float) -> bool:
        total, square = totals[last] - totals[first], squares[last] - squares[first]
        is_worth_it = last > first and bool(total**2 >= fewest * square)
        return is_worth_it and represent(total, square, there_were)

    places = np.searchsorted(-scores, -ends, side="left").tolist()
    begins, size_before, edges = 0, 0.0, []
    for end, size, place in zip(ends.tolist(), above.tolist(), places, strict=True):
        rest = sample.traffic - sample.certain - size
        if are_enough(begins, place, size - size_before) and are_enough(place, len(scores), rest):
            edges.append(end)
            begins, size_before = place, size
    yield from reversed(edges)


def _possible_ends(log_odds: Floats) -> Floats:
    """Return falling log-odds: 1 % of the traffic lies above the first, then 1.5 times as much."""
    falling = np.sort(log_odds)[::-1]
    steps = int(np.log(1 / SMALLEST_SHARE) / np.log(STEP)) + 1
    shares = SMALLEST_SHARE * STEP ** np.arange(steps)
    places = (shares[shares < 1] * len(falling)).astype(int)
    return np.unique(falling[places])[::-1]


def _not_certain_above(sample: InspectedSample, log_odds: Floats, scores: Floats) -> Floats:
    """Return how many subjects represented by draws score above each of the falling `scores`."""
    is_certain = ~sample.is_drawn
    everyone = np.sort(log_odds)
    higher = len(everyone) - np.searchsorted(everyone, scores, side="right")
    certain = log_odds[sample.rows[is_certain]]
    order = np.argsort(certain)
    below = np.concatenate([[0.0], np.cumsum(sample.weights[is_certain][order])])
    certain_higher = below[-1] - below[np.searchsorted(certain[order], scores, side="right")]
    return np.asarray(higher - certain_higher, dtype=np.float64)


def _band(sample: InspectedSample, log_odds: Floats, is_in: Bools) -> TrafficBand:
    is_counted = is_in[sample.rows]
    is_told = sample.refusal is None
    return TrafficBand(
        least=float(log_odds[is_in].min()),
        most=float(log_odds[is_in].max()),
        subjects=int(is_in.sum()),
        mean_probability=float(expit(log_odds[is_in]).mean()),
        inspected=int(is_counted.sum()),
        confirmed=int(sample.labels[is_counted].sum()),
        share=share_confirmed(sample, is_in.astype(np.float64)) if is_told else UNKNOWN,
    )
