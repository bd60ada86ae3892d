"""Insert the events of a source into the logs of all layouts of that source."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import BlobTransaction
from features.engine.store.event_log import insert_rows
from features.engine.store.label_codes import label_ids
from features.engine.store.layout import Layout
from features.engine.store.raw_columns import RawColumns, as_int64, number_column, size_of
from features.engine.store.row_merge import NOT_COUNTED
from features.engine.store.store_keys import key_parts, row_keys
from features.engine.windows.reducers import MISSING, NEVER


def insert_events(store: BlobTransaction, layouts: Iterable[Layout], events: RawColumns) -> None:
    """Insert events under their keys, except events that fail the condition or lack the key.

    `events` holds `known_at` and the columns that the layouts read.
    """
    into = [*layouts]
    insert_rows(store, into, event_keys(into, events), event_words(store, into, events))


def event_keys(layouts: Sequence[Layout], events: RawColumns) -> list[list[bytes | None]]:
    """Return the key of each event per layout, None if it fails the condition or lacks a part."""
    columns = {name for layout in layouts for name in layout.matching}
    # Layouts share columns, so each column is turned into key parts once.
    parts = {name: key_parts(events[name]) for name in columns}
    size = size_of(events)
    return [
        _where(layout, row_keys(layout, [parts[name] for name in layout.matching], size), events)
        for layout in layouts
    ]


def _where(layout: Layout, keys: list[bytes | None], events: RawColumns) -> list[bytes | None]:
    if layout.where is None:
        return keys
    is_chosen = (number_column(events, layout.where) == 1).tolist()
    return [key if chosen else None for key, chosen in zip(keys, is_chosen, strict=True)]


def event_words(store: BlobTransaction, layouts: Sequence[Layout], events: RawColumns) -> Column:
    """Return for each event the words of its rows in all layouts.

    Cells are computed once and arranged for all layouts in one step, since a numpy call takes as
    long for one event as for a hundred.
    """
    plan = _cell_plan(tuple(layouts))
    cells = [number_column(events, "known_at")[np.newaxis]]
    if plan.values:
        cells.append(as_int64(np.array([events[name] for name in plan.values])))
    for name in plan.labels:
        ids = label_ids(store, events[name])  # stable across restarts
        # The second cell is the last instant with the label, which `merge_rows` fills in.
        cells.append(np.array([ids, np.where(ids == MISSING, NOT_COUNTED, NEVER)]))
    return np.concatenate(cells)[plan.cells].T


class _CellPlan(NamedTuple):
    """Columns of an event that layouts read, and the cell that fills each word of their rows.

    The first cell is the instant; then come values, then each label with the instant it was last
    seen.
    """

    values: list[str]
    labels: list[str]
    cells: Column


@lru_cache
def _cell_plan(layouts: tuple[Layout, ...]) -> _CellPlan:
    values = sorted({name for layout in layouts for name in layout.values})
    labels = sorted({name for layout in layouts for name in layout.labels})
    first_label = 1 + len(values)
    cells: list[int] = []
    for layout in layouts:
        cells.append(0)
        cells += [1 + values.index(name) for name in layout.values]
        for name in layout.labels:
            label = first_label + 2 * labels.index(name)
            cells += (label, label + 1)
    return _CellPlan(values, labels, np.array(cells, np.int64))
