"""The events of one key: an open blob of the newest, and closed pages of older ones.

A page takes PAGE_ROWS events in order, whatever time they span, so that neither a quiet year nor a
busy day makes one that is too small or too large. What lies open is between one page and two, for
a key that has any: an event that comes a little late still falls among open rows. One that comes
later than that opens the pages from its place on again. Which events lie in which page depends on
the events alone, not on how they came.
"""

from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

import numpy as np

from features.columns import Column
from features.state.layout import MISSING, NEVER, Layout
from features.state.merging import HEADER_WORDS, merged, summarised
from features.state.store import Blob, Reading, Writing

PAGE_ROWS = 256

_SUMMARIES, _PAGE, _LAST, _LASTS = b"s", b"p", b"l", b"d"


def summaries_key(key: bytes) -> bytes:
    """Where the summaries of the closed pages of a key lie, whose open blob lies at the key."""
    return _SUMMARIES + key


def page_key(key: bytes, page: int) -> bytes:
    """Where a closed page lies."""
    return _PAGE + key + page.to_bytes(4, "big")


def lasts_key(key: bytes, label: int) -> bytes:
    """Where the instants lie at which closed pages had each label last, in order."""
    return b"%b%b%c" % (_LASTS, key, label)


def laid(blobs: Sequence[Blob | None]) -> tuple[Column, Column]:
    """Blobs as int64, one after the other; and where each starts, and all end."""
    given = [blob or b"" for blob in blobs]
    starts = np.fromiter(accumulate(map(len, given), initial=0), np.int64, len(given) + 1)
    return np.frombuffer(b"".join(given), np.int64), starts >> 3


def insert(
    store: Writing, layouts: Sequence[Layout], given: Sequence[list[bytes | None]], words: Column
) -> None:
    """Put events of some layouts among those of their keys.

    `given` has for every layout the key of each event, None where it has none; `words` for each
    event its rows in all layouts, one after the other.
    """
    new = _Grouped(layouts, given, words)
    keys = sorted(new.starts)
    if not keys:
        return
    blobs, rows = store.get(keys), words.ravel()
    for at in _with_pages(blobs):
        layout, places = new.layouts[keys[at]], new.places(keys[at])
        own = rows[places]
        blobs[at] = _reopened(store, layout, keys[at], blobs[at], own)
        _tell_last(store, layout, keys[at], own)
        rows[places] = own
    of_key = [new.layouts[key] for key in keys]
    old, starts = laid(blobs)
    out, ends = merged(
        old,
        starts[1:],
        rows,
        np.array([start for key in keys for start in new.starts[key]]),
        np.array([*accumulate(len(new.starts[key]) for key in keys)]),
        np.array([layout.shape for layout in of_key]),
    )
    store.put(_blobs(store, of_key, keys, out, ends))


class _Grouped:
    """Where the rows of each key start among words, in order; and its layout."""

    def __init__(
        self, layouts: Sequence[Layout], keys: Sequence[list[bytes | None]], words: Column
    ) -> None:
        self.starts: dict[bytes, list[int]] = {}
        self.layouts: dict[bytes, Layout] = {}
        orders: dict[int, list[int]] = {}  # by how many words it goes: all layouts begin alike
        width, first = words.shape[1], 0
        for layout, of_layout in zip(layouts, keys, strict=True):
            by = layout.order_words
            if by not in orders:
                orders[by] = np.lexsort(words[:, first : first + by].T[::-1]).tolist()
            for event in orders[by]:
                key = of_layout[event]
                if key is not None:
                    self.starts.setdefault(key, []).append(event * width + first)
                    self.layouts[key] = layout
            first += layout.width

    def places(self, key: bytes) -> Column:
        """Where the words of the rows of a key are, a row each."""
        return np.add.outer(self.starts[key], np.arange(self.layouts[key].width))


def _blobs(
    store: Writing, layouts: Sequence[Layout], keys: list[bytes], out: Column, ends: Column
) -> Iterator[tuple[bytes, bytes]]:
    whole, bounds = out.tobytes(), [0, *ends.tolist()]
    blobs = [whole[8 * start : 8 * stop] for start, stop in pairwise(bounds)]
    for at, (layout, blob) in enumerate(zip(layouts, blobs, strict=True)):
        if len(blob) >= 8 * (HEADER_WORDS + 2 * PAGE_ROWS * layout.width):
            blobs[at] = _closed(store, layout, keys[at], out[bounds[at] : bounds[at + 1]])
    return zip(keys, blobs, strict=True)


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
    before = _summaries(store, layout, key)[:pages]
    newest = before[-1] if pages else np.zeros(layout.summary_width, np.int64)
    told = summarised(closed, PAGE_ROWS, layout.order_words, newest)
    store.put([(summaries_key(key), np.concatenate([before, told]).tobytes())])
    store.put(
        (page_key(key, pages + at), page.tobytes())
        for at, page in enumerate(np.split(closed, more))
    )
    for label, word in enumerate(range(layout.label_at, layout.width, 2)):
        last = dict(zip(closed[:, word].tolist(), closed[:, 0].tolist(), strict=True))
        _note_last(store, key, label, last)
    return np.array([pages + more, closed[-1, 0]]).tobytes() + remain.tobytes()


def _summaries(store: Reading, layout: Layout, key: bytes) -> Column:
    (blob,) = store.get([summaries_key(key)])
    return np.frombuffer(blob or b"", np.int64).reshape(-1, layout.summary_width)


def _reopened(
    store: Writing, layout: Layout, key: bytes, blob: Blob | None, new: Column
) -> Blob | None:
    """The open blob, with the pages from the earliest new row on where it is late.

    What is told of closed pages is told of those that remain: rows that were closed may stay open.
    """
    pages, closed_until, *_ = np.frombuffer(blob or b"", np.int64)[:HEADER_WORDS]
    if new[0, 0] > closed_until:
        return blob
    summaries = _summaries(store, layout, key)[:pages]
    first = int(np.searchsorted(summaries[:, 1], new[0, 0]))
    late = store.get([page_key(key, page) for page in range(first, pages)])
    rows = laid(late)[0].reshape(-1, layout.width)
    store.put([(summaries_key(key), summaries[:first].tobytes())])
    for label, word in enumerate(range(layout.label_at, layout.width, 2)):
        before = dict(zip(rows[::-1, word].tolist(), rows[::-1, word + 1].tolist(), strict=True))
        _note_last(store, key, label, before)
    until = summaries[first - 1, 1] if first else NEVER
    return np.array([first, until]).tobytes() + rows.tobytes() + (blob or b"")[8 * HEADER_WORDS :]


def last_keys(key: bytes, label: int, codes: list[int]) -> list[bytes]:
    """Where the last instant in closed pages of each label lies."""
    start = b"%b%b%c" % (_LAST, key, label)
    return [start + code.to_bytes(8, "big", signed=True) for code in codes]


def last_of(store: Reading, keys: list[bytes]) -> Column:
    """The instants at such keys; NEVER where there is none."""
    blobs = store.get(keys)
    return np.array(
        [int.from_bytes(b, "big", signed=True) if b else NEVER for b in blobs], np.int64
    )


def _tell_last(store: Reading, layout: Layout, key: bytes, new: Column) -> None:
    """Set beside each label of new rows when closed pages had it last."""
    for label in range(len(layout.labels)):
        word = layout.label_at + 2 * label
        codes, places = np.unique(new[:, word], return_inverse=True)
        new[:, word + 1] = last_of(store, last_keys(key, label, codes.tolist()))[places]


def _note_last(store: Writing, key: bytes, label: int, last: dict[int, int]) -> None:
    """Keep when closed pages had some labels last, or NEVER: by label, and in order of time."""
    last.pop(MISSING, None)
    keys = last_keys(key, label, [*last])
    (blob,) = store.get([lasts_key(key, label)])
    lasts, gone = np.frombuffer(blob or b"", np.int64), np.sort(last_of(store, keys))
    gone, come = gone[gone != NEVER], np.array([*last.values()], np.int64)
    # Of equal instants as many go as are gone.
    at = np.searchsorted(lasts, gone) + np.arange(len(gone)) - np.searchsorted(gone, gone)
    lasts = np.sort(np.concatenate([np.delete(lasts, at), come[come != NEVER]]))
    store.put([(lasts_key(key, label), lasts.tobytes())])
    store.put(
        (at_key, instant.to_bytes(8, "big", signed=True))
        for at_key, instant in zip(keys, last.values(), strict=True)
    )
