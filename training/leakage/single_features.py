"""Single features that predict most labels, or some with certainty."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from training.leakage.finding import LeakageFinding
from training.leakage.target_lookup import Sample, TargetLookup
from training.ranking import Floats, Ints

BINS = 50
# Additional quantiles for bins, so that a value of one subject in a hundred has its own.
TAILS = (0.001, 0.002, 0.005, 0.01, 0.99, 0.995, 0.998, 0.999)

# The ROC-AUC of a feature that knows seven answers in ten; no declared one came near.
DOUBTFUL_AUC = 0.85

# The confirmed share, of what is normally cleared, from which values are practically the answer. No
# declared column came near.
SURE_SHARE = 0.9

# The ratio of confirmed to other subjects with such values, each as a share of their kind, from
# which a feature is likely to know answers although some noise hides it. Of the columns of ten
# worlds none reached 5 in an evaluation window, nor 7 in the later half of all labels.
LIKELY_RATIO = 10.0

# The fewest confirmed with such values in an evaluation window, and in the later half of all
# labels: with ten of that, one honest column in 2,500 reached 10.4.
MIN_SURE, MIN_SURE_OF_HALF = 10, 12
# The share of confirmed subjects that such values must cover to be reported.
MIN_KNOWN = 0.1


def features_that_predict_labels(
    sample: Sample, *, largest_auc: float, accept: tuple[str, ...] = ()
) -> Iterable[LeakageFinding]:
    """Yield a finding for every feature that alone ranks later subjects too well.

    The table holds the share confirmed per bin, with a bin for missing values, so a feature can
    predict by being high, low, in between or absent. Above `largest_auc` it is refused unless in
    `accept`; above `DOUBTFUL_AUC` it is a warning, for people to check when its values become
    known. So is a feature that most subjects lack, but that is nearly certain where present.
    """
    for name in sample.frame.columns:
        lookup = TargetLookup.fitted(binned(sample.frame[name], sample.fit_count), sample)
        auc = lookup.roc_auc(sample)
        told = f"{name} alone has a ROC-AUC of {auc:.3f} on later subjects"
        if auc > largest_auc:
            evidence = f"{told}, above {largest_auc:g}: it was hardly known when they were declared"
        elif auc > DOUBTFUL_AUC:
            evidence = f"{told}, above {DOUBTFUL_AUC:g}: was it known when they were declared?"
        elif sure := (
            _sure_of_some(lookup, sample.evaluation_labels, MIN_SURE)
            or _sure_of_later_half(sample, name)
        ):
            evidence = f"{name} alone {sure}: was it known when they were declared?"
        else:
            continue
        yield LeakageFinding(
            check="single feature",
            is_refusal=auc > largest_auc and name not in accept,
            features=(name,),
            evidence=evidence,
        )


def _sure_of_later_half(sample: Sample, name: str) -> str | None:
    """Describe the same where a table of the earlier half of all labels answers for the later half.

    An evaluation window of few confirmed subjects alone would hide a feature that knows some.
    """
    count = min(sample.fit_count, len(sample.labels) // 2)
    halved = replace(sample, fit_count=count)
    lookup = TargetLookup.fitted(binned(sample.frame[name], count), halved)
    return _sure_of_some(lookup, halved.evaluation_labels, MIN_SURE_OF_HALF)


def _sure_of_some(lookup: TargetLookup, labels: Floats, fewest: int) -> str | None:
    """Describe how many confirmed subjects a feature knows with near certainty, if so many or more.

    Takes the most predictive values for as long as nearly all of their subjects are confirmed, or
    as confirmed ones have them far more often than others.
    """
    least = 1 - (1 - SURE_SHARE) * (1 - labels.mean())
    order = np.argsort(-lookup.scores, kind="stable")
    scores, confirmed = lookup.scores[order], np.cumsum(labels[order])
    taken = np.arange(1, len(order) + 1)
    # Subjects with equal scores cannot be separated, so a cut lies between scores only.
    is_whole = np.r_[scores[1:] != scores[:-1], True]
    is_sure = is_whole & (taken >= fewest) & (confirmed >= least * taken)
    # One more of the others, since a few of them may lack such values by chance.
    others = (taken - confirmed + 1) / max(len(labels) - labels.sum(), 1)
    is_likely = is_whole & (confirmed >= fewest)
    is_likely &= confirmed / max(labels.sum(), 1) >= LIKELY_RATIO * others
    most = np.flatnonzero((is_sure | is_likely) & (confirmed >= MIN_KNOWN * labels.sum()))
    if not len(most):
        return None
    found, among = int(confirmed[most[-1]]), int(taken[most[-1]])
    return (
        f"knows {found / labels.sum():.0%} of the later subjects that were confirmed: {found} of "
        f"{among} with such values were"
    )


def binned(values: "pd.Series[float]", fit_count: int) -> Ints:
    """Return a cell per value: bins learnt on the first `fit_count` rows, -1 if missing."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return pd.factorize(values)[0]
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    present = numbers[:fit_count][~np.isnan(numbers[:fit_count])]
    if not len(present):
        return np.isnan(numbers).astype(np.int64)
    distinct = np.unique(present)
    shares = np.sort([*np.linspace(0, 1, BINS + 1)[1:-1], *TAILS])
    edges = distinct if len(distinct) <= BINS else np.unique(np.quantile(present, shares))
    # A value on an edge belongs to the bin above it.
    return np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right"))
