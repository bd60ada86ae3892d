"""All windows of one subject, gathered from the store and reduced in one compiled call."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from features.asof.sources import Keying, keying_of
from features.asof.windows import Window
from features.columns import DAY_US, Column
from features.state.keys import Part, key_of, part_of
from features.state.layout import Layout
from features.state.ledger import ends_of, open_key, page_key, summaries_key, words
from features.state.reduction import REDUCERS, Opened, Pages, needed, reduced
from features.state.store import Blob, Reading

_NO_PAGES = bytes(8)


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
    _numbered: Column
    _widths: Column

    @classmethod
    def of(cls, windows: Sequence[Window], layouts: Mapping[Keying, Layout]) -> Self:
        """The plan for windows; `layouts` must hold their keyings."""
        slots: dict[Slot, int] = {}
        numbered = []
        for window in windows:
            layout = layouts[keying_of(window)]
            slot = slots.setdefault(Slot(layout, window.by), len(slots))
            span = -1 if window.days is None else window.days * DAY_US
            reducer = REDUCERS.index(window.reducer)
            numbered.append((slot, reducer, span, layout.word(window), layout.summary_word(window)))
        return cls(
            windows=tuple(windows),
            slots=tuple(slots),
            columns=tuple(sorted({name for slot in slots for name in slot.by})),
            _numbered=np.array(numbered, np.int64).reshape(-1, 5),
            _widths=np.array([slot.layout.width for slot in slots], np.int64),
        )

    def numbers(self, store: Reading, subject: Mapping[str, Part], at: int) -> Column:
        """The number of each window for a subject at an instant (microseconds), as float64.

        NaN for a window whose key the subject does not have.
        """
        parts = {name: part_of(subject[name]) for name in self.columns}
        keys = [key_of([parts[name] for name in slot.by]) for slot in self.slots]
        blobs = self._opened(store, keys)
        opened = Opened(words(blobs), np.concatenate([_ZERO, ends_of(blobs)]), self._widths)
        with_pages = [i for i, blob in enumerate(blobs) if blob and bytes(blob[:8]) != _NO_PAGES]
        pages = self._pages(store, keys, with_pages, at) if with_pages else _none(len(blobs))
        numbers = reduced(self._numbered, at, opened, pages)
        if None in keys:
            has_none = np.array([key is None for key in keys])
            numbers[has_none[self._numbered[:, 0]]] = np.nan
        return numbers

    def _opened(self, store: Reading, keys: list[bytes | None]) -> list[Blob | None]:
        return store.get(
            [
                open_key(slot.layout, key) if key is not None else b"-"
                for slot, key in zip(self.slots, keys, strict=True)
            ]
        )

    def _pages(
        self, store: Reading, keys: list[bytes | None], with_pages: list[int], at: int
    ) -> Pages:
        """The closed pages of all slots, those fetched that are needed."""
        where = [(self.slots[slot].layout, keys[slot] or b"") for slot in with_pages]
        told = store.get([summaries_key(*at_key) for at_key in where])
        ends = ends_of(told)
        counts = np.zeros(len(self.slots), np.int64)
        starts = []
        for (layout, _), slot, end, blob in zip(where, with_pages, ends, told, strict=True):
            size = len(blob or b"") // 8
            counts[slot] = size // layout.summary_width
            starts.append(np.arange(end - size, end, layout.summary_width))
        summaries, bases = words(told), np.concatenate([_ZERO, np.cumsum(counts)])
        slots = np.concatenate(starts)
        wanted = np.flatnonzero(needed(self._numbered, at, summaries, bases, slots))
        fetched = self._fetched(store, keys, bases, wanted)
        page_starts = np.full(len(slots), -1)
        page_starts[wanted] = np.concatenate([_ZERO, ends_of(fetched)])[:-1]
        return Pages(summaries, bases, slots, words(fetched), page_starts)

    def _fetched(
        self, store: Reading, keys: list[bytes | None], bases: Column, wanted: Column
    ) -> list[Blob | None]:
        slots = np.searchsorted(bases, wanted, "right") - 1
        return store.get(
            [
                page_key(self.slots[slot].layout, keys[slot] or b"", page)
                for slot, page in zip(slots.tolist(), (wanted - bases[slots]).tolist(), strict=True)
            ]
        )


_ZERO = np.zeros(1, np.int64)


def _none(slots: int) -> Pages:
    return Pages(_EMPTY, np.zeros(slots + 1, np.int64), _EMPTY, _EMPTY, _EMPTY)


_EMPTY = np.zeros(0, np.int64)
