"""How much a feature tells about the region that goods or people come from.

A feature that says where a subject is from can stand in for a nationality, whatever it was meant
for. What it tells is its mutual information with the region, as a share of all there is to know of
the region (its entropy): 0 tells nothing, 1 tells it outright.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.reference.geography.regions import region_of
from training.evaluation.evaluation_report import ProxyFigures
from training.evenly_spaced import evenly_spaced

Codes = npt.NDArray[np.int64]

# Numbers are cut at quantiles; finer bins tell more of chance than of the region.
BINS = 20

MOST_ROWS = 50_000


def proxies(frame: pd.DataFrame, origins: "pd.Series[str]") -> tuple[ProxyFigures, ...]:
    """Per column of `frame` what it tells about the region of its row's origin; the most first.

    Rows whose origin is unknown are left out. Every share is 0 where all are from one region.
    """
    regions = region_of(origins.astype(object).where(origins.notna(), None))
    known = np.flatnonzero(pd.Series(regions).notna().to_numpy())
    rows = known[evenly_spaced(len(known), MOST_ROWS)]
    region = _numbered(pd.Series(regions[rows]))
    columns = ((name, _binned(frame[name].iloc[rows])) for name in frame.columns)
    figures = [
        ProxyFigures(feature=name, information_share=_information_share(codes, region))
        for name, codes in columns
    ]
    return tuple(sorted(figures, key=lambda figure: (-figure.information_share, figure.feature)))


def information_share(values: "pd.Series[float]", regions: "pd.Series[str]") -> float:
    """Return what numbers tell about the regions of their rows, of all there is to know of them."""
    return _information_share(_binned(values), _numbered(regions))


def _information_share(codes: Codes, region: Codes) -> float:
    """I(codes; region) / H(region), less what as many bins would seem to tell by chance.

    The correction is Miller's (1955): (bins − 1)(regions − 1) / 2n nats.
    """
    if not len(region) or region.max() == 0:
        return 0.0
    counts = np.zeros((codes.max() + 1, region.max() + 1))
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
    """Numbers by quantile, categories by themselves; what is missing is a bin of its own."""
    if not pd.api.types.is_numeric_dtype(values):
        return _numbered(values)
    bins = pd.Series(pd.qcut(values, BINS, labels=False, duplicates="drop"))
    # Where all present values are equal there are no edges, and so no bins.
    return _numbered(bins.mask(bins.isna() & values.notna(), -1.0))


def _numbered(values: "pd.Series[float] | pd.Series[str]") -> Codes:
    codes, _ = pd.factorize(values, use_na_sentinel=False)
    return np.asarray(codes, dtype=np.int64)


def proxies_above(figures: Iterable[ProxyFigures], bound: float) -> list[ProxyFigures]:
    """Those that tell more than `bound`."""
    return [figure for figure in figures if figure.information_share > bound]
