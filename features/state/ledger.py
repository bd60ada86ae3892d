"""The events of one key: an open blob of the newest, and closed pages of older ones.

A page takes PAGE_ROWS events in order, whatever time they span, so that neither a quiet year nor a
busy day makes one that is too small or too large. What lies open is between one page and two, for
a key that has any: an event that comes a little late still falls among open rows. One that comes
later than that opens the pages from its place on again. Which events lie in which page depends on
the events alone, not on how they came.
"""

from collections.abc import Iterator

import numpy as np

from features.columns import Column
from features.state.layout import NEVER, Layout
from features.state.merging import HEADER_WORDS, merged, summarised
from features.state.store import Blob, Writing

PAGE_ROWS = 256

_OPEN, _SUMMARIES, _PAGE, _LAST = b"o", b"s", b"p", b"l"


def open_key(layout: Layout, key: bytes) -> bytes:
    """Where the open blob of a key lies."""
    return b"%c%c%b" % (_OPEN, layout.number, key)


def summaries_key(layout: Layout, key: bytes) -> bytes:
    """Where the summaries of a key's closed pages lie."""
    return b"%c%c%b" % (_SUMMARIES, layout.number, key)


def page_key(layout: Layout, key: bytes, page: int) -> bytes:
    """Where a closed page lies."""
    return b"%c%c%b%b" % (_PAGE, layout.number, key, page.to_bytes(4, "big"))


def words(blobs: list[Blob | None]) -> Column:
    """Blobs as int64, one after the other."""
    return np.frombuffer(b"".join(blob for blob in blobs if blob), np.int64)


def ends_of(blobs: list[Blob | None]) -> Column:
    """The word at which each of the blobs ends, laid one after the other."""
    return np.cumsum([len(blob) // 8 if blob else 0 for blob in blobs])


def insert(store: Writing, layout: Layout, keys: list[bytes], rows: Column) -> None:
    """Put events, a row and a key each, among those of their keys."""
    distinct = sorted(set(keys))
    place = dict(zip(distinct, range(len(distinct)), strict=True))
    places = np.fromiter(map(place.__getitem__, keys), np.int64, len(keys))
    order = np.lexsort((*rows.T[layout.order_words - 1 :: -1], places))
    rows, ends = rows[order], np.searchsorted(places[order], np.arange(len(distinct)), "right")
    blobs = store.get([open_key(layout, key) for key in distinct])
    for at in _with_pages(blobs):
        own = rows[ends[at - 1] if at else 0 : ends[at]]
        _tell_last(store, layout, distinct[at], own)
        blobs[at] = _reopened(store, layout, distinct[at], blobs[at], own)
    out, out_ends = merged(
        words(blobs), ends_of(blobs), rows, ends, layout.order_words, layout.label_at
    )
    store.put(_blobs(store, layout, distinct, out, out_ends))


def _blobs(
    store: Writing, layout: Layout, keys: list[bytes], out: Column, ends: Column
) -> list[tuple[bytes, bytes]]:
    whole, most = out.tobytes(), HEADER_WORDS + 2 * PAGE_ROWS * layout.width
    blobs, start = [], 0
    for key, stop in zip(keys, ends.tolist(), strict=True):
        blob = whole[8 * start : 8 * stop]
        if stop - start >= most:
            blob = _closed(store, layout, key, out[start:stop])
        blobs.append((open_key(layout, key), blob))
        start = stop
    return blobs


def _with_pages(blobs: list[Blob | None]) -> Iterator[int]:
    """Which of the blobs are of keys that have closed pages."""
    for at, blob in enumerate(blobs):
        if blob and bytes(blob[:8]) != _NO_PAGES:
            yield at


_NO_PAGES = bytes(8)


def _closed(store: Writing, layout: Layout, key: bytes, blob: Column) -> bytes:
    """What remains open after as many pages as possible were closed."""
    pages, rows = int(blob[0]), blob[HEADER_WORDS:].reshape(-1, layout.width)
    more = len(rows) // PAGE_ROWS - 1
    closed, remain = rows[: more * PAGE_ROWS], rows[more * PAGE_ROWS :]
    told = summarised(closed, PAGE_ROWS, layout.order_words, layout.label_at)
    before = _summaries(store, layout, key)[:pages]
    store.put(
        [
            (summaries_key(layout, key), np.concatenate([before, told]).tobytes()),
            *(
                (page_key(layout, key, pages + at), page.tobytes())
                for at, page in enumerate(np.split(closed, more))
            ),
            *_last_blobs(layout, key, closed),
        ]
    )
    return np.array([pages + more, closed[-1, 0]]).tobytes() + remain.tobytes()


def _summaries(store: Writing, layout: Layout, key: bytes) -> Column:
    (blob,) = store.get([summaries_key(layout, key)])
    return np.frombuffer(blob or b"", np.int64).reshape(-1, layout.summary_width)


def _reopened(
    store: Writing, layout: Layout, key: bytes, blob: Blob | None, new: Column
) -> Blob | None:
    """The open blob, with the pages from the earliest new row on where it is late."""
    pages, closed_until, *_ = np.frombuffer(blob or b"", np.int64)[:HEADER_WORDS]
    if new[0, 0] > closed_until:
        return blob
    first = int(np.searchsorted(_summaries(store, layout, key)[:pages, 1], new[0, 0]))
    until = _summaries(store, layout, key)[first - 1, 1] if first else NEVER
    late = store.get([page_key(layout, key, page) for page in range(first, pages)])
    rows = b"".join([*(page for page in late if page), (blob or b"")[8 * HEADER_WORDS :]])
    return np.array([first, until]).tobytes() + rows


def _last_keys(layout: Layout, key: bytes, label: int, codes: list[int]) -> list[bytes]:
    """Where the last instant in closed pages of each label lies."""
    start = b"%c%c%b%c" % (_LAST, layout.number, key, label)
    return [start + code.to_bytes(8, "big", signed=True) for code in codes]


def _tell_last(store: Writing, layout: Layout, key: bytes, new: Column) -> None:
    """Set beside each label of new rows when closed pages had it last."""
    for label in range(len(layout.labels)):
        word = layout.label_at + 2 * label
        codes, places = np.unique(new[:, word], return_inverse=True)
        blobs = store.get(_last_keys(layout, key, label, codes.tolist()))
        last = [int.from_bytes(blob, "big", signed=True) if blob else NEVER for blob in blobs]
        new[:, word + 1] = np.array(last, np.int64)[places]


def _last_blobs(layout: Layout, key: bytes, closed: Column) -> Iterator[tuple[bytes, bytes]]:
    for label in range(len(layout.labels)):
        codes = closed[:, layout.label_at + 2 * label]
        last = dict(zip(codes.tolist(), closed[:, 0].tolist(), strict=True))
        for place, instant in zip(
            _last_keys(layout, key, label, [*last]), last.values(), strict=True
        ):
            yield place, instant.to_bytes(8, "big", signed=True)
