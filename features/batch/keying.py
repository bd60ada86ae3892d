"""How windows are keyed: which of them share events, and one number for equal keys."""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from features.asof.keys import KeyTable, hashes_of_parts, key_parts
from features.asof.sources import Keying, keying_of
from features.asof.windows import Window
from features.columns import Column, Columns, is_text, length
from features.vocabulary import VOCABULARY

By = tuple[str, ...]


def by_keying(windows: Sequence[Window]) -> dict[Keying, list[Window]]:
    """Windows by what keys their events."""
    found: dict[Keying, list[Window]] = defaultdict(list)
    for window in windows:
        found[keying_of(window)].append(window)
    return found


def by_key(windows: Sequence[Window]) -> dict[By, list[Window]]:
    """Windows by the subject's columns that form their key."""
    found: dict[By, list[Window]] = defaultdict(list)
    for window in windows:
        found[window.by].append(window)
    return found


def by_first_column(windows: Sequence[Window]) -> dict[By, list[Window]]:
    """Windows by the first column of their events' keys: events of one key are in one part."""
    found: dict[By, list[Window]] = defaultdict(list)
    for window in windows:
        found[window.matching[:1]].append(window)
    return found


def columns_of(windows: Sequence[Window]) -> set[str]:
    """The columns of events that windows read."""
    return {name for w in windows for name in (*w.matching, w.value, w.where) if name is not None}


def parts_of(columns: Columns, names: By, parts: int) -> Column:
    """The part that each row's key belongs to, by its first column; negative without it."""
    first = names[:1]
    if first and is_text(codes := columns[first[0]]):
        return np.where(codes < 0, np.int32(-1), codes % np.int32(parts))
    keys, is_none = key_parts(columns, first, length(columns))
    return np.where(is_none, -1, hashes_of_parts(keys) % parts)


def paired_keys(
    events: Columns, matching: By, subjects: Columns, by: By, parts: int = 1
) -> tuple[Column, Column, int]:
    """One number per key for events and for subjects, below a size; negative without a key.

    Events of keys that no subject has are left out.
    """
    if len(by) == 1 and is_text(subjects[by[0]]) and is_text(events[matching[0]]):
        every = np.int32(parts)  # the codes of one part are so far apart
        return events[matching[0]] // every, subjects[by[0]] // every, len(VOCABULARY) // parts + 1
    table = KeyTable(*key_parts(subjects, by, length(subjects)))
    if all(events[m] is subjects[b] for m, b in zip(matching, by, strict=True)) and by:
        return table.codes, table.codes, len(table)
    return table.codes_of(*key_parts(events, matching, length(events))), table.codes, len(table)


def chosen(keys: Column, events: Columns, where: str | None) -> Column:
    """The keys, negative for events that do not meet the condition."""
    return keys if where is None else np.where(events[where] == 1, keys, np.int32(-1))
