"""Two columns that identify a subject again: a table of their values comes near the model.

Such a set repeats its rows, and a model of it is praised for its memory. The test is not whether
two columns are informative, but whether they are while hardly two subjects share their values.
"""

from collections.abc import Iterator
from itertools import combinations

import numpy as np
import pandas as pd

from training.leakage.finding import LeakageFinding
from training.leakage.target_lookup import Sample, TargetLookup
from training.ranking import Floats, Ints, ScoreRanking, roc_auc

SIGNIFICANT_DIGITS = 4
"""Values that agree so far are taken for the same: rounding must not hide a repetition."""

NEAR = 0.8
"""The part of the model's ROC-AUC above one half that a table must reach to be told of."""

MOST_ROWS_PER_CELL = 10.0
"""Where more subjects than this share a cell on average, the table knows risks, not subjects."""

FEWEST_SEEN = 0.5
"""The share of later subjects that must be in the table for it to explain the model."""

MOST_FINDINGS = 5
FEWEST_UNSEEN = 100
"""Unseen subjects below which the model's figure on them would say nothing."""


def identifying_pairs(sample: Sample, model_scores: Floats) -> list[LeakageFinding]:
    """The worst pairs of columns (a column may stand alone), warned of and never refused.

    `model_scores` are the model's, parallel to the sample's judged rows.
    """
    model_auc = roc_auc(ScoreRanking.from_scores(sample.evaluation_labels, model_scores))
    enough = 0.5 + NEAR * (model_auc - 0.5)
    candidates = [
        (auc, features, lookup)
        for features, lookup in _tables(sample)
        if lookup.rows_per_cell <= MOST_ROWS_PER_CELL and lookup.is_seen.mean() >= FEWEST_SEEN
        for auc in (lookup.roc_auc(sample),)
        if auc >= enough
    ]
    worst = sorted(candidates, key=lambda entry: (-entry[0], entry[1]))[:MOST_FINDINGS]
    return [
        LeakageFinding(
            check="pair lookup",
            is_refusal=False,
            features=features,
            evidence=_in_words(auc, features, lookup, model_auc, sample, model_scores),
        )
        for auc, features, lookup in worst
    ]


def _tables(sample: Sample) -> Iterator[tuple[tuple[str, ...], TargetLookup]]:
    cells = {name: _cells(sample.frame[name]) for name in sample.frame.columns}
    varied = {name: c for name, c in cells.items() if c.max() > 0}
    alone = {name: TargetLookup.fitted(c, sample) for name, c in varied.items()}
    yield from (((name,), lookup) for name, lookup in alone.items())
    # A pair is seen no oftener than each of its columns.
    recurring = [name for name, lookup in alone.items() if lookup.is_seen.mean() >= FEWEST_SEEN]
    for first, second in combinations(recurring, 2):
        together = varied[first] * (varied[second].max() + 1) + varied[second]
        yield (first, second), TargetLookup.fitted(together, sample)


def _cells(values: "pd.Series[float]") -> Ints:
    """One number per value, equal where values agree in their first digits; missing is a value."""
    if not pd.api.types.is_numeric_dtype(values.dtype):
        return pd.factorize(values, use_na_sentinel=False)[0]
    numbers = values.to_numpy(dtype=np.float64, na_value=np.nan)
    with np.errstate(divide="ignore", invalid="ignore"):
        place = np.floor(np.log10(np.abs(numbers))) - (SIGNIFICANT_DIGITS - 1)
        rounded = np.round(numbers / 10.0**place) * 10.0**place
    return pd.factorize(np.where(numbers == 0, 0.0, rounded), use_na_sentinel=False)[0]


def _in_words(
    auc: float,
    features: tuple[str, ...],
    lookup: TargetLookup,
    model_auc: float,
    sample: Sample,
    model_scores: Floats,
) -> str:
    unseen = ~lookup.is_seen
    text = (
        f"a table of {' and '.join(features)} alone has a ROC-AUC of {auc:.3f}, the model "
        f"{model_auc:.3f}: {lookup.is_seen.mean():.0%} of later subjects repeat values of earlier "
        f"ones, and {lookup.rows_per_cell:.1f} earlier subjects share them on average"
    )
    labels = sample.evaluation_labels[unseen]
    if len(labels) < FEWEST_UNSEEN or labels.min() == labels.max():
        return text
    unseen_auc = roc_auc(ScoreRanking.from_scores(labels, model_scores[unseen]))
    return (
        f"{text}; on the {len(labels):,} that repeat nothing, the model's ROC-AUC is "
        f"{unseen_auc:.3f}"
    )
