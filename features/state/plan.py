"""All windows of one subject, gathered from the store and reduced in one compiled call."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Self

import numpy as np

from features.asof.sources import Keying, keying_of
from features.asof.windows import Window
from features.columns import DAY_US, Column
from features.state import ledger
from features.state.keys import Part, key_of, part_of
from features.state.layout import Layout
from features.state.ledger import (
    ends_of,
    lasts_key,
    open_key,
    page_key,
    summaries_key,
    words,
)
from features.state.reduction import REDUCERS, Opened, Pages, needed, reduced
from features.state.store import Blob, Reading

_NO_PAGES = bytes(8)


Pick = Callable[[Sequence[bytes | None]], Sequence[bytes | None]]
"""The parts of one key among those of all columns."""


@dataclass(frozen=True)
class Slot:
    """The ledger that windows read: a keying, under the key that these columns form."""

    layout: Layout
    by: tuple[str, ...]


@dataclass(frozen=True)
class Plan:
    """Windows in an order, and the ledgers that they read."""

    windows: tuple[Window, ...]
    slots: tuple[Slot, ...]
    columns: tuple[str, ...]
    _picks: tuple[Pick, ...]
    _starts: tuple[bytes, ...]
    _numbered: Column
    _widths: Column
    _labelled: tuple[tuple[int, int, int], ...]
    _no_pages: Pages

    @classmethod
    def of(cls, windows: Sequence[Window], layouts: Mapping[Keying, Layout]) -> Self:
        """The plan for windows; `layouts` must hold their keyings."""
        slots: dict[Slot, int] = {}
        numbered: list[tuple[int, ...]] = []
        labelled: list[tuple[int, int, int]] = []
        for window in windows:
            layout = layouts[keying_of(window)]
            slot = slots.setdefault(Slot(layout, window.by), len(slots))
            span = -1 if window.days is None else window.days * DAY_US
            reducer = REDUCERS.index(window.reducer)
            if window.reducer == "distinct":
                labelled.append((len(numbered), slot, layout.labels.index(str(window.value))))
            numbered.append((slot, reducer, span, layout.word(window), layout.summary_word(window)))
        columns = tuple(sorted({name for slot in slots for name in slot.by}))
        return cls(
            windows=tuple(windows),
            slots=tuple(slots),
            columns=columns,
            _picks=tuple(_pick([columns.index(name) for name in slot.by]) for slot in slots),
            _starts=tuple(open_key(slot.layout, b"") for slot in slots),
            _numbered=np.array(numbered, np.int64).reshape(-1, 5),
            _widths=np.array([slot.layout.width for slot in slots], np.int64),
            _labelled=tuple(labelled),
            _no_pages=_none(len(windows), len(slots)),
        )

    def numbers(self, store: Reading, subject: Mapping[str, Part], at: int) -> Column:
        """The number of each window for a subject at an instant (microseconds), as float64.

        NaN for a window whose key the subject does not have.
        """
        parts = [part_of(subject[name]) for name in self.columns]
        keys = [key_of(pick(parts)) for pick in self._picks]
        blobs = self._opened(store, keys)
        opened = Opened(words(blobs), np.concatenate([_ZERO, ends_of(blobs)]), self._widths)
        with_pages = [i for i, blob in enumerate(blobs) if blob and bytes(blob[:8]) != _NO_PAGES]
        pages = self._pages(store, keys, with_pages, at) if with_pages else self._no_pages
        numbers = reduced(self._numbered, at, opened, pages)
        if None in keys:
            has_none = np.array([key is None for key in keys])
            numbers[has_none[self._numbered[:, 0]]] = np.nan
        return numbers

    def _opened(self, store: Reading, keys: list[bytes | None]) -> list[Blob | None]:
        where = [
            b"-" if key is None else start + key
            for start, key in zip(self._starts, keys, strict=True)
        ]
        return store.get(where)

    def _pages(
        self, store: Reading, keys: list[bytes | None], with_pages: list[int], at: int
    ) -> Pages:
        """The closed pages of all slots, those fetched that are needed."""
        where = [(self.slots[slot].layout, keys[slot] or b"") for slot in with_pages]
        told = store.get([summaries_key(*at_key) for at_key in where])
        counts = np.zeros(len(self.slots) + 1, np.int64)
        starts = []
        for (layout, _), slot, end, blob in zip(
            where, with_pages, ends_of(told), told, strict=True
        ):
            size = len(blob or b"") // 8
            counts[slot + 1] = size // layout.summary_width
            starts.append(np.arange(end - size, end, layout.summary_width))
        lasts, last_ends = self._lasts(store, keys, set(with_pages))
        pages = Pages(
            summaries=words(told),
            bases=np.cumsum(counts),
            summary_starts=np.concatenate(starts),
            words=_EMPTY,
            starts=_NO_STARTS,
            rows=ledger.PAGE_ROWS,
            lasts=lasts,
            last_ends=last_ends,
        )
        return self._fetched(store, keys, pages, needed(self._numbered, at, pages))

    def _lasts(
        self, store: Reading, keys: list[bytes | None], with_pages: set[int]
    ) -> tuple[Column, Column]:
        """For each window that counts labels in closed pages, when each was there last."""
        blobs: list[Blob | None] = [None] * len(self.windows)
        for window, slot, label in self._labelled:
            if slot in with_pages:
                place = lasts_key(self.slots[slot].layout, keys[slot] or b"", label)
                (blobs[window],) = store.get([place])
        return words(blobs), np.concatenate([_ZERO, ends_of(blobs)])

    def _fetched(
        self, store: Reading, keys: list[bytes | None], pages: Pages, is_needed: Column
    ) -> Pages:
        wanted = np.flatnonzero(is_needed)
        slots = np.searchsorted(pages.bases, wanted, "right") - 1
        own = (wanted - pages.bases[slots]).tolist()
        blobs = store.get(
            [
                page_key(self.slots[slot].layout, keys[slot] or b"", page)
                for slot, page in zip(slots.tolist(), own, strict=True)
            ]
        )
        starts = np.full(len(is_needed), -1)
        starts[wanted] = np.concatenate([_ZERO, ends_of(blobs)])[:-1]
        return pages._replace(words=words(blobs), starts=starts)


def _pick(places: Sequence[int]) -> Pick:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda parts: [parts[place] for place in places]


_ZERO = np.zeros(1, np.int64)
# As read from blobs, which nobody may change.
_EMPTY = np.frombuffer(b"", np.int64)


def _none(windows: int, slots: int) -> Pages:
    return Pages(
        summaries=_EMPTY,
        bases=np.zeros(slots + 1, np.int64),
        summary_starts=_NO_STARTS,
        words=_EMPTY,
        starts=_NO_STARTS,
        rows=ledger.PAGE_ROWS,
        lasts=_EMPTY,
        last_ends=np.zeros(windows + 1, np.int64),
    )


_NO_STARTS = np.zeros(0, np.int64)
