"""Scores that follow the features otherwise among inspected than among other subjects.

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

# Subjects of the traffic to read, next to the inspected ones.
MAX_READ = 20_000
# Weight of the ridge, as a share of the spread of a feature's ranks: it keeps the line defined for
# more features than subjects.
RIDGE = 0.5

# The largest difference, beyond chance, of a covariance of ranks, which is at most 1/12.
FARTHEST_COVARIANCE = 0.01


def scored_alike(
    sample: InspectedSample, frame: pd.DataFrame, rows: Ints, scores: Floats, is_inspected: Bools
) -> InspectedSample:
    """Return the sample, refused if scores follow the features otherwise among draws.

    The traffic has the `rows` of `frame`, with `scores` and `is_inspected` parallel. A line through
    ranks of the numeric features learns the scores of inspected subjects. Among draws that it did
    not learn from, it must agree with the scores as well as among the traffic that draws represent.
    """
    if sample.refusal is not None or sample.effective_size < MIN_DRAWN:
        return sample
    even = evenly_spaced(sample.traffic, MAX_READ)
    places = np.union1d(np.union1d(even, sample.rows), np.flatnonzero(is_inspected))
    numbers = frame.iloc[rows[places]].select_dtypes("number")
    # A missing value has the middle rank.
    of_features = (numbers.rank(pct=True) - 0.5).fillna(0.0).to_numpy(dtype=np.float64)
    ranks = ((stats.rankdata(scores) - 0.5) / sample.traffic - 0.5)[places]
    together = sample.selection.together[places]
    agreement = _agreement(of_features, ranks, is_inspected[places], together)
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


def _agreement(features: Floats, ranks: Floats, is_inspected: Bools, together: Ints) -> Floats:
    """Return the product of each subject's rank by score and by a line that it did not teach.

    Each half of the inspections teaches a line for the other half; all others take the mean.
    """
    is_first, is_second = is_inspected & (together % 2 == 0), is_inspected & (together % 2 == 1)
    by_first, by_second = (
        _taught_by(half, features, ranks) * ranks for half in (is_first, is_second)
    )
    others = (by_first + by_second) / 2
    return np.where(is_first, by_second, np.where(is_second, by_first, others))


def _taught_by(is_teaching: Bools, features: Floats, ranks: Floats) -> Floats:
    """Return every subject's rank by the line through the ranks of those who teach it."""
    taught, of_ranks = features[is_teaching], ranks[is_teaching]
    count = max(len(taught), 1)
    ridge = RIDGE / 12 * np.eye(features.shape[1])
    centred = of_ranks - of_ranks.sum() / count
    line = np.linalg.solve(taught.T @ taught / count + ridge, taught.T @ centred / count)
    return stats.rankdata(features @ line) / len(ranks) - 0.5
