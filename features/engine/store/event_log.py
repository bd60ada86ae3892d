"""The events of one key: an open blob of the newest, and closed pages of older ones.

A page takes as many events in order as its layout says, whatever time they span, so that neither a
quiet year nor a busy day makes one that is too small or too large. What lies open is between one
page and two, for a key that has any: an event that comes a little late still falls among open rows.
One that comes later than that opens the pages from its place on again. Which events lie in which
page depends on the events alone, not on how they came. `page_format` says what lies in blobs.
"""

from array import array
from collections.abc import Iterator, Sequence
from itertools import accumulate, chain, pairwise

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import Blob, BlobReader, BlobTransaction
from features.engine.store.layout import Layout
from features.engine.store.page_closing import close_pages
from features.engine.store.page_format import (
    BEFORE,
    FIRST,
    PAGES,
    before_words,
    rows_at,
)
from features.engine.store.row_merge import merge_rows
from features.engine.windows.reducers import MISSING, NEVER

_PAGE, _CHAPTER, _LAST, _LASTS = b"p", b"c", b"l", b"d"


def page_key(key: bytes, page: int) -> bytes:
    """Where a closed page of a key lies, whose open blob lies at the key."""
    return b"%b%b%b" % (_PAGE, key, page.to_bytes(4, "big"))


def chapter_key(key: bytes, chapter: int) -> bytes:
    """Where the index of so many closed pages lies as make a chapter."""
    return b"%b%b%b" % (_CHAPTER, key, chapter.to_bytes(4, "big"))


def lasts_key(key: bytes, label: int) -> bytes:
    """Where the instants lie at which closed pages had each label last, in order."""
    return b"%b%b%c" % (_LASTS, key, label)


def concatenate_blobs(blobs: Sequence[Blob | None]) -> Column:
    """Blobs in one array, one after the other; first, in bytes, where each starts and all end.

    A writable array enters compiled code faster, though nobody writes to it.
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
    """Put events of some layouts among those of their keys.

    `keys_of_layouts` has for every layout the key of each event, None where it has none; `words`
    for each event its rows in all layouts, one after the other.
    """
    new = _Grouped(layouts, keys_of_layouts, words)
    keys = sorted(new.starts)
    if not keys:
        return
    blobs, rows = store.get(keys), words.ravel()
    for at in _with_pages(blobs):
        layout, places = new.layouts[keys[at]], new.places(keys[at])
        own = rows[places]
        blobs[at] = _reopened(store, layout, keys[at], blobs[at], own)
        _set_last_seen(store, layout, keys[at], own)
        rows[places] = own
    of_key = [new.layouts[key] for key in keys]
    out, ends = merge_rows(
        concatenate_blobs(blobs),
        rows,
        np.array([start for key in keys for start in new.starts[key]]),
        np.array([*accumulate(len(new.starts[key]) for key in keys)]),
        np.array([*chain.from_iterable(layout.shape for layout in of_key)]).reshape(len(keys), -1),
    )
    store.put(_blobs(store, of_key, keys, out, ends))


def warm_up(store: BlobTransaction, layout: Layout) -> None:
    """Close a page of a key of its own, and open it again."""
    rows = np.zeros((2 * layout.page_rows, layout.width), np.int64)
    for _ in range(2):
        insert_rows(store, [layout], [[b"warm-up"] * len(rows)], rows)


class _Grouped:
    """Where the rows of each key start among words, in order; and its layout."""

    def __init__(
        self, layouts: Sequence[Layout], keys: Sequence[list[bytes | None]], words: Column
    ) -> None:
        self.starts: dict[bytes, list[int]] = {}
        self.layouts: dict[bytes, Layout] = {}
        width, first = words.shape[1], 0
        order = np.argsort(words[:, 0], kind="stable").tolist()  # a row begins with its instant
        for layout, of_layout in zip(layouts, keys, strict=True):
            for event in order:
                key = of_layout[event]
                if key is not None:
                    self.starts.setdefault(key, []).append(event * width + first)
                    self.layouts[key] = layout
            first += layout.width

    def places(self, key: bytes) -> Column:
        """Where the words of the rows of a key are, a row each."""
        return np.add.outer(self.starts[key], np.arange(self.layouts[key].width))


def _blobs(
    store: BlobTransaction, layouts: Sequence[Layout], keys: list[bytes], out: Column, ends: Column
) -> Iterator[tuple[bytes, bytes]]:
    whole, bounds = out.tobytes(), [0, *ends.tolist()]
    blobs = [whole[8 * start : 8 * stop] for start, stop in pairwise(bounds)]
    for at, (layout, blob) in enumerate(zip(layouts, blobs, strict=True)):
        if len(blob) >= 8 * 2 * layout.page_rows * layout.width:
            blobs[at] = _closed(store, layout, keys[at], out[bounds[at] : bounds[at + 1]])
    return zip(keys, blobs, strict=True)


def _with_pages(blobs: list[Blob | None]) -> Iterator[int]:
    """Which of the blobs are of keys that have closed pages."""
    for at, blob in enumerate(blobs):
        if blob and bytes(blob[:8]) != _NO_PAGES:
            yield at


_NO_PAGES = bytes(8)


def _closed(store: BlobTransaction, layout: Layout, key: bytes, blob: Column) -> bytes:
    """What remains open after as many pages as possible were closed."""
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
        last = dict(zip(removed[:, word].tolist(), removed[:, 0].tolist(), strict=True))
        _store_last_seen(store, key, label, last)
    return remain.tobytes()


def _reopened(
    store: BlobTransaction, layout: Layout, key: bytes, blob: Blob | None, new: Column
) -> Blob | None:
    """The open blob, with the pages from the earliest new row on where it is late.

    What is kept of closed pages is kept of those that remain: rows that were closed may stay open.
    """
    words, shape = np.frombuffer(blob or b"", np.int64), np.array(layout.shape)
    if new[0, 0] > words[BEFORE]:
        return blob
    pages, open_at = int(words[PAGES]), rows_at(words[PAGES], shape)
    index_at = BEFORE + before_words(shape)
    index = words[index_at:open_at]
    first, index = _until(store, layout, key, index, pages // layout.chapter_pages, new[0, 0])
    late = store.get([page_key(key, page) for page in range(first, pages)])
    late_words = np.frombuffer(b"".join(blob or b"" for blob in late), np.int64).reshape(
        len(late), -1
    )
    before, rows = (
        late_words[0, : before_words(shape)],
        late_words[:, before_words(shape) :].ravel(),
    )
    newest_first = rows.reshape(-1, layout.width)[::-1]
    for label, word in enumerate(range(layout.label_at, layout.width, 2)):
        labels, returns = newest_first[:, word : word + 2].T.tolist()
        _store_last_seen(store, key, label, dict(zip(labels, returns, strict=True)))
    begin = [[first, words[FIRST]], before, index] if first else [[0]]
    return np.concatenate([*begin, rows, words[open_at:]], dtype=np.int64).tobytes()


def _until(
    store: BlobReader, layout: Layout, key: bytes, index: Column, chapters: int, instant: int
) -> tuple[int, Column]:
    """The first closed page that ends at an instant or later; and the index of those before it."""
    at = int(np.searchsorted(index, instant))
    if at >= chapters:
        return chapters * layout.chapter_pages + at - chapters, index[:at]
    (blob,) = store.get([chapter_key(key, at)])
    of_pages = np.frombuffer(blob or b"", np.int64)
    page = int(np.searchsorted(of_pages, instant))
    return at * layout.chapter_pages + page, np.concatenate([index[:at], of_pages[:page]])


def last_keys(key: bytes, label: int, codes: list[int]) -> list[bytes]:
    """Where the last instant in closed pages of each label lies."""
    start = b"%b%b%c" % (_LAST, key, label)
    return [start + code.to_bytes(8, "big", signed=True) for code in codes]


def last_of(store: BlobReader, keys: list[bytes]) -> list[int]:
    """The instants at such keys; NEVER where there is none."""
    return [int.from_bytes(b, "big", signed=True) if b else NEVER for b in store.get(keys)]


def _set_last_seen(store: BlobReader, layout: Layout, key: bytes, new: Column) -> None:
    """Set after each label of new rows when closed pages had it last."""
    for label in range(len(layout.labels)):
        word = layout.label_at + 2 * label
        codes, places = np.unique(new[:, word], return_inverse=True)
        last = np.array(last_of(store, last_keys(key, label, codes.tolist())), np.int64)
        new[:, word + 1] = last[places]


def _store_last_seen(store: BlobTransaction, key: bytes, label: int, last: dict[int, int]) -> None:
    """Keep when closed pages had some labels last, or NEVER: by label, and in order of time."""
    last.pop(MISSING, None)
    keys = last_keys(key, label, [*last])
    (blob,) = store.get([lasts_key(key, label)])
    lasts = np.frombuffer(blob or b"", np.int64)
    removed = np.sort(np.array(last_of(store, keys), np.int64))
    removed, added = removed[removed != NEVER], np.array([*last.values()], np.int64)
    # Of equal instants as many go as are gone.
    at = (
        np.searchsorted(lasts, removed)
        + np.arange(len(removed))
        - np.searchsorted(removed, removed)
    )
    lasts = np.sort(np.concatenate([np.delete(lasts, at), added[added != NEVER]]))
    store.put([(lasts_key(key, label), lasts.tobytes())])
    store.put(
        (at_key, instant.to_bytes(8, "big", signed=True))
        for at_key, instant in zip(keys, last.values(), strict=True)
    )
