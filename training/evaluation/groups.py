"""Referrals and their precision, by group of inspected subjects under one common cut.

Shares are of labelled subjects, since other outcomes are unknown: a group that tips often select is
confirmed often here, whatever its traffic is like.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.reference.geography.regions import region_of
from training.confidence_intervals import proportion
from training.evaluation.evaluation_report import GroupFigures
from training.evaluation.labelled_window import LabelledWindow
from training.outcomes import Bools
from training.parameters import GATE_SHARE
from training.ranking import Floats, inspected_rows

SMALL_GROUPS = "(smaller groups together)"
SIZES = [0, 1, 10, 100, np.inf]
# Operators by the number of their subjects declared before this one.
SIZE_NAMES = ["new", "1 to 9 before", "10 to 99 before", "100 or more before"]

UNKNOWN = "(unknown)"


def by_group(window: LabelledWindow, *, smallest: int) -> tuple[GroupFigures, ...]:
    """Return figures for each group of at least `smallest` labelled subjects; pool the rest."""
    referred = inspected_rows(window.ranking(), GATE_SHARE)
    return tuple(
        _figures(by, group, window.labels[mask], referred[mask])
        for by, groups in groupings(window).items()
        for group, mask in masks(groups, smallest)
    )


def groupings(window: LabelledWindow) -> "dict[str, pd.Series[str]]":
    """Return the group of each subject, by name of the grouping; missing if unknown."""
    subjects = window.subjects
    before = subjects["operator_subjects_before"]
    # region_of takes None, not NaN, for an unknown country.
    regions = pd.Series(
        region_of(
            subjects["origin_country"]
            .astype(object)
            .where(subjects["origin_country"].notna(), None)
        ),
        index=subjects.index,
    )
    selected_by = pd.Series(window.data.outcomes.selected_by[window.rows], index=subjects.index)
    return {
        "mode": subjects["mode"],
        "office": subjects["office_id"],
        "origin": subjects["origin_country"],
        "region of origin": regions,
        "operator": pd.cut(before, SIZES, right=False, labels=SIZE_NAMES).astype("str"),
        "operator is": before.gt(0).map({True: "known", False: "new"}),
        "selected by": selected_by,
    }


def masks(groups: "pd.Series[str]", smallest: int) -> Iterator[tuple[str, Bools]]:
    """Yield each group of at least `smallest` subjects with its mask; the rest is pooled."""
    named = groups.astype(object).where(groups.notna(), UNKNOWN)
    sizes = named.value_counts()
    small = set(sizes[sizes < smallest].index)
    pooled = named.where(~named.isin(small), SMALL_GROUPS)
    for group in sorted(pooled.unique()):
        yield str(group), (pooled == group).to_numpy()


def _figures(by: str, group: str, labels: Floats, referred: Floats) -> GroupFigures:
    return GroupFigures(
        by=by,
        group=group,
        labelled=len(labels),
        confirmed=int(labels.sum()),
        prevalence=proportion(float(labels.sum()), len(labels)),
        referred=proportion(float(referred.sum()), len(labels)),
        precision=proportion(float(referred @ labels), float(referred.sum())),
        false_referral=proportion(float(referred @ (1 - labels)), float((1 - labels).sum())),
    )
