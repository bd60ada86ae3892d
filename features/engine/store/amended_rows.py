"""Rows that do not count for ever, stored outside their log; and removal of rows from a log.

A row that a later version ends is stored under a separate key with its lifetime. A query counts
such rows as if the request had brought them. The log itself holds only rows that count for ever, so
a store without amendments pays nothing for them.
"""

import json
from collections.abc import Iterable, Sequence

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import BlobReader, BlobTransaction
from features.engine.store.event_log import close_blob, has_pages
from features.engine.store.history_windows import OverlayRows
from features.engine.store.layout import Layout
from features.engine.store.page_format import PAGES, rows_at
from features.engine.store.page_reopening import reopen_pages
from features.errors import OnlineStoreUnavailable

_AMENDED, _LAYOUTS = b"a", b"mamended"

# The instants between which a row counts, in microseconds.
Lifetime = tuple[int, int]


def amended_layouts(store: BlobReader) -> frozenset[int]:
    """Return the numbers of the layouts with rows that do not count for ever."""
    (blob,) = store.get([_LAYOUTS])
    return frozenset(json.loads(bytes(blob))) if blob else frozenset()


def put_amended(
    store: BlobTransaction,
    layout: Layout,
    key: bytes,
    gone: Iterable[tuple[Lifetime, Sequence[int]]],
    new: Iterable[tuple[Lifetime, Sequence[int]]],
) -> None:
    """Remove rows with lifetimes of a key and add others.

    Raises OnlineStoreUnavailable if a row to remove is missing.
    """
    (blob,) = store.get([_AMENDED + key])
    kept = np.frombuffer(blob or b"", np.int64).reshape(-1, 2 + layout.width).tolist()
    for lifetime, row in gone:
        if [*lifetime, *row] not in kept:
            raise _lacks_amended()
        kept.remove([*lifetime, *row])
    kept += [[*lifetime, *row] for lifetime, row in new]
    store.put([(_AMENDED + key, np.array(sorted(kept), np.int64).tobytes())])
    # Noted by layout, so that queries skip the lookup for all other layouts.
    layouts = amended_layouts(store)
    if layout.number not in layouts:
        store.put([(_LAYOUTS, json.dumps(sorted({*layouts, layout.number})).encode())])


def counting_rows(
    store: BlobReader,
    layouts: Sequence[Layout],
    keys: Sequence[bytes | None],
    instants: Column,
) -> OverlayRows | None:
    """Return rows with lifetimes that count at their subject's instant, or None if there are none.

    `layouts` are those of one subject's logs. `keys` lists the keys of all logs of the first
    subject, then of the next.
    """
    amended = amended_layouts(store)
    asked = [
        at
        for at, key in enumerate(keys)
        if key is not None and layouts[at % len(layouts)].number in amended
    ]
    blobs = store.get([_AMENDED + (keys[at] or b"") for at in asked]) if asked else []
    found = {at: blob for at, blob in zip(asked, blobs, strict=True) if blob}
    if not found:
        return None
    words, sizes = [], np.zeros(len(keys) + 1, np.int64)
    for at, blob in found.items():
        rows = np.frombuffer(blob, np.int64).reshape(-1, 2 + layouts[at % len(layouts)].width)
        instant = instants[at // len(layouts)]
        # A row counts after the instant it became known, like any event, and up to its end
        # inclusive.
        counts = (rows[:, 0] < instant) & (instant <= rows[:, 1])
        words.append(rows[counts, 2:].ravel())
        sizes[at + 1] = len(words[-1])
    return OverlayRows(np.concatenate(words), np.cumsum(sizes))


def remove_rows(store: BlobTransaction, layout: Layout, key: bytes, rows: Column) -> None:
    """Remove rows, which must be sorted by instant, from a log.

    Raises OnlineStoreUnavailable if the log lacks one of them.
    """
    (blob,) = store.get([key])
    if blob and has_pages(blob):
        blob = reopen_pages(store, layout, key, blob, int(rows[0, 0]))
    words = np.frombuffer(blob or bytes(8), np.int64)
    head = rows_at(words[PAGES], np.array(layout.shape))
    open_rows = words[head:].reshape(-1, layout.width).copy()
    # Compared without the words after labels, which depend on the other rows of the log.
    own = [*range(layout.label_at), *range(layout.label_at, layout.width, 2)]
    for row in rows:
        places = np.flatnonzero((open_rows[:, own] == row[own]).all(axis=1))
        if not len(places):
            raise _lacks_amended()
        # The next row with the same label inherits the instant at which the label was seen before.
        place = int(places[0])
        for word in range(layout.label_at, layout.width, 2):
            alike = np.flatnonzero(open_rows[place + 1 :, word] == open_rows[place, word])
            if len(alike):
                open_rows[place + 1 + alike[0], word + 1] = open_rows[place, word + 1]
        open_rows = np.delete(open_rows, place, axis=0)
    blob_left = np.concatenate([words[:head], open_rows.ravel()])
    has_rows = words[PAGES] or len(open_rows)  # a single word would mean NO_KEY
    store.put([(key, close_blob(store, layout, key, blob_left) if has_rows else b"")])


def _lacks_amended() -> OnlineStoreUnavailable:
    return OnlineStoreUnavailable(
        "the online feature store lacks a record that was amended; make it anew with "
        "`tidegate state rebuild`"
    )
