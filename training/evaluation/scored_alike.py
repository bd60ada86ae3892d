"""Scores that follow the features otherwise among draws than among uninspected subjects.

A score of what was declared is one function of it, whether a subject is inspected later or not.
Ranks cannot show more than one: scores that are right for inspected subjects and exchanged among
all others have the same ranks. How they follow the features differs.
"""

from dataclasses import replace

import numpy as np
import pandas as pd
from scipy import stats

from training.estimation.inspected_sample import FARTHEST_STANDARD_ERRORS, InspectedSample
from training.estimation.weighted_mean import by_inspection
from training.evenly_spaced import evenly_spaced
from training.inverse_probability import MIN_DRAWN
from training.outcomes import Bools
from training.ranking import Floats, Ints

# Subjects of the traffic to read, next to those of the sample, and the fewest uninspected ones for
# each feature. With fewer, the line fits them better than others by chance.
MAX_READ, MIN_LEARNT_PER_FEATURE = 20_000, 10

# The largest difference, beyond chance, of a covariance of ranks, which is at most 1/12.
FARTHEST_COVARIANCE = 0.01


def scored_alike(
    sample: InspectedSample, frame: pd.DataFrame, rows: Ints, scores: Floats, is_inspected: Bools
) -> InspectedSample:
    """Return the sample, refused if scores follow the features otherwise among draws.

    The traffic has the `rows` of `frame`, with `scores` and `is_inspected` parallel. A line through
    ranks of the numeric features learns the scores of uninspected subjects. Among draws it must
    agree with them as well as among the traffic that draws represent.
    """
    if sample.refusal is not None or sample.effective_size < MIN_DRAWN:
        return sample
    even = evenly_spaced(sample.traffic, MAX_READ)
    places = np.union1d(even, sample.rows)
    numbers = frame.iloc[rows[places]].select_dtypes("number")
    learnt = np.isin(places, even) & ~is_inspected[places]
    if learnt.sum() < MIN_LEARNT_PER_FEATURE * (numbers.shape[1] + 1):
        return sample
    ranks = ((stats.rankdata(scores) - 0.5) / sample.traffic - 0.5)[places]
    # A missing value has the middle rank.
    of_features = (numbers.rank(pct=True) - 0.5).fillna(0.0).to_numpy(dtype=np.float64)
    line = np.linalg.lstsq(of_features[learnt], ranks[learnt], rcond=None)[0]
    agreement = (of_features @ line) * ranks
    everyone = sample.traffic * agreement[np.isin(places, even)].mean()
    weights, of_sample = sample.weights * sample.is_drawn, agreement[np.isin(places, sample.rows)]
    certain = sample.weights * ~sample.is_drawn
    left = (everyone - certain @ of_sample) / (sample.traffic - certain.sum())
    found = weights @ of_sample / weights.sum()
    spread = by_inspection(weights * (of_sample - found), sample.together)
    error = np.sqrt(spread @ spread) / weights.sum()
    if abs(found - left) <= max(FARTHEST_COVARIANCE, FARTHEST_STANDARD_ERRORS * error):
        return sample
    return replace(
        sample,
        refusal="the score follows the features otherwise among those drawn with a probability "
        f"(covariance of ranks {found:+.3f}) than among the traffic that they stand for "
        f"({left:+.3f}): it knows who was inspected, or probabilities are wrong, or results of "
        "some are missing",
    )
