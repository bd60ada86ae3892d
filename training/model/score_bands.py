"""What inspections found among cases of about one score: the honest width of a probability.

A calibrated probability is one number of a fitted line. Beside it stands what was seen: the
labelled subjects of the evaluation window, which neither trees nor line were fitted on, in bands of
equal size by score, with the share that was confirmed and its 95 % Wilson interval. It speaks of
what was chosen for inspection, and only as finely as there were labels.
"""

import numpy as np

from training.confidence_intervals import proportion
from training.model.manifest import ScoreBand
from training.ranking import Floats

SMALLEST_BAND = 30
MOST_BANDS = 40


def score_bands(log_odds: Floats, labels: Floats) -> tuple[ScoreBand, ...]:
    """Bands of rising calibrated log-odds; subjects of one score share a band."""
    count = int(np.clip(len(labels) // SMALLEST_BAND, 1, MOST_BANDS))
    parts = np.array_split(np.sort(log_odds), count)
    edges = np.unique([part[-1] for part in parts])
    places = np.searchsorted(edges, log_odds, side="left")
    bands = []
    for place, edge in enumerate(edges.tolist()):
        band_labels = labels[places == place]
        least = float(log_odds[places == place].min())
        share = proportion(float(band_labels.sum()), len(band_labels))
        bands.append(
            ScoreBand(
                least=least,
                most=edge,
                inspected=len(band_labels),
                confirmed=int(band_labels.sum()),
                low=share.low,
                high=share.high,
            )
        )
    return tuple(bands)
