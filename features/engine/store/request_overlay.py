"""What subjects bring along: rows beside the ledgers that their windows read, kept nowhere.

Putting them into ledgers for one question would read and write whole blobs, and open closed pages
where the key is busy. Every reducer but `latest` takes rows in any order, so that they can stand
beside; a label of theirs is a new one where the ledger had it last before a window begins.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

import numpy as np

from features.engine.columns import Column
from features.engine.numba_cache import compiled, inlined
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.event_log import last_keys, last_of
from features.engine.store.key_builder import KeyedLog
from features.engine.store.keys import parts_of
from features.engine.store.layout import Layout
from features.engine.store.page_format import copy_words
from features.engine.store.page_writer import NOT_COUNTED
from features.engine.store.raw_columns import RawColumns, as_int64, number_column
from features.engine.store.string_ids import label_ids
from features.engine.store.window_reader import OverlayRows
from features.engine.windows.reducers import MISSING, NEVER

_RETURN = -1  # the cell beside a label

KeyParts = Sequence[str | None]
"""The values of a subject of which its keys are made, as parts of keys."""


class OverlayRoutes:
    """How events come beside the ledgers of a plan's slots, found once for the same layouts.

    `columns` are those of which subjects' keys are made.
    """

    def __init__(self, columns: Sequence[str], slots: Sequence[KeyedLog]) -> None:
        self.slots = slots
        self._columns = columns
        self._found: dict[tuple[int, ...], OverlayRoute | None] = {}

    def of(self, layouts: Iterable[Layout]) -> "OverlayRoute | None":
        """The way of events that come under these layouts; None where no slot is of one."""
        asked = tuple([layout.number for layout in layouts])
        if asked not in self._found:
            at = [at for at, slot in enumerate(self.slots) if slot.layout.number in asked]
            self._found[asked] = OverlayRoute(self._columns, self.slots, at) if at else None
        return self._found[asked]


class OverlayRoute:
    """The way of events of one source beside the slots that `at` names."""

    def __init__(
        self, columns: Sequence[str], slots: Sequence[KeyedLog], at: Sequence[int]
    ) -> None:
        own = [slots[slot] for slot in at]
        layouts = [slot.layout for slot in own]
        self._at, self._size = np.array(at, np.int64), len(slots)
        self._columns = sorted({name for layout in layouts for name in layout.matching})
        self._of_subject = [_picking(map(columns.index, slot.by)) for slot in own]
        self._of_event = [_picking(map(self._columns.index, one.matching)) for one in layouts]
        self._where = [(i, one.where) for i, one in enumerate(layouts) if one.where is not None]
        self._values = sorted({name for layout in layouts for name in layout.values})
        self._labels = sorted({name for layout in layouts for name in layout.labels})
        cells = [self._cells(layout) for layout in layouts]
        self._flat = np.array([cell for of_one in cells for cell in of_one], np.int64)
        self._starts = np.cumsum([0, *map(len, cells)])

    def _cells(self, layout: Layout) -> list[int]:
        """For each word of a row its place among the instant, the values and the labels."""
        labels = 1 + len(self._values)
        cells = [0, *(1 + self._values.index(name) for name in layout.values)]
        for name in layout.labels:
            cells += [labels + self._labels.index(name), _RETURN]
        return cells

    def rows(
        self,
        store: BlobTransaction,
        parts: Sequence[KeyParts],
        events: RawColumns,
        of: Sequence[int],
    ) -> OverlayRows:
        """What comes under the keys of slots, as `events.insert_events` would keep it.

        `parts` are those of every subject, `of` the subject to which each event comes.
        """
        is_own = self._is_own(parts, events, of)
        for i, where in self._where:
            is_own[:, i] &= number_column(events, where) == 1
        told = np.empty((len(is_own), 1 + len(self._values) + len(self._labels)), np.int64)
        told[:, 0] = number_column(events, "known_at")
        for at, name in enumerate(self._values, start=1):
            told[:, at] = as_int64(number_column(events, name))
        for at, name in enumerate(self._labels, start=1 + len(self._values)):
            told[:, at] = label_ids(store, events[name])
        slots = np.array(of, np.int64)[:, None] * self._size + self._at
        return OverlayRows(
            *_placed(told, is_own, slots, self._flat, self._starts, len(parts) * self._size)
        )

    def _is_own(self, parts: Sequence[KeyParts], events: RawColumns, of: Sequence[int]) -> Column:
        """Which events, a row each, come under the key of which slot of this way.

        Where a part of it is missing on both sides the slot has no key, and its windows no number.
        """
        made = [parts_of(events[name]) for name in self._columns]
        rows = zip(*made, strict=True) if made else [()] * len(of)
        return np.array(
            [
                [
                    of_event(row) == of_subject(own)
                    for of_event, of_subject in zip(self._of_event, self._of_subject, strict=True)
                ]
                for own, row in zip(map(parts.__getitem__, of), rows, strict=True)
            ]
        )


def _picking(places: Iterable[int]) -> Callable[[Sequence[Any]], Any]:
    """Some parts of many, to be compared with as many others."""
    picked = (*places,)
    return itemgetter(*picked) if picked else lambda parts: ()


class RequestOverlay:
    """What comes beside the ledgers of some subjects, for one question about each.

    `parts` are those of every subject's keys.
    """

    def __init__(self, ways: OverlayRoutes, parts: Sequence[KeyParts]) -> None:
        self._ways, self._parts = ways, parts
        self._brought: list[OverlayRows] = []

    @property
    def has_rows(self) -> bool:
        """Whether anything comes."""
        return any(len(passing.words) for passing in self._brought)

    def insert(
        self,
        store: BlobTransaction,
        layouts: Iterable[Layout],
        events: RawColumns,
        of: Sequence[int],
    ) -> None:
        """Take what comes under the key of a slot; `of` tells to which subject each event comes."""
        if way := self._ways.of(layouts):
            self._brought.append(way.rows(store, self._parts, events, of))

    def passing(
        self, store: BlobReader, keys: Sequence[bytes | None], with_pages: Column, instants: Column
    ) -> OverlayRows:
        """The rows of all slots, told when the closed pages of their slot had each label last."""
        passing, *more = self._brought
        for one in more:
            passing = OverlayRows(*_joined(passing.words, passing.starts, one.words, one.starts))
        many, asked, returns = len(self._ways.slots), [], []
        for slot in with_pages.tolist():
            layout, key = self._ways.slots[slot % many].layout, keys[slot]
            own = passing.words[passing.starts[slot] : passing.starts[slot + 1]]
            if layout.labels and key is not None and len(own):
                rows, at = own.reshape(-1, layout.width), int(instants[slot // many])
                for label, word in enumerate(range(layout.label_at, layout.width, 2)):
                    asked += last_keys(key, label, rows[:, word].tolist())
                    returns.append((rows[:, word + 1], at))
        if asked:
            _tell_last(returns, iter(last_of(store, asked)))
        return passing


def _tell_last(returns: Iterable[tuple[Column, int]], lasts: Iterator[int]) -> None:
    """Set when closed pages had labels last, if that is before an instant."""
    for column, at in returns:
        column[:] = [
            max(told, last) if last < at else NEVER
            for told, last in zip(column.tolist(), lasts, strict=False)
        ]


@compiled
def _placed(
    told: Column, is_own: Column, slots: Column, cells: Column, cell_starts: Column, size: int
) -> tuple[Column, Column]:
    """The rows of so many slots one after the other, each of some cells of what an event tells.

    `slots` names for every event those that it comes under where `is_own`.
    """
    starts = np.zeros(size + 1, np.int64)
    for event in range(len(is_own)):
        for i in range(is_own.shape[1]):
            if is_own[event, i]:
                starts[slots[event, i] + 1] += cell_starts[i + 1] - cell_starts[i]
    for slot in range(size):
        starts[slot + 1] += starts[slot]
    words, free = np.empty(starts[size], np.int64), starts.copy()
    for event in range(len(is_own)):
        for i in range(is_own.shape[1]):
            if is_own[event, i]:
                own, slot = cells[cell_starts[i] : cell_starts[i + 1]], slots[event, i]
                free[slot] = _put(words, free[slot], told[event], own)
    return words, starts


@inlined
def _put(words: Column, place: int, told: Column, cells: Column) -> int:
    """Put a row at a place; returns the place after it."""
    for i in range(len(cells)):
        if cells[i] == _RETURN:
            words[place] = NOT_COUNTED if words[place - 1] == MISSING else NEVER
        else:
            words[place] = told[cells[i]]
        place += 1
    return place


@compiled
def _joined(
    words: Column, starts: Column, more: Column, more_starts: Column
) -> tuple[Column, Column]:
    """The rows of each slot from both."""
    joined, ends = np.empty(len(words) + len(more), np.int64), np.empty(len(starts), np.int64)
    for slot in range(len(starts)):
        ends[slot] = starts[slot] + more_starts[slot]
    for slot in range(len(starts) - 1):
        middle = ends[slot] + starts[slot + 1] - starts[slot]
        copy_words(words, starts[slot], starts[slot + 1], joined, ends[slot])
        copy_words(more, more_starts[slot], more_starts[slot + 1], joined, middle)
    return joined, ends
