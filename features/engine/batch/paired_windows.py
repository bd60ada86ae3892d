"""Windows over events in memory, for subjects or records with keys of the same columns."""

from collections.abc import Iterable, Mapping, Sequence

from features.engine.batch.reduce_windows import reduce_windows
from features.engine.batch.shared_keys import (
    by_keying,
    keys_where,
    paired_keys,
    windows_by_source,
)
from features.engine.batch.sort_by_key import KeyGroups
from features.engine.columns import Column, Columns, length
from features.engine.string_table import STRING_TABLE
from features.engine.windows.record_history import RecordHistory
from features.engine.windows.window_declaration import Window


def reduce_paired(
    windows: Sequence[Window], events: Columns, subjects: Columns, partitions: int = 1
) -> Iterable[tuple[Window, Column]]:
    """Yield each window of events for subjects, matching equal keys."""
    for (_, matching, where), alike in by_keying(windows).items():
        by = alike[0].by
        keys, subject_keys, size = paired_keys(events, matching, subjects, by, partitions)
        subject_groups = KeyGroups.sort(subject_keys, subjects["declared_at"], size)
        keys = keys_where(keys, events, where)
        yield from reduce_windows(alike, events, keys, subject_groups, length(subjects))


def numbers_of_history(
    histories: Mapping[str, RecordHistory],
    events: Mapping[str, Columns],
    records: Columns,
    declared_at: Column,
) -> Columns:
    """Return the values that linked records take from history, as of their subject's declaration.

    `events` holds history by source, in the order it became known.
    """
    return {
        name: _number(history, events, records, declared_at) for name, history in histories.items()
    }


def _number(
    history: RecordHistory, events: Mapping[str, Columns], records: Columns, declared_at: Column
) -> Column:
    # Each distinct text is mapped once, since many records share one.
    key = STRING_TABLE.map_texts(records[history.field], history.key_of)
    asking = {history.key: key, "declared_at": declared_at}
    numbers: dict[Window, Column] = {}
    for source, windows in windows_by_source(history.windows.values()).items():
        numbers |= reduce_paired([*dict.fromkeys(windows)], events[source], asking)
    return history.function(**{name: numbers[w] for name, w in history.windows.items()})
