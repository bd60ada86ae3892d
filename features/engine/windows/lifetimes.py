"""From when until when an event counts, where records are amended or withdrawn.

An event counts at an instant that lies after `counts_from` and not after `counts_until`, whatever
window asks; where it stands in time, and so which windows it falls into, is another matter
(`known_at`). Events without these columns count for ever from when they are known.
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
    """Until when each version of its record counts: until a later one that `ends` others is known.

    Rows that are equal in all columns `record` are versions of one record. FOREVER where none ends
    it; of what is known at no instant (NEVER) nothing is ended.
    """
    order = np.lexsort((version, *record[::-1]))
    until = np.full(len(order), FOREVER)
    first_known = FOREVER
    later = None
    for at in order[::-1].tolist():
        own = tuple(column[at] for column in record)
        if own != later:
            first_known, later = FOREVER, own
        until[at] = first_known
        if ends[at] and known_at[at] != NEVER:
            first_known = min(first_known, int(known_at[at]))
    return until


def both_count(one: Columns, other: Columns) -> Columns:
    """From when until when rows count that are made of two, where either tells.

    `one` and `other` have the rows, each with the instant `known_at` from which it counts where it
    has no `counts_from`.
    """
    if not LIFETIME & (one.keys() | other.keys()):
        return {}
    since = [each.get(COUNTS_FROM, each["known_at"]) for each in (one, other)]
    until = [each[COUNTS_UNTIL] for each in (one, other) if COUNTS_UNTIL in each]
    return {COUNTS_FROM: np.maximum(*since), COUNTS_UNTIL: reduce(np.minimum, until)}


def counting(events: Columns) -> Columns:
    """The events that count at some instant."""
    if COUNTS_UNTIL not in events:
        return events
    return rows(events, events[COUNTS_UNTIL] > events.get(COUNTS_FROM, events["known_at"]))


def join_events(parts: Sequence[Columns]) -> Columns:
    """Events of several parts, in their order; with lifetimes where any part has them."""
    if any(COUNTS_UNTIL in part for part in parts):
        parts = [
            part if COUNTS_UNTIL in part else part | for_ever(part["known_at"]) for part in parts
        ]
    return {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def for_ever(known_at: Column) -> Columns:
    """The lifetimes of rows that count for ever from these instants on."""
    return {COUNTS_FROM: known_at, COUNTS_UNTIL: np.full(len(known_at), FOREVER)}


def unended(
    rows: Sequence[Row],
    known: Sequence[Mapping[str, Any]],
    versions_of: Sequence[str],
    *,
    is_replaced: bool,
) -> list[Row]:
    """Rows that neither withdraw their record nor were ended by one of those `known`.

    Rows that are equal in `versions_of` are versions of one record: a later one ends those before
    it where `is_replaced`, otherwise only one that withdraws it does.
    """
    ended: dict[tuple[Any, ...], int] = {}
    for row in known:
        if is_replaced or row["withdrawn"]:
            record = tuple(row[name] for name in versions_of)
            ended[record] = max(row["version"], ended.get(record, 0))
    return [
        row
        for row in rows
        if not row["withdrawn"]
        and row["version"] + is_replaced > ended.get(tuple(row[name] for name in versions_of), 0)
    ]


def is_first_of_each(records: Column) -> Column:
    """Return which rows are the first of their record, whose rows follow each other."""
    return np.append(np.ones(min(len(records), 1), bool), records[1:] != records[:-1])


def versions_known(first: Column, at: Column, versions: Columns, is_first: Column) -> Column:
    """The version of each record that counts at an instant; -1 where none does.

    `versions` stand record after record, each in the order in which it became known; `is_first`
    says which are the first of theirs, and `first` is that of each record asked about, or -1.
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
            if since[version] < at[row] <= until[version]:
                known[row] = version
            version += 1
            if version == len(is_first) or is_first[version]:
                break
    return known
