"""A feature that alone tells most labels, or is sure of some, was hardly known when scored."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from training.leakage.finding import LeakageFinding
from training.leakage.target_lookup import Sample, TargetLookup
from training.ranking import Floats, Ints

BINS = 50
# Quantiles at which bins end besides: what one subject in a hundred has is no part of the rest.
TAILS = (0.001, 0.002, 0.005, 0.01, 0.99, 0.995, 0.998, 0.999)

# A feature that knows seven answers in ten ranks so, alone; none of a declaration came near.
DOUBTFUL_AUC = 0.85

# Of what usually turns out to be nothing, the share that must be confirmed among subjects with
# some values for these to be all but the answer. No column of a declaration came near.
SURE_SHARE = 0.9

FEWEST_SURE = 10
# The share of the confirmed that such values must know to be told of.
LEAST_KNOWN = 0.1


def features_that_predict_labels(
    sample: Sample, *, largest_auc: float, accept: tuple[str, ...] = ()
) -> Iterable[LeakageFinding]:
    """Every feature whose values alone rank later subjects better than `DOUBTFUL_AUC`.

    Judged by the share confirmed in bins of the values, missing ones apart, so that a feature may
    tell by being high, low, in between or absent. Above `largest_auc` it is refused, unless in
    `accept`; else it is warned of, for people to say when its values become known. So is one that
    ranks no better than others, since most subjects lack it, but is sure where it is there.
    """
    for name in sample.frame.columns:
        lookup = TargetLookup.fitted(binned(sample.frame[name], sample.fit_count), sample)
        auc = lookup.roc_auc(sample)
        told = f"{name} alone has a ROC-AUC of {auc:.3f} on later subjects"
        if auc > largest_auc:
            evidence = f"{told}, above {largest_auc:g}: it was hardly known when they were declared"
        elif auc > DOUBTFUL_AUC:
            evidence = f"{told}, above {DOUBTFUL_AUC:g}: was it known when they were declared?"
        elif sure := _sure_of_some(lookup, sample.evaluation_labels):
            evidence = f"{name} alone {sure}: was it known when they were declared?"
        else:
            continue
        yield LeakageFinding(
            check="single feature",
            is_refusal=auc > largest_auc and name not in accept,
            features=(name,),
            evidence=evidence,
        )


def _sure_of_some(lookup: TargetLookup, labels: Floats) -> str | None:
    """Return how sure a feature is of how many, in words, where that is more than a risk can be.

    Those with its most telling values, as many as there are while most of all are confirmed.
    """
    least = 1 - (1 - SURE_SHARE) * (1 - labels.mean())
    order = np.argsort(-lookup.scores, kind="stable")
    scores, confirmed = lookup.scores[order], np.cumsum(labels[order])
    taken = np.arange(1, len(order) + 1)
    is_whole = np.r_[scores[1:] != scores[:-1], True]
    is_sure = is_whole & (taken >= FEWEST_SURE) & (confirmed >= least * taken)
    most = np.flatnonzero(is_sure & (confirmed >= LEAST_KNOWN * labels.sum()))
    if not len(most):
        return None
    found, among = int(confirmed[most[-1]]), int(taken[most[-1]])
    return (
        f"knows {found / labels.sum():.0%} of the later subjects that were confirmed: {found} of "
        f"{among} with such values were"
    )


def binned(values: "pd.Series[float]", fit_count: int) -> Ints:
    """A cell for each value, missing ones apart; bins of the first rows where values are many."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return pd.factorize(values)[0]
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    present = numbers[:fit_count][~np.isnan(numbers[:fit_count])]
    if not len(present):
        return np.isnan(numbers).astype(np.int64)
    distinct = np.unique(present)
    shares = np.sort([*np.linspace(0, 1, BINS + 1)[1:-1], *TAILS])
    edges = distinct if len(distinct) <= BINS else np.unique(np.quantile(present, shares))
    # A value that stands on an edge shares a bin with what lies above it.
    return np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right"))
