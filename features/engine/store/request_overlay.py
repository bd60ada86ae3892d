"""Events that a request brings, added to the logs that its windows read and never stored.

Inserting them for one query would read and write whole blobs, and reopen closed pages of busy keys.
Every stored reducer accepts rows in any order, so they can stay outside the log. A label of theirs
counts if the log last had it before the window begins.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from features.engine.columns import Column
from features.engine.numba_cache import compiled, inlined
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.history_windows import OverlayRows
from features.engine.store.key_builder import KeyedLog
from features.engine.store.label_codes import label_ids
from features.engine.store.last_seen import last_of
from features.engine.store.layout import Layout
from features.engine.store.page_format import copy_words
from features.engine.store.raw_columns import RawColumns, as_int64, number_column
from features.engine.store.row_merge import NOT_COUNTED
from features.engine.store.store_keys import key_parts, last_keys
from features.engine.windows.reducers import MISSING, NEVER

_LAST_SEEN = -1  # the word after a label, which no cell of an event fills

# The values of a subject that form its keys, as key parts.
KeyParts = Sequence[str | None]


class OverlayRoutes:
    """Routes of events to the logs of a query plan, cached by layouts.

    `columns` are the subject columns that form keys.
    """

    def __init__(self, columns: Sequence[str], logs: Sequence[KeyedLog]) -> None:
        self.logs = logs
        self._columns = columns
        self._routes: dict[tuple[int, ...], OverlayRoute | None] = {}

    def route(self, layouts: Iterable[Layout]) -> "OverlayRoute | None":
        """Return the route of events with these layouts, or None if no log has one of them."""
        numbers = tuple([layout.number for layout in layouts])
        if numbers not in self._routes:
            at = [at for at, log in enumerate(self.logs) if log.layout.number in numbers]
            self._routes[numbers] = OverlayRoute(self._columns, self.logs, at) if at else None
        return self._routes[numbers]


class OverlayRoute:
    """Route of events of one source to rows for the logs at the indexes `at`."""

    def __init__(self, columns: Sequence[str], logs: Sequence[KeyedLog], at: Sequence[int]) -> None:
        targets = [logs[place] for place in at]
        layouts = [log.layout for log in targets]
        self._at, self._logs = np.array(at, np.int64), len(logs)
        self._columns = sorted({name for layout in layouts for name in layout.matching})
        self._subject_key = [_picker(map(columns.index, log.by)) for log in targets]
        self._event_key = [_picker(map(self._columns.index, one.matching)) for one in layouts]
        self._where = [(i, one.where) for i, one in enumerate(layouts) if one.where is not None]
        self._values = sorted({name for layout in layouts for name in layout.values})
        self._labels = sorted({name for layout in layouts for name in layout.labels})
        cells = [self._cells_of(layout) for layout in layouts]
        self._cells = np.array([cell for of_layout in cells for cell in of_layout], np.int64)
        self._cell_starts = np.cumsum([0, *map(len, cells)])

    def _cells_of(self, layout: Layout) -> list[int]:
        """Return for each word of a row its index among the instant, the values and the labels."""
        first_label = 1 + len(self._values)
        cells = [0, *(1 + self._values.index(name) for name in layout.values)]
        for name in layout.labels:
            cells += [first_label + self._labels.index(name), _LAST_SEEN]
        return cells

    def rows(
        self,
        store: BlobTransaction,
        parts: Sequence[KeyParts],
        events: RawColumns,
        subjects: Sequence[int],
    ) -> OverlayRows:
        """Return the rows of events for logs with their keys, as `event_writer` would insert them.

        `parts` holds the key parts of every subject, `subjects` the subject that brings each event.
        """
        is_own = self._is_own(parts, events, subjects)
        for i, where in self._where:
            is_own[:, i] &= number_column(events, where) == 1
        words = np.empty((len(is_own), 1 + len(self._values) + len(self._labels)), np.int64)
        words[:, 0] = number_column(events, "known_at")
        for at, name in enumerate(self._values, start=1):
            words[:, at] = as_int64(number_column(events, name))
        for at, name in enumerate(self._labels, start=1 + len(self._values)):
            words[:, at] = label_ids(store, events[name])
        logs = np.array(subjects, np.int64)[:, None] * self._logs + self._at
        size = len(parts) * self._logs
        return OverlayRows(*_placed(words, is_own, logs, self._cells, self._cell_starts, size))

    def _is_own(
        self, parts: Sequence[KeyParts], events: RawColumns, subjects: Sequence[int]
    ) -> Column:
        """Return a mask of events (rows) whose key is that of a log (columns).

        If a part is missing on both sides they match, but the log then has no key and its windows
        no value.
        """
        columns = [key_parts(events[name]) for name in self._columns]
        rows = zip(*columns, strict=True) if columns else [()] * len(subjects)
        return np.array(
            [
                [
                    event_key(row) == subject_key(subject)
                    for event_key, subject_key in zip(
                        self._event_key, self._subject_key, strict=True
                    )
                ]
                for subject, row in zip(map(parts.__getitem__, subjects), rows, strict=True)
            ]
        )


def _picker(places: Iterable[int]) -> Callable[[Sequence[Any]], Any]:
    """Return a function that picks some parts, in a form that compares with others of its kind."""
    picked = (*places,)
    return itemgetter(*picked) if picked else lambda parts: ()


class RequestOverlay:
    """Overlay rows for the logs of some subjects, for one query about each.

    `parts` are the key parts of every subject.
    """

    def __init__(self, routes: OverlayRoutes, parts: Sequence[KeyParts]) -> None:
        self._routes, self._parts = routes, parts
        self._rows: list[OverlayRows] = []

    @property
    def has_rows(self) -> bool:
        """True if there are any rows."""
        return any(len(rows.words) for rows in self._rows)

    def insert(
        self,
        store: BlobTransaction,
        layouts: Iterable[Layout],
        events: RawColumns,
        subjects: Sequence[int],
    ) -> None:
        """Add the events that have the key of a log; `subjects` holds who brings each event."""
        if route := self._routes.route(layouts):
            self._rows.append(route.rows(store, self._parts, events, subjects))

    def add(self, rows: OverlayRows | None) -> None:
        """Add rows for all logs."""
        if rows is not None:
            self._rows.append(rows)

    def rows(
        self, store: BlobReader, keys: Sequence[bytes | None], with_pages: Column, instants: Column
    ) -> OverlayRows:
        """Return the rows of all logs, with the last instants of their labels in closed pages.

        `with_pages` are the numbers of logs that have closed pages.
        """
        overlay, *others = self._rows
        for other in others:
            overlay = OverlayRows(
                *_joined(overlay.words, overlay.starts, other.words, other.starts)
            )
        logs, last_seen_keys, columns = self._routes.logs, [], []
        for log in with_pages.tolist():
            layout, key = logs[log % len(logs)].layout, keys[log]
            words = overlay.words[overlay.starts[log] : overlay.starts[log + 1]]
            if layout.labels and key is not None and len(words):
                rows, at = words.reshape(-1, layout.width), int(instants[log // len(logs)])
                for label, word in enumerate(range(layout.label_at, layout.width, 2)):
                    last_seen_keys += last_keys(key, label, rows[:, word].tolist())
                    columns.append((rows[:, word + 1], at))
        if last_seen_keys:
            _set_last_seen(columns, iter(last_of(store, last_seen_keys)))
        return overlay


def _set_last_seen(columns: Iterable[tuple[Column, int]], last_seen: Iterator[int]) -> None:
    """Set the last instants of labels in closed pages, where they precede the subject's instant."""
    for column, at in columns:
        column[:] = [
            # NEVER if later: then `update_last_seen` finds the last earlier instant in fetched
            # pages.
            max(known, last) if last < at else NEVER
            for known, last in zip(column.tolist(), last_seen, strict=False)
        ]


@compiled
def _placed(
    events: Column, is_own: Column, logs: Column, cells: Column, cell_starts: Column, size: int
) -> tuple[Column, Column]:
    """Return rows of `size` logs, one log after the other, assembled from cells of events.

    `logs` holds for every event the candidate logs; it is added to those where `is_own`.
    """
    # First count the words of each log, then fill them, so that one array suffices.
    starts = np.zeros(size + 1, np.int64)
    for event in range(len(is_own)):
        for i in range(is_own.shape[1]):
            if is_own[event, i]:
                starts[logs[event, i] + 1] += cell_starts[i + 1] - cell_starts[i]
    for log in range(size):
        starts[log + 1] += starts[log]
    words, free = np.empty(starts[size], np.int64), starts.copy()
    for event in range(len(is_own)):
        for i in range(is_own.shape[1]):
            if is_own[event, i]:
                own, log = cells[cell_starts[i] : cell_starts[i + 1]], logs[event, i]
                free[log] = _put(words, free[log], events[event], own)
    return words, starts


@inlined
def _put(words: Column, place: int, event: Column, cells: Column) -> int:
    """Write a row at a position and return the position after it."""
    for i in range(len(cells)):
        if cells[i] == _LAST_SEEN:
            words[place] = NOT_COUNTED if words[place - 1] == MISSING else NEVER
        else:
            words[place] = event[cells[i]]
        place += 1
    return place


@compiled
def _joined(
    words: Column, starts: Column, more: Column, more_starts: Column
) -> tuple[Column, Column]:
    """Return the rows of each log from both overlays."""
    joined, ends = np.empty(len(words) + len(more), np.int64), np.empty(len(starts), np.int64)
    for log in range(len(starts)):
        ends[log] = starts[log] + more_starts[log]
    for log in range(len(starts) - 1):
        middle = ends[log] + starts[log + 1] - starts[log]
        copy_words(words, starts[log], starts[log + 1], joined, ends[log])
        copy_words(more, more_starts[log], more_starts[log + 1], joined, middle)
    return joined, ends
