"""Events of one key: an open blob with the newest and closed pages with older ones.

Each page holds a fixed number of events in order, whatever time they span, so neither quiet nor
busy keys have pages of an unsuitable size. A key with pages keeps between one and two pages of
events open, so an event that arrives slightly late still falls among the open rows. A later one
reopens the pages from its position on (`page_reopening`). The division into pages depends on the
events alone and not on the order of arrival. `page_format` describes the content of blobs.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import Blob, BlobTransaction
from features.engine.store.last_seen import set_last_seen, store_last_seen
from features.engine.store.layout import Layout
from features.engine.store.page_closing import close_pages
from features.engine.store.page_format import PAGES, rows_at
from features.engine.store.page_reopening import reopen_pages
from features.engine.store.row_merge import merge_rows
from features.engine.store.store_keys import chapter_key, page_key


def concatenate_blobs(blobs: Sequence[Blob | None]) -> Column:
    """Return blobs concatenated in one array, after the byte offset of each and of the end.

    The array is writable because numba accepts such arrays faster; nothing writes to it.
    """
    present = [blob or b"" for blob in blobs]
    starts = accumulate(map(len, present), initial=8 * (len(present) + 1))
    return np.frombuffer(bytearray().join([array("q", starts), *present]), np.int64)


def insert_rows(
    store: BlobTransaction,
    layouts: Sequence[Layout],
    keys_of_layouts: Sequence[list[bytes | None]],
    words: Column,
) -> None:
    """Insert events of some layouts into the logs of their keys.

    `keys_of_layouts` holds the key of each event per layout, or None. `words` holds for each event
    its rows in all layouts, one after the other.
    """
    new = _Grouped(layouts, keys_of_layouts, words)
    keys = sorted(new.starts)
    if not keys:
        return
    blobs, rows = store.get(keys), words.ravel()
    of_key = [new.layouts[key] for key in keys]
    with_pages = [*_with_pages(blobs)]
    # Late events reopen pages first, so that the merge sees all rows they may precede.
    for at in with_pages:
        earliest = rows.item(new.starts[keys[at]][0])
        blobs[at] = reopen_pages(store, of_key[at], keys[at], blobs[at], earliest)
    # Labels of new rows must know closed pages, which the merge does not read.
    set_last_seen(store, rows, [(keys[at], of_key[at], new.starts[keys[at]]) for at in with_pages])
    out, ends = merge_rows(
        concatenate_blobs(blobs),
        rows,
        np.array([start for key in keys for start in new.starts[key]]),
        np.array([*accumulate(len(new.starts[key]) for key in keys)]),
        np.array([*chain.from_iterable(layout.shape for layout in of_key)]).reshape(len(keys), -1),
    )
    store.put(_blobs(store, of_key, keys, out, ends))


def warm_up_pages(store: BlobTransaction, layout: Layout) -> None:
    """Close and reopen a page of an unused key, so that the compiled functions are loaded."""
    rows = np.zeros((2 * layout.page_rows, layout.width), np.int64)
    for _ in range(2):
        insert_rows(store, [layout], [[b"warm-up"] * len(rows)], rows)


class _Grouped:
    """Start of each row of every key among the words, in order, and the key's layout."""

    def __init__(
        self, layouts: Sequence[Layout], keys: Sequence[list[bytes | None]], words: Column
    ) -> None:
        self.starts: dict[bytes, list[int]] = {}
        self.layouts: dict[bytes, Layout] = {}
        width, first = words.shape[1], 0
        order = np.argsort(
            words[:, 0], kind="stable"
        ).tolist()  # the first word of a row is its instant
        for layout, of_layout in zip(layouts, keys, strict=True):
            for event in order:
                key = of_layout[event]
                if key is not None:
                    self.starts.setdefault(key, []).append(event * width + first)
                    self.layouts[key] = layout
            first += layout.width


def _blobs(
    store: BlobTransaction, layouts: Sequence[Layout], keys: list[bytes], out: Column, ends: Column
) -> Iterator[tuple[bytes, bytes]]:
    whole, bounds = out.tobytes(), [0, *ends.tolist()]
    blobs = [whole[8 * start : 8 * stop] for start, stop in pairwise(bounds)]
    for at, (layout, blob) in enumerate(zip(layouts, blobs, strict=True)):
        # Pages close at two pages' worth of rows, which leaves one page open for late events.
        if len(blob) >= 8 * 2 * layout.page_rows * layout.width:
            blobs[at] = close_blob(store, layout, keys[at], out[bounds[at] : bounds[at + 1]])
    return zip(keys, blobs, strict=True)


def _with_pages(blobs: list[Blob | None]) -> Iterator[int]:
    """Yield the indexes of blobs whose keys have closed pages."""
    for at, blob in enumerate(blobs):
        if blob and has_pages(blob):
            yield at


def has_pages(blob: Blob) -> bool:
    """Return whether the key of an open blob has closed pages."""
    return bytes(blob[:8]) != _NO_PAGES


_NO_PAGES = bytes(8)


def close_blob(store: BlobTransaction, layout: Layout, key: bytes, blob: Column) -> bytes:
    """Close as many pages of an open blob as possible, and return the blob that remains."""
    shape, pages = np.array(layout.shape), int(blob[PAGES])
    rows = blob[rows_at(pages, shape) :]
    more = len(rows) // (layout.page_rows * layout.width) - 1
    if more < 1:
        return blob.tobytes()
    remain, into, chapters = close_pages(blob, shape)
    store.put((page_key(key, number), page.tobytes()) for number, page in enumerate(into, pages))
    store.put(
        (chapter_key(key, number), chapter.tobytes())
        for number, chapter in enumerate(chapters, pages // layout.chapter_pages)
    )
    removed = rows[: more * layout.page_rows * layout.width].reshape(-1, layout.width)
    for label, word in enumerate(range(layout.label_at, layout.width, 2)):
        # Rows are in order, so the dictionary keeps the last instant of each label.
        last = dict(zip(removed[:, word].tolist(), removed[:, 0].tolist(), strict=True))
        store_last_seen(store, key, label, last)
    return remain.tobytes()
