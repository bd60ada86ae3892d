"""Information about the region of origin in all features together, and in the score.

Single features say little: distance, mode and corridor together identify a region that none of them
does alone. A model needs the route, so this is reported, not forbidden. The limit applies to what
decisions rest on: the information in the *score* among subjects found innocent, whose risk cannot
explain it.
"""

import numpy as np
import numpy.typing as npt
import pandas as pd

from features.reference.geography.regions import region_of
from training.evaluation.evaluation_report import JointProxyFigures
from training.evaluation.proxies import information_share
from training.evenly_spaced import evenly_spaced
from training.fit.encoded_rows import EncodedRows
from training.lightgbm_alone import lightgbm
from training.ranking import Floats

Codes = npt.NDArray[np.int64]

MAX_ROWS = 20_000
MIN_ROWS = 500
MIN_OF_REGION = 20
LEARNT_SHARE = 0.7
TREES = {
    "objective": "multiclass",
    "num_leaves": 15,
    "learning_rate": 0.2,
    "min_data_in_leaf": 20,
    "seed": 7,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
# Fixed and small: this measures information, so it needs no tuning, and must be deterministic.
ROUNDS = 15


def joint_proxy(
    values: EncodedRows, score: Floats, labels: Floats, origins: "pd.Series[str]"
) -> JointProxyFigures | None:
    """Return the joint figures for rows in order of time; None with too few rows.

    `values` are encoded features, one row per subject; `labels` are 0 if an inspection found
    nothing. Regions of fewer than 20 rows are left out. Small trees learn the region from the first
    70 % of the rows and predict it for the rest.
    """
    regions = pd.Series(region_of(origins.astype(object).where(origins.notna(), None)))
    counts = regions.value_counts()
    is_counted = regions.isin(counts.index[counts >= MIN_OF_REGION]).to_numpy()
    known = np.flatnonzero(is_counted)
    rows = known[evenly_spaced(len(known), MAX_ROWS)]
    if len(rows) < MIN_ROWS or regions.iloc[rows].nunique() < 2:
        return None
    codes, names = pd.factorize(regions.iloc[rows])
    learnt = int(LEARNT_SHARE * len(rows))
    named = _named(values.only(rows)[:], codes, learnt, len(names))
    later = codes[learnt:]
    is_nothing = known[labels[known] == 0]
    return JointProxyFigures(
        subjects=len(rows),
        regions=len(names),
        accuracy=float(np.mean(named == later)),
        largest_share=float(np.bincount(later).max() / len(later)),
        score_share=information_share(pd.Series(score[known]), regions.iloc[known]),
        unconfirmed=len(is_nothing),
        score_share_of_unconfirmed=(
            information_share(pd.Series(score[is_nothing]), regions.iloc[is_nothing])
            if len(is_nothing) >= MIN_ROWS
            else None
        ),
    )


def _named(values: Floats, codes: Codes, learnt: int, regions: int) -> Codes:
    """Predict the region of each row after the first `learnt`."""
    data = lightgbm.Dataset(values[:learnt], codes[:learnt], free_raw_data=True)
    booster = lightgbm.train(TREES | {"num_class": regions}, data, ROUNDS)
    shares = np.asarray(booster.predict(values[learnt:], num_threads=1))
    return np.asarray(shares.argmax(axis=1), dtype=np.int64)
