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
    lasts_key,
    open_key,
    page_key,
    starts_of,
    summaries_key,
    words,
)
from features.state.reduction import (
    REDUCERS,
    Opened,
    Pages,
    needed,
    reduced,
    slots_with_pages,
    summary_places,
)
from features.state.store import Blob, Reading

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
    _summary_widths: Column
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
            _summary_widths=np.array([slot.layout.summary_width for slot in slots], np.int64),
            _labelled=tuple(labelled),
            _no_pages=_none(len(windows), len(slots)),
        )

    def numbers(self, store: Reading, subject: Mapping[str, Part], at: int) -> Column:
        """The number of each window for a subject at an instant (microseconds), as float64.

        NaN for a window whose key the subject does not have.
        """
        return self.numbers_of(store, self.keys(subject), at)

    def keys(self, subject: Mapping[str, Part]) -> list[bytes | None]:
        """The key that a subject has in each slot."""
        parts = [part_of(subject[name]) for name in self.columns]
        return [key_of(pick(parts)) for pick in self._picks]

    def asked(self, keys: Sequence[bytes | None]) -> dict[Layout, set[bytes]]:
        """The keys by their layouts."""
        asked: dict[Layout, set[bytes]] = {}
        for slot, key in zip(self.slots, keys, strict=True):
            if key is not None:
                asked.setdefault(slot.layout, set()).add(key)
        return asked

    def numbers_of(self, store: Reading, keys: list[bytes | None], at: int) -> Column:
        """As `numbers`, for a subject with these keys."""
        blobs = self._opened(store, keys)
        opened = Opened(words(blobs), starts_of(blobs), self._widths)
        with_pages = slots_with_pages(opened)
        pages = self._pages(store, keys, with_pages, at) if len(with_pages) else self._no_pages
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
        self, store: Reading, keys: list[bytes | None], with_pages: Column, at: int
    ) -> Pages:
        """The closed pages of all slots, those fetched that are needed."""
        slots = with_pages.tolist()
        told = store.get([summaries_key(self.slots[i].layout, keys[i] or b"") for i in slots])
        bases, starts = summary_places(with_pages, starts_of(told), self._summary_widths)
        lasts, last_ends = self._lasts(store, keys, slots)
        pages = Pages(
            summaries=words(told),
            bases=bases,
            summary_starts=starts,
            words=_EMPTY,
            starts=_NO_STARTS,
            rows=ledger.PAGE_ROWS,
            lasts=lasts,
            last_ends=last_ends,
        )
        is_needed = needed(self._numbered, at, pages)
        return self._fetched(store, keys, pages, is_needed) if is_needed.any() else pages

    def _lasts(
        self, store: Reading, keys: list[bytes | None], with_pages: list[int]
    ) -> tuple[Column, Column]:
        """For each window that counts labels in closed pages, when each was there last."""
        blobs: list[Blob | None] = [None] * len(self.windows)
        for window, slot, label in self._labelled:
            if slot in with_pages:
                place = lasts_key(self.slots[slot].layout, keys[slot] or b"", label)
                (blobs[window],) = store.get([place])
        return words(blobs), starts_of(blobs)

    def _fetched(
        self, store: Reading, keys: list[bytes | None], pages: Pages, is_needed: Column
    ) -> Pages:
        (wanted,) = is_needed.nonzero()
        slots = pages.bases.searchsorted(wanted, "right") - 1
        own = (wanted - pages.bases[slots]).tolist()
        blobs = store.get(
            [
                page_key(self.slots[slot].layout, keys[slot] or b"", page)
                for slot, page in zip(slots.tolist(), own, strict=True)
            ]
        )
        starts = np.full(len(is_needed), -1)
        starts[wanted] = starts_of(blobs)[:-1]
        return pages._replace(words=words(blobs), starts=starts)


def _pick(places: Sequence[int]) -> Pick:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda parts: [parts[place] for place in places]


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
