"""Information in a feature about the region that goods or people come from.

A feature that reveals the origin can stand in for nationality, whatever its purpose. The measure is
its mutual information with the region, as a share of the region's entropy: 0 reveals nothing, 1
everything.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.reference.geography.regions import region_of
from training.evaluation.evaluation_report import ProxyFigures
from training.evenly_spaced import evenly_spaced

Codes = npt.NDArray[np.int64]

# Numbers are cut at quantiles; with finer bins, chance dominates the estimate.
BINS = 20

MAX_ROWS = 50_000


def proxies(frame: pd.DataFrame, origins: "pd.Series[str]") -> tuple[ProxyFigures, ...]:
    """Return each column's information about the region of origin; highest first.

    Rows of unknown origin are left out. Every share is 0 if all rows are of one region.
    """
    regions = region_of(origins.astype(object).where(origins.notna(), None))
    known = np.flatnonzero(pd.Series(regions).notna().to_numpy())
    rows = known[evenly_spaced(len(known), MAX_ROWS)]
    region = _numbered(pd.Series(regions[rows]))
    columns = ((name, _binned(frame[name].iloc[rows])) for name in frame.columns)
    figures = [
        ProxyFigures(feature=name, information_share=_information_share(codes, region))
        for name, codes in columns
    ]
    return tuple(sorted(figures, key=lambda figure: (-figure.information_share, figure.feature)))


def information_share(values: "pd.Series[float]", regions: "pd.Series[str]") -> float:
    """Return the information in numbers about the regions of their rows, as a share of entropy."""
    return _information_share(_binned(values), _numbered(regions))


def _information_share(codes: Codes, region: Codes) -> float:
    """Return I(codes; region) / H(region), corrected for bias.

    The correction is Miller's (1955): (bins − 1)(regions − 1) / 2n nats, what as many bins show by
    chance.
    """
    if not len(region) or region.max() == 0:
        return 0.0
    counts = np.zeros((codes.max() + 1, region.max() + 1))
    # add.at counts repeated pairs, which indexed assignment would not.
    np.add.at(counts, (codes, region), 1)
    joint = counts / counts.sum()
    apart = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    is_positive = joint > 0
    information = float(
        (joint[is_positive] * np.log(joint[is_positive] / apart[is_positive])).sum()
    )
    by_chance = (counts.shape[0] - 1) * (counts.shape[1] - 1) / (2 * counts.sum())
    shares = joint.sum(axis=0)
    entropy = float(-(shares * np.log(shares)).sum())
    return min(1.0, max(0.0, (information - by_chance) / entropy))


def _binned(values: "pd.Series[float]") -> Codes:
    """Return bins: quantiles of numbers, categories as they are, missing values as one bin."""
    if not pd.api.types.is_numeric_dtype(values):
        return _numbered(values)
    bins = pd.Series(pd.qcut(values, BINS, labels=False, duplicates="drop"))
    # If all present values are equal there are no quantile edges, and so no bins.
    return _numbered(bins.mask(bins.isna() & values.notna(), -1.0))


def _numbered(values: "pd.Series[float] | pd.Series[str]") -> Codes:
    codes, _ = pd.factorize(values, use_na_sentinel=False)
    return np.asarray(codes, dtype=np.int64)


def proxies_above(figures: Iterable[ProxyFigures], bound: float) -> list[ProxyFigures]:
    """Return the features with more information than `bound`."""
    return [figure for figure in figures if figure.information_share > bound]
