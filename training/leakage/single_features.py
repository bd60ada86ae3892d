"""A single feature that tells most labels was hardly known at the scoring instant."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from training.leakage.finding import LeakageFinding
from training.leakage.target_lookup import Sample, TargetLookup
from training.ranking import Ints

BINS = 50

DOUBTFUL_AUC = 0.85
"""A feature that knows seven answers in ten ranks so, alone; none of a declaration came near."""


def features_that_predict_labels(
    sample: Sample, *, largest_auc: float, accept: tuple[str, ...] = ()
) -> Iterable[LeakageFinding]:
    """Every feature whose values alone rank later subjects better than `DOUBTFUL_AUC`.

    Judged by the share confirmed in bins of the values, missing ones apart, so that a feature may
    tell by being high, low, in between or absent. Above `largest_auc` it is refused, unless in
    `accept`; else it is warned of, for people to say when its values become known.
    """
    for name in sample.frame.columns:
        cells = binned(sample.frame[name], sample.fit_count)
        auc = TargetLookup.fitted(cells, sample).roc_auc(sample)
        if auc <= min(largest_auc, DOUBTFUL_AUC):
            continue
        told = f"{name} alone has a ROC-AUC of {auc:.3f} on later subjects"
        if auc > largest_auc:
            evidence = f"above {largest_auc:g}: it was hardly known when they were declared"
        else:
            evidence = f"above {DOUBTFUL_AUC:g}: was it known when they were declared?"
        yield LeakageFinding(
            check="single feature",
            is_refusal=auc > largest_auc and name not in accept,
            features=(name,),
            evidence=f"{told}, {evidence}",
        )


def binned(values: "pd.Series[float]", fit_count: int) -> Ints:
    """A cell for each value: bins of equally many of the first rows, missing ones apart."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return pd.factorize(values)[0]
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    present = numbers[:fit_count][~np.isnan(numbers[:fit_count])]
    if not len(present):
        return np.isnan(numbers).astype(np.int64)
    edges = np.unique(np.quantile(present, np.linspace(0, 1, BINS + 1)[1:-1]))
    # A value that stands on an edge shares a bin with what lies above it.
    return np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="right"))
