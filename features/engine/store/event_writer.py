"""Insert the events of a source into the logs of all its keyings."""

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
    """Insert events under their keys, where they meet the keying's condition and have its key.

    `events` has `known_at` and what the layouts read.
    """
    into = [*layouts]
    insert_rows(store, into, event_keys(into, events), event_words(store, into, events))


def event_keys(layouts: Sequence[Layout], events: RawColumns) -> list[list[bytes | None]]:
    """For every layout the key of each event; None where it has none or fails the condition."""
    columns = {name for layout in layouts for name in layout.matching}
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
    """For each event the words of its rows in all layouts, one row after the other.

    The cells of events are made once, and laid as the layouts have them in one step: a numpy call
    takes as long for one event as for a hundred.
    """
    plan = _cell_plan(tuple(layouts))
    cells = [number_column(events, "known_at")[np.newaxis]]
    if plan.values:
        cells.append(as_int64(np.array([events[name] for name in plan.values])))
    for name in plan.labels:
        ids = label_ids(store, events[name])  # they stay the same after a restart
        cells.append(np.array([ids, np.where(ids == MISSING, NOT_COUNTED, NEVER)]))
    return np.concatenate(cells)[plan.cells].T


class _CellPlan(NamedTuple):
    """The cells of an event that layouts read, and the word of their rows that each fills.

    The first cell is the instant; then come the values, and the labels with a cell after each.
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
