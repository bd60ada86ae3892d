"""Reopening of closed pages, from the position of a late event on."""

import numpy as np

from features.engine.columns import Column
from features.engine.store.blob_store import Blob, BlobReader, BlobTransaction
from features.engine.store.last_seen import store_last_seen
from features.engine.store.layout import Layout
from features.engine.store.page_format import BEFORE, FIRST, PAGES, before_words, rows_at
from features.engine.store.store_keys import chapter_key, page_key


def reopen_pages(
    store: BlobTransaction, layout: Layout, key: bytes, blob: Blob | None, earliest: int
) -> Blob | None:
    """Return the open blob, with the reopened pages if the earliest new row is late.

    Stored totals and last instants then describe the pages that remain closed.
    """
    words = np.frombuffer(blob or b"", np.int64)
    if earliest > words[BEFORE]:
        return blob
    shape = np.array(layout.shape)
    pages, open_at = int(words[PAGES]), rows_at(words[PAGES], shape)
    index_at = BEFORE + before_words(shape)
    index = words[index_at:open_at]
    first, index = _until(store, layout, key, index, pages // layout.chapter_pages, earliest)
    late = store.get([page_key(key, page) for page in range(first, pages)])
    late_words = np.frombuffer(b"".join(blob or b"" for blob in late), np.int64).reshape(
        len(late), -1
    )
    before, rows = (
        late_words[0, : before_words(shape)],
        late_words[:, before_words(shape) :].ravel(),
    )
    # Newest first, so that the earliest row of a label decides the instant to restore.
    newest_first = rows.reshape(-1, layout.width)[::-1]
    for label, word in enumerate(range(layout.label_at, layout.width, 2)):
        labels, returns = newest_first[:, word : word + 2].T.tolist()
        store_last_seen(store, key, label, dict(zip(labels, returns, strict=True)))
    begin = [[first, words[FIRST]], before, index] if first else [[0]]
    return np.concatenate([*begin, rows, words[open_at:]], dtype=np.int64).tobytes()


def _until(
    store: BlobReader, layout: Layout, key: bytes, index: Column, chapters: int, instant: int
) -> tuple[int, Column]:
    """Return the first closed page that ends at or after an instant, and the index before it."""
    at = int(np.searchsorted(index, instant))
    if at >= chapters:
        return chapters * layout.chapter_pages + at - chapters, index[:at]
    (blob,) = store.get([chapter_key(key, at)])
    of_pages = np.frombuffer(blob or b"", np.int64)
    page = int(np.searchsorted(of_pages, instant))
    return at * layout.chapter_pages + page, np.concatenate([index[:at], of_pages[:page]])
