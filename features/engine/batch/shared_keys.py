"""Keys of windows: groups of windows that share events, and one number for equal keys."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from features.engine.batch.factorize import factorize_together, hash_column
from features.engine.columns import Column, Columns, is_text, length
from features.engine.numba_cache import compiled
from features.engine.string_table import STRING_TABLE
from features.engine.windows.window_declaration import Keying, Window

By = tuple[str, ...]


def windows_by_source(windows: Iterable[Window]) -> dict[str, list[Window]]:
    """Group windows by the source whose events they reduce."""
    by_source: dict[str, list[Window]] = defaultdict(list)
    for window in windows:
        by_source[window.source].append(window)
    return by_source


def by_keying(windows: Sequence[Window]) -> dict[Keying, list[Window]]:
    """Group windows by the keying of their events."""
    found: dict[Keying, list[Window]] = defaultdict(list)
    for window in windows:
        found[window.keying].append(window)
    return found


def by_key(windows: Sequence[Window]) -> dict[By, list[Window]]:
    """Group windows by the subject columns that form their key."""
    found: dict[By, list[Window]] = defaultdict(list)
    for window in windows:
        found[window.by].append(window)
    return found


def by_first_column(windows: Sequence[Window]) -> dict[By, list[Window]]:
    """Group windows by the first key column of their events.

    Events of one key are then in one part.
    """
    found: dict[By, list[Window]] = defaultdict(list)
    for window in windows:
        found[window.matching[:1]].append(window)
    return found


def columns_of_windows(windows: Sequence[Window]) -> set[str]:
    """Return the columns of events that windows read."""
    return {name for w in windows for name in (*w.matching, w.value, w.where) if name is not None}


def partitions_of_keys(columns: Columns, names: By, parts: int) -> Column:
    """Return the part of each row's key, by its first column; negative if that is missing."""
    if not names:
        return np.zeros(length(columns), np.int32)
    first = columns[names[0]]
    return _remainders(first if is_text(first) else hash_column(first), parts)


def paired_keys(
    events: Columns, matching: By, subjects: Columns, by: By, parts: int = 1
) -> tuple[Column, Column, int]:
    """Return one number per key for events and for subjects, and their size.

    Numbers are negative if a key column is missing. Events of keys that no subject has are left
    out.
    """
    if not by:
        return np.zeros(length(events), np.int32), np.zeros(length(subjects), np.int32), 1
    own, other = [subjects[name] for name in by], [events[name] for name in matching]
    if parts > 1 and len(by) == 1 and is_text(own[0]) and is_text(other[0]):
        stride = np.int32(parts)  # codes in one part are congruent modulo `parts`
        return other[0] // stride, own[0] // stride, len(STRING_TABLE) // parts + 1
    # Numbered by subjects: a key that no subject has needs no number.
    subject_keys, keys, size = factorize_together(own, other)
    return keys, subject_keys, size


def keys_where(keys: Column, events: Columns, where: str | None) -> Column:
    """Return the keys, negative for events that do not meet the condition."""
    return keys if where is None else np.where(events[where] == 1, keys, np.int32(-1))


@compiled(nogil=True)
def _remainders(numbers: Column, divisor: int) -> Column:
    """Return remainders, -1 for negative numbers."""
    remainders = np.empty(len(numbers), np.int32)
    for row in range(len(numbers)):
        remainders[row] = numbers[row] % divisor if numbers[row] >= 0 else -1
    return remainders
