"""What would be confirmed of all traffic with about one score: the honest width of a probability.

A calibrated probability is one number of a fitted line. Beside it stands what was seen: the traffic
of the evaluation window, which neither trees nor line were fitted on, in bands by score, each with
the share that would be confirmed and its 95 % interval, estimated from the draws among it. A band
is as fine as the draws allow.
"""

from collections.abc import Iterator

import numpy as np

from training.estimation.inspected_sample import FEWEST_DRAWN, InspectedSample, effective_size
from training.estimation.population_figures import share_confirmed
from training.model.manifest import ScoreBand
from training.ranking import Floats

MOST_BANDS = 40


def score_bands(sample: InspectedSample, log_odds: Floats) -> tuple[ScoreBand, ...]:
    """Bands of rising calibrated `log_odds`, one for each subject of the traffic.

    Subjects of one score share a band. Where nothing can be said of all traffic, one band says that
    its share may be anything from 0 to 1.
    """
    edges = [] if sample.refusal is not None else [*_edges(sample, log_odds)]
    places = np.searchsorted(np.array(edges), log_odds, side="left")
    return tuple(
        _band(sample, log_odds, places == place)
        for place in range(len(edges) + 1)
        if (places == place).any()
    )


def _edges(sample: InspectedSample, log_odds: Floats) -> Iterator[float]:
    """The highest log-odds of each band but the last, from the top down in turn, rising."""
    rows, weights = sample.rows[sample.is_drawn], sample.weights[sample.is_drawn]
    order = np.argsort(-log_odds[rows], kind="stable")
    scores, ranked = log_odds[rows][order], weights[order]
    fewest = max(FEWEST_DRAWN, len(rows) / MOST_BANDS)
    begins, edges = 0, []
    for place in range(1, len(scores)):
        is_step = scores[place] < scores[place - 1]
        if is_step and effective_size(ranked[begins:place]) >= fewest <= effective_size(
            ranked[place:]
        ):
            edges.append(float(scores[place]))
            begins = place
    yield from reversed(edges)


def _band(
    sample: InspectedSample, log_odds: Floats, is_in: np.typing.NDArray[np.bool_]
) -> ScoreBand:
    is_counted = is_in[sample.rows]
    share = share_confirmed(sample, is_in.astype(np.float64)) if sample.refusal is None else None
    return ScoreBand(
        least=float(log_odds[is_in].min()),
        most=float(log_odds[is_in].max()),
        inspected=int(is_counted.sum()),
        confirmed=int(sample.labels[is_counted].sum()),
        low=share.low if share and share.low is not None else 0.0,
        high=share.high if share and share.high is not None else 1.0,
    )
