"""All windows of some subjects, gathered from the store and reduce_windows in one compiled call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from features.engine.columns import DAY_US, Column
from features.engine.store.blob_store import Blob, BlobReader
from features.engine.store.event_log import chapter_key, concatenate_blobs, lasts_key, page_key
from features.engine.store.key_builder import KeyBuilder, KeyedLog
from features.engine.store.keys import MAX_TEXT, PART_END, KeyPart, part_of
from features.engine.store.layout import SHAPE_WORDS, Layout
from features.engine.store.page_reader import (
    CHAPTER,
    LASTS,
    NUMBERS,
    PAGE,
    SLOTS,
    blobs_needed,
)
from features.engine.store.request_overlay import OverlayRoutes, RequestOverlay
from features.engine.store.window_reader import (
    NO_KEY,
    OverlayRows,
    logs_with_pages,
    reduce_windows,
    update_last_seen,
)
from features.engine.windows.entity_key import Keying, keying_of
from features.engine.windows.window import Window
from features.errors import StateUnavailable

RequestRecords = Mapping[str, Sequence[Any]]
"""Records of a request by type."""


class WindowQuery(NamedTuple):
    """A subject about which the windows of a plan are asked, as of an instant in microseconds.

    `values` are those of the plan's columns. `beside` are records that count as known too, to this
    subject alone, and are not kept: what it brings along.
    """

    values: Sequence[KeyPart]
    at: int
    beside: RequestRecords | None = None


@dataclass(frozen=True)
class QueryPlan:
    """Windows in an order, and the ledgers that they read."""

    windows: tuple[Window, ...]
    slots: tuple[KeyedLog, ...]
    columns: tuple[str, ...]
    layouts: tuple[Layout, ...]
    _keyring: KeyBuilder
    _ways: OverlayRoutes
    _numbered: Column
    _shapes: Column

    @classmethod
    def of(cls, windows: Sequence[Window], layouts: Mapping[Keying, Layout]) -> Self:
        """The plan for windows; `layouts` must hold their keyings."""
        slots: dict[KeyedLog, int] = {}
        numbered: list[tuple[int, ...]] = []
        for window in windows:
            layout = layouts[keying_of(window)]
            slot = slots.setdefault(KeyedLog(layout, window.by), len(slots))
            span = -1 if window.days is None else window.days * DAY_US
            reducer, number = int(window.reducer), layout.number_of(window)
            numbered.append((slot, reducer, span, layout.word(window), number))
        columns = tuple(sorted({name for slot in slots for name in slot.by}))
        shapes = [slot.layout.shape for slot in slots]
        return cls(
            windows=tuple(windows),
            slots=tuple(slots),
            columns=columns,
            layouts=tuple(dict.fromkeys(slot.layout for slot in slots)),
            _keyring=KeyBuilder(columns, [*slots]),
            _ways=OverlayRoutes(columns, [*slots]),
            _numbered=np.array(numbered, np.int64).reshape(-1, 5),
            _shapes=np.array(shapes, np.int64).reshape(-1, SHAPE_WORDS),
        )

    def numbers(self, store: BlobReader, subject: Mapping[str, KeyPart], at: int) -> Column:
        """The number of each window for a subject at an instant (microseconds), as float64.

        NaN for a window whose key the subject does not have.
        """
        parts = self.parts([subject[name] for name in self.columns])
        return self.numbers_of(store, self.keys(parts), np.array([at], np.int64))[0]

    def parts(self, values: Iterable[KeyPart]) -> list[str | None]:
        """A subject's values, one for each of `columns`, as parts of keys."""
        return [
            f"{value}{PART_END}"
            if type(value) is str and len(value) <= MAX_TEXT
            else part_of(value)
            for value in values
        ]

    def keys(self, parts: Sequence[str | None]) -> list[bytes | None]:
        """The key that a subject of such parts has in each slot."""
        return self._keyring.keys(parts)

    def bringing(self, parts: Sequence[Sequence[str | None]]) -> RequestOverlay:
        """Where what comes beside the ledgers of subjects of such parts goes."""
        return RequestOverlay(self._ways, parts)

    def numbers_of(
        self,
        store: BlobReader,
        keys: Sequence[bytes | None],
        instants: Column,
        beside: RequestOverlay | None = None,
    ) -> Column:
        """As `numbers`, a row for each of some subjects: their keys one subject after the other.

        What comes `beside` counts too.
        """
        opened = concatenate_blobs(_found(store, keys))
        asked = instants, self._shapes, opened
        names = _in_order(blobs_needed(self._numbered, *asked, *_NOTHING))
        fetched = _of_names(store, keys, names)
        if len(names) and names[0] < _FIRST_OF_PAGES:  # only with the chapters is all wanted told
            names = _in_order(blobs_needed(self._numbered, *asked, names, fetched))
            fetched = _of_names(store, keys, names)
        passing = OverlayRows(_EMPTY, np.zeros(len(keys) + 1, np.int64))
        if beside is not None and beside.has_rows:
            passing = beside.passing(store, keys, logs_with_pages(opened), instants)
            update_last_seen(passing, *asked, names, fetched)
        return reduce_windows(self._numbered, *asked, names, fetched, *passing)


def _in_order(names: Column) -> Column:
    """Each name once."""
    return np.unique(names) if len(names) else names


def _of_names(store: BlobReader, keys: Sequence[bytes | None], names: Column) -> Column:
    """The blobs of such names. Raises StateUnavailable where a chapter or a page is missing."""
    if not len(names):
        return _NOTHING[1]
    blobs = store.get(
        [
            _KEY_OF[name >> 56](keys[name >> 32 & SLOTS] or b"", name & NUMBERS)
            for name in names.tolist()
        ]
    )
    if None in blobs and names[blobs.index(None)] < _FIRST_OF_LASTS:
        raise StateUnavailable(
            "the online state lacks a part of itself; make it anew with `tidegate state rebuild`"
        )
    return concatenate_blobs(blobs)


def _found(store: BlobReader, keys: Sequence[bytes | None]) -> list[Blob | None]:
    """The blob of each key, NO_KEY for a missing one."""
    if None not in keys:
        return store.get(keys)  # type: ignore[arg-type]
    blobs = store.get([key for key in keys if key is not None])
    for at in [at for at, key in enumerate(keys) if key is None]:
        blobs.insert(at, NO_KEY)
    return blobs


_KEY_OF = {CHAPTER: chapter_key, PAGE: page_key, LASTS: lasts_key}
_FIRST_OF_PAGES, _FIRST_OF_LASTS = PAGE << 56, LASTS << 56
_EMPTY = np.empty(0, np.int64)
_NOTHING = _EMPTY, concatenate_blobs([])
