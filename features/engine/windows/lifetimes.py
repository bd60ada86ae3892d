"""Lifetimes of events: from when until when each counts if records are amended or withdrawn.

An event counts at an instant after `counts_from` and not after `counts_until`, whatever the window.
`known_at` is independent of that: it decides which windows the event falls into. Events without
these columns count for ever once they are known.
"""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any, TypeVar

import numpy as np

from features.engine.columns import Column, Columns, rows
from features.engine.numba_cache import compiled

Row = TypeVar("Row", bound=Mapping[str, Any])

COUNTS_FROM, COUNTS_UNTIL = "counts_from", "counts_until"
LIFETIME = frozenset({COUNTS_FROM, COUNTS_UNTIL})

FOREVER = 2**63 - 1
NEVER = -(2**63)


def last_instants(
    record: Sequence[Column], version: Column, known_at: Column, ends: Column
) -> Column:
    """Return the instant until which each version counts: when a later one that `ends` it is known.

    Rows that are equal in all columns `record` are versions of one record. The result is FOREVER if
    no later version ends it. Versions that are never known (NEVER) end nothing.
    """
    order = np.lexsort((version, *record[::-1]))
    until = np.full(len(order), FOREVER)
    first_known = FOREVER
    later = None
    # From the last version to the first, carrying the earliest instant of the later ones.
    for at in order[::-1].tolist():
        own = tuple(column[at] for column in record)
        if own != later:
            first_known, later = FOREVER, own
        until[at] = first_known
        if ends[at] and known_at[at] != NEVER:
            first_known = min(first_known, int(known_at[at]))
    return until


def both_count(one: Columns, other: Columns) -> Columns:
    """Return the lifetimes of rows that combine two rows each: both must count.

    `one` and `other` hold the rows. A row without `counts_from` counts from `known_at`. The result
    is empty if neither has lifetimes.
    """
    if not LIFETIME & (one.keys() | other.keys()):
        return {}
    # A combined row counts from the later begin until the earlier end.
    since = [each.get(COUNTS_FROM, each["known_at"]) for each in (one, other)]
    until = [each[COUNTS_UNTIL] for each in (one, other) if COUNTS_UNTIL in each]
    return {COUNTS_FROM: np.maximum(*since), COUNTS_UNTIL: reduce(np.minimum, until)}


def counting(events: Columns) -> Columns:
    """Return the events that count at some instant."""
    if COUNTS_UNTIL not in events:
        return events
    return rows(events, events[COUNTS_UNTIL] > events.get(COUNTS_FROM, events["known_at"]))


def join_events(parts: Sequence[Columns]) -> Columns:
    """Return the events of several parts, concatenated; with lifetimes if any part has them."""
    if any(COUNTS_UNTIL in part for part in parts):
        parts = [
            part if COUNTS_UNTIL in part else part | endless_lifetimes(part["known_at"])
            for part in parts
        ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def endless_lifetimes(known_at: Column) -> Columns:
    """Return the lifetimes of rows that count for ever from these instants."""
    return {COUNTS_FROM: known_at, COUNTS_UNTIL: np.full(len(known_at), FOREVER)}


def rows_still_counting(
    rows: Sequence[Row],
    known: Sequence[Mapping[str, Any]],
    versions_of: Sequence[str],
    *,
    is_replaced: bool,
) -> list[Row]:
    """Return rows that neither withdraw their record nor were ended by one of the `known` rows.

    Rows equal in `versions_of` are versions of one record. A later version ends earlier ones if
    `is_replaced`; otherwise only a withdrawal does.
    """
    ended: dict[tuple[Any, ...], int] = {}
    for row in known:
        if is_replaced or row["withdrawn"]:
            record = tuple(row[name] for name in versions_of)
            # The highest version decides, in whatever order rows arrive.
            ended[record] = max(row["version"], ended.get(record, 0))
    return [
        row
        for row in rows
        if not row["withdrawn"]
        and row["version"] + is_replaced > ended.get(tuple(row[name] for name in versions_of), 0)
    ]


def is_first_of_each(records: Column) -> Column:
    """Return a mask of the first row of each record; rows of a record must be adjacent."""
    return np.append(np.ones(min(len(records), 1), bool), records[1:] != records[:-1])


def versions_known(first: Column, at: Column, versions: Columns, is_first: Column) -> Column:
    """Return the version of each record that counts at an instant; -1 if none does.

    `versions` are grouped by record and ordered by the instant they became known within it.
    `is_first` marks the first of each record. `first` is the first version of each record to look
    up, or -1.
    """
    return _versions_known(first, at, versions[COUNTS_FROM], versions[COUNTS_UNTIL], is_first)


@compiled(nogil=True)
def _versions_known(
    first: Column, at: Column, since: Column, until: Column, is_first: Column
) -> Column:
    known = np.full(len(first), -1)
    for row in range(len(first)):
        version = first[row]
        while version >= 0:
            # The last matching version wins, since versions are in order of knowledge.
            if since[version] < at[row] <= until[version]:
                known[row] = version
            version += 1
            if version == len(is_first) or is_first[version]:
                break
    return known
