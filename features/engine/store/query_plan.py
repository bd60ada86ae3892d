"""Plan that reads all windows of some subjects and reduces them in one compiled call."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Self

import numpy as np

from features.engine.columns import DAY_US, Column
from features.engine.store.amended_rows import counting_rows
from features.engine.store.blob_store import Blob, BlobReader
from features.engine.store.event_log import concatenate_blobs
from features.engine.store.history_windows import (
    NO_KEY,
    OverlayRows,
    logs_with_pages,
    reduce_stored_windows,
    update_last_seen,
)
from features.engine.store.key_builder import KeyBuilder, KeyedLog
from features.engine.store.layout import SHAPE_WORDS, Layout
from features.engine.store.page_reader import (
    CHAPTER,
    LASTS,
    LOGS,
    NUMBERS,
    PAGE,
    blobs_needed,
)
from features.engine.store.request_overlay import KeyParts, OverlayRoutes, RequestOverlay
from features.engine.store.store_keys import (
    MAX_TEXT,
    PART_END,
    KeyPart,
    chapter_key,
    lasts_key,
    page_key,
    part_of,
)
from features.engine.windows.window_declaration import NETWORK, Keying, Window
from features.errors import OnlineStoreUnavailable

# Records of a request by type.
RequestRecords = Mapping[str, Sequence[Any]]


class WindowQuery(NamedTuple):
    """Subject whose windows are requested, as of an instant in microseconds.

    `values` are those of the plan's columns. `overlay` holds records that count for this subject
    alone and are not stored.
    """

    values: Sequence[KeyPart]
    at: int
    overlay: RequestRecords | None = None


@dataclass(frozen=True)
class QueryPlan:
    """Windows in a fixed order, and the logs that they read.

    `network` has the places of windows over the network, which read no log by their own key.
    """

    windows: tuple[Window, ...]
    logs: tuple[KeyedLog, ...]
    columns: tuple[str, ...]
    network: tuple[int, ...]
    layouts: tuple[Layout, ...]
    _key_builder: KeyBuilder
    _routes: OverlayRoutes
    _window_rows: Column
    _shapes: Column

    @classmethod
    def from_windows(cls, windows: Sequence[Window], layouts: Mapping[Keying, Layout]) -> Self:
        """Return the plan for windows; `layouts` must hold their keyings."""
        logs: dict[KeyedLog, int] = {}
        window_rows: list[tuple[int, ...]] = []
        network = tuple(at for at, window in enumerate(windows) if window.source == NETWORK)
        for window in windows:
            if window.source == NETWORK:
                continue
            layout = layouts[window.keying]
            log = logs.setdefault(KeyedLog(layout, window.by), len(logs))
            span = -1 if window.days is None else window.days * DAY_US
            reducer, number = int(window.reducer), layout.number_of(window)
            window_rows.append((log, reducer, span, layout.word(window), number))
        columns = tuple(sorted({name for window in windows for name in window.by}))
        shapes = [log.layout.shape for log in logs]
        return cls(
            windows=tuple(windows),
            logs=tuple(logs),
            columns=columns,
            network=network,
            layouts=tuple(dict.fromkeys(log.layout for log in logs)),
            _key_builder=KeyBuilder(columns, [*logs]),
            _routes=OverlayRoutes(columns, [*logs]),
            _window_rows=np.array(window_rows, np.int64).reshape(-1, 5),
            _shapes=np.array(shapes, np.int64).reshape(-1, SHAPE_WORDS),
        )

    def numbers(self, store: BlobReader, subject: Mapping[str, KeyPart], at: int) -> Column:
        """Return the value of each window for a subject at an instant in microseconds, as float64.

        It is NaN for a window whose key the subject lacks.
        """
        parts = self.parts([subject[name] for name in self.columns])
        return self.numbers_of(store, self.keys(parts), np.array([at], np.int64))[0]

    def parts(self, values: Iterable[KeyPart]) -> list[str | None]:
        """Return a subject's values, one for each of `columns`, as parts of keys."""
        return [
            # Inlined for short texts, the common case: a call would cost more than all else here.
            f"{value}{PART_END}"
            if type(value) is str and len(value) <= MAX_TEXT
            else part_of(value)
            for value in values
        ]

    def keys(self, parts: KeyParts) -> list[bytes | None]:
        """Return the subject's key in each log, given its key parts."""
        return self._key_builder.keys(parts)

    def overlay(self, parts: Sequence[KeyParts]) -> RequestOverlay:
        """Return an empty overlay for the logs of subjects with these key parts."""
        return RequestOverlay(self._routes, parts)

    def numbers_of(
        self,
        store: BlobReader,
        keys: Sequence[bytes | None],
        instants: Column,
        overlay: RequestOverlay | None = None,
    ) -> Column:
        """Return the values of all windows over logs, a row per subject; the overlay counts too.

        `keys` lists the keys of the first subject's logs, then of the next one's.
        """
        opened = concatenate_blobs(_open_blobs(store, keys))
        logs = instants, self._shapes, opened
        names = _unique(blobs_needed(self._window_rows, *logs, *_NOTHING))
        fetched = _blobs_named(store, keys, names)
        if len(names) and names[0] < _FIRST_OF_PAGES:  # chapters decide which pages are needed
            names = _unique(blobs_needed(self._window_rows, *logs, names, fetched))
            fetched = _blobs_named(store, keys, names)
        rows = OverlayRows(_EMPTY, np.zeros(len(keys) + 1, np.int64))
        overlay = overlay or self.overlay(())
        overlay.add(counting_rows(store, [log.layout for log in self.logs], keys, instants))
        if overlay.has_rows:
            rows = overlay.rows(store, keys, logs_with_pages(opened), instants)
            update_last_seen(rows, *logs, names, fetched)
        return reduce_stored_windows(self._window_rows, *logs, names, fetched, *rows)


def _unique(names: Column) -> Column:
    """Return each name once, sorted."""
    return np.unique(names) if len(names) else names


def _blobs_named(store: BlobReader, keys: Sequence[bytes | None], names: Column) -> Column:
    """Return the blobs with these names.

    Raises OnlineStoreUnavailable if a chapter or page is missing.
    """
    if not len(names):
        return _NOTHING[1]
    blobs = store.get(
        [
            _KEY_OF[name >> 56](keys[name >> 32 & LOGS] or b"", name & NUMBERS)
            for name in names.tolist()
        ]
    )
    # Only LASTS may be absent: a log without counted labels has none.
    if None in blobs and names[blobs.index(None)] < _FIRST_OF_LASTS:
        raise OnlineStoreUnavailable(
            "the online feature store lacks a part of itself; make it anew with "
            "`tidegate state rebuild`"
        )
    return concatenate_blobs(blobs)


def _open_blobs(store: BlobReader, keys: Sequence[bytes | None]) -> list[Blob | None]:
    """Return the open blob of each key, NO_KEY for a missing key."""
    if None not in keys:
        return store.get(keys)  # type: ignore[arg-type]  # None is in none of them
    blobs = store.get([key for key in keys if key is not None])
    for at in [at for at, key in enumerate(keys) if key is None]:
        blobs.insert(at, NO_KEY)
    return blobs


_KEY_OF = {CHAPTER: chapter_key, PAGE: page_key, LASTS: lasts_key}
_FIRST_OF_PAGES, _FIRST_OF_LASTS = PAGE << 56, LASTS << 56
_EMPTY = np.empty(0, np.int64)
_NOTHING = _EMPTY, concatenate_blobs([])
