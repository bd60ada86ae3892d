"""Records beside the subject they belong to, and the comparisons made there.

A comparison is 1, 0 or NaN where one of its sides is missing.
"""

import numpy as np

from features.columns import NO_INSTANT, Column, Columns, is_before, is_missing, matched, rows


def beside_their_subject(
    records: Columns,
    subject_ids: Column,
    known_at: Column,
    subjects: Columns,
    reads: tuple[str, ...] = (),
) -> tuple[Columns, Columns]:
    """The records known before their subject's instant, and what is read of their subjects' rows.

    `declared_at` is always read.
    """
    read = {name: subjects[name] for name in ("declared_at", *reads)}
    beside = matched(read, subject_ids, subjects["subject_id"])
    is_known = is_before(known_at, beside["declared_at"])
    events = records | {"subject_id": subject_ids, "known_at": known_at}
    return rows(events, is_known), rows(beside, is_known)


def flag(condition: Column) -> Column:
    """A condition as 0 or 1."""
    return condition.astype(np.float64)


def differs(stated: Column, declared: Column) -> Column:
    """Whether both are given and differ."""
    return np.where(is_missing(stated) | is_missing(declared), np.nan, stated != declared)


def is_none_of(values: Column, others: list[Column]) -> Column:
    """Whether a given value equals none of the others; a missing other is never equal."""
    equals_none = ~np.logical_or.reduce([values == other for other in others])
    return np.where(is_missing(values), np.nan, equals_none)


def is_earlier(instants: Column, limit: Column) -> Column:
    """Whether an instant lies before a limit."""
    is_known = (instants != NO_INSTANT) & (limit != NO_INSTANT)
    return np.where(is_known, instants < limit, np.nan)


def difference_ppm(stated: Column, declared: Column) -> Column:
    """Difference in whole parts per million of what was declared, at most a thousandfold."""
    relative = np.abs(stated - declared) / np.where(declared > 0, declared, np.nan)
    return np.rint(np.minimum(relative, 1e3) * 1e6)


def previous(values: Column, groups: Column, missing: object) -> Column:
    """The value of the row before in the same group of sorted rows; `missing` for its first row."""
    before = np.roll(values, 1)
    if len(groups):
        before[np.concatenate([[True], groups[1:] != groups[:-1]])] = missing
    return before
