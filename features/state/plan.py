"""All windows of some subjects, gathered from the store and reduced in one compiled call."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Self

import numpy as np

from features.asof.sources import Keying, keying_of
from features.asof.windows import Window
from features.columns import DAY_US, Column
from features.records import Record
from features.state import ledger
from features.state.closed import Pages, Told, paged
from features.state.keyring import Keyring, Slot
from features.state.keys import END, LONGEST, Part, part_of
from features.state.layout import Layout
from features.state.ledger import laid, lasts_key, page_key, summaries_key
from features.state.passing import Bringing, Ways
from features.state.reducers import REDUCERS
from features.state.reduction import (
    NO_KEY,
    Opened,
    Passing,
    reduced,
    slots_with_pages,
    tell_last,
)
from features.state.store import Blob, Reading

Brought = Mapping[str, Sequence[Record]]
"""Records of a request by type."""


class Question(NamedTuple):
    """A subject about which the windows of a plan are asked, as of an instant in microseconds.

    `values` are those of the plan's columns. `beside` are records that count as known too, to this
    subject alone, and are not kept: what it brings along.
    """

    values: Sequence[Part]
    at: int
    beside: Brought | None = None


@dataclass(frozen=True)
class Plan:
    """Windows in an order, and the ledgers that they read."""

    windows: tuple[Window, ...]
    slots: tuple[Slot, ...]
    columns: tuple[str, ...]
    layouts: tuple[Layout, ...]
    _keyring: Keyring
    _ways: Ways
    _label_ats: Column
    _numbered: Column
    _widths: Column
    _summary_widths: Column
    _labelled: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, windows: Sequence[Window], layouts: Mapping[Keying, Layout]) -> Self:
        """The plan for windows; `layouts` must hold their keyings."""
        slots: dict[Slot, int] = {}
        numbered: list[tuple[int, ...]] = []
        labelled: dict[tuple[int, int], int] = {}
        for window in windows:
            layout = layouts[keying_of(window)]
            slot = slots.setdefault(Slot(layout, window.by), len(slots))
            span = -1 if window.days is None else window.days * DAY_US
            reducer, told_at = REDUCERS.index(window.reducer), layout.summary_word(window)
            if window.reducer == "distinct":
                label = slot, layout.labels.index(str(window.value))
                told_at = labelled.setdefault(label, len(labelled))
            numbered.append((slot, reducer, span, layout.word(window), told_at))
        columns = tuple(sorted({name for slot in slots for name in slot.by}))
        return cls(
            windows=tuple(windows),
            slots=tuple(slots),
            columns=columns,
            layouts=tuple(dict.fromkeys(slot.layout for slot in slots)),
            _keyring=Keyring(columns, [*slots]),
            _ways=Ways(columns, [*slots]),
            _numbered=np.array(numbered, np.int64).reshape(-1, 5),
            _label_ats=np.array([slot.layout.label_at for slot in slots], np.int64),
            _widths=np.array([slot.layout.width for slot in slots], np.int64),
            _summary_widths=np.array([slot.layout.summary_width for slot in slots], np.int64),
            _labelled=tuple(labelled),
        )

    def numbers(self, store: Reading, subject: Mapping[str, Part], at: int) -> Column:
        """The number of each window for a subject at an instant (microseconds), as float64.

        NaN for a window whose key the subject does not have.
        """
        parts = self.parts([subject[name] for name in self.columns])
        return self.numbers_of(store, self.keys(parts), np.array([at], np.int64))[0]

    def parts(self, values: Iterable[Part]) -> list[str | None]:
        """A subject's values, one for each of `columns`, as parts of keys."""
        return [
            f"{value}{END}" if type(value) is str and len(value) <= LONGEST else part_of(value)
            for value in values
        ]

    def keys(self, parts: Sequence[str | None]) -> list[bytes | None]:
        """The key that a subject of such parts has in each slot."""
        return self._keyring.keys(parts)

    def bringing(self, parts: Sequence[Sequence[str | None]]) -> Bringing:
        """Where what comes beside the ledgers of subjects of such parts goes."""
        return Bringing(self._ways, parts)

    def numbers_of(
        self,
        store: Reading,
        keys: Sequence[bytes | None],
        instants: Column,
        beside: Bringing | None = None,
    ) -> Column:
        """As `numbers`, a row for each of some subjects: their keys one subject after the other.

        What comes `beside` counts too.
        """
        blobs = _found(store, keys)
        opened = Opened(*laid(blobs), self._widths)
        with_pages = slots_with_pages(opened)
        if len(with_pages):
            told, pages = self._pages(store, keys, with_pages, instants)
        else:
            told, pages = self._no_pages(len(instants))
        passing = Passing(_EMPTY, np.zeros(len(keys) + 1, np.int64))
        if beside is not None and beside.has_rows:
            passing = beside.passing(store, keys, with_pages, instants)
            tell_last(passing, self._label_ats, instants, opened, told, pages)
        return reduced(self._numbered, instants, opened, told, pages, passing)

    def _pages(
        self, store: Reading, keys: Sequence[bytes | None], with_pages: Column, instants: Column
    ) -> tuple[Told, Pages]:
        """What is told of the closed pages of all slots, and those that are needed."""
        slots = with_pages.tolist()
        where = [summaries_key(keys[slot] or _NOWHERE) for slot in slots]
        where += self._lasts(keys, slots)
        blobs = store.get(where)
        whole, starts = laid(blobs)
        told, wanted = paged(
            self._numbered, instants, with_pages, self._summary_widths, whole, starts
        )
        fetched, places = self._fetched(store, keys, wanted, len(told.starts))
        lasts = starts[len(slots) :], len(self._labelled)
        return told, Pages(fetched, places, ledger.PAGE_ROWS, whole, *lasts)

    def _lasts(self, keys: Sequence[bytes | None], slots: Collection[int]) -> Iterator[bytes]:
        """Where it is told when the closed pages of these slots had each label last."""
        for first in range(0, len(keys), len(self.slots)):
            for slot, label in self._labelled:
                key = keys[first + slot] if first + slot in slots else None
                yield _NOWHERE if key is None else lasts_key(key, label)

    def _fetched(
        self, store: Reading, keys: Sequence[bytes | None], wanted: Column, size: int
    ) -> tuple[Column, Column]:
        """The wanted ones of so many pages, and where each starts; -1 for one not wanted."""
        places = np.full(size, -1)
        if not len(wanted):
            return _EMPTY, places
        blobs = store.get(
            [page_key(keys[slot] or _NOWHERE, page) for slot, page, _ in wanted.tolist()]
        )
        words, starts = laid(blobs)
        places[wanted[:, 2]] = starts[:-1]
        return words, places

    def _no_pages(self, subjects: int) -> tuple[Told, Pages]:
        labels = len(self._labelled)
        told = Told(_EMPTY, np.zeros(subjects * len(self.slots) + 1, np.int64), _NO_STARTS)
        ends = np.zeros(subjects * labels + 1, np.int64)
        return told, Pages(_EMPTY, _NO_STARTS, ledger.PAGE_ROWS, _EMPTY, ends, labels)


def _found(store: Reading, keys: Sequence[bytes | None]) -> list[Blob | None]:
    """The blob of each key, NO_KEY for a missing one."""
    if None not in keys:
        return store.get(keys)  # type: ignore[arg-type]
    blobs = store.get([key for key in keys if key is not None])
    for at in [at for at, key in enumerate(keys) if key is None]:
        blobs.insert(at, NO_KEY)
    return blobs


_NOWHERE = b"-"  # where no blob is
# As read from blobs, which nobody may change.
_EMPTY = np.frombuffer(b"", np.int64)
_NO_STARTS = np.zeros(0, np.int64)
