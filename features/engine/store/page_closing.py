"""Close the oldest rows of an open blob, page by page.

All arrays are int64 and hold what `page_format` describes. Pages close too seldom for compiled code
to pay off.
"""

import numpy as np

from features.engine.columns import Column
from features.engine.store.page_format import (
    BEFORE,
    CHAPTER_PAGES,
    FIRST,
    LABEL_AT,
    PAGE_ROWS,
    PAGES,
    PRESENT,
    SUM,
    VALUE_WORDS,
    WIDTH,
    before_words,
    index_at,
    rows_at,
)
from features.engine.windows.reducers import MISSING, NEVER


def close_pages(blob: Column, shape: Column) -> tuple[Column, Column, Column]:
    """Return the remaining open blob, the pages that close and the chapters they complete.

    The blob must hold two pages or more. Pages and chapters are a row each.
    """
    pages, start = int(blob[PAGES]), rows_at(blob[PAGES], shape)
    rows = blob[start:].reshape(-1, shape[WIDTH])
    more = len(rows) // shape[PAGE_ROWS] - 1
    closing = rows[: more * shape[PAGE_ROWS]].reshape(more, shape[PAGE_ROWS], shape[WIDTH])
    first = blob[FIRST] if pages else rows[0, 0]
    index = blob[index_at(shape) : start] if pages else blob[:0]
    before = _before(blob[BEFORE : index_at(shape)] if pages else None, closing, shape)
    whole, chapters = _indexed(index, pages, closing, shape)
    head = np.array([pages + more, first], np.int64)
    remain = rows[more * shape[PAGE_ROWS] :].ravel()
    into = np.concatenate([before[:-1], closing.reshape(more, -1)], axis=1)
    return np.concatenate([head, before[-1], whole, remain]), into, chapters


def _before(known: Column | None, closing: Column, shape: Column) -> Column:
    """Return the totals before each closing page and after the last.

    `known` are the totals before the first page, None if no page was closed yet.
    """
    before = np.zeros((len(closing) + 1, before_words(shape)), np.int64)
    if known is None:
        before[0, 0] = NEVER
    else:
        before[0] = known
    values = closing[:, :, 1 : shape[LABEL_AT]]
    is_present = values != MISSING
    before[1:, 0] = closing[:, -1, 0]
    before[1:, SUM::VALUE_WORDS] = np.where(is_present, values, 0).sum(axis=1)
    before[1:, PRESENT::VALUE_WORDS] = is_present.sum(axis=1)
    for word in (SUM, PRESENT):
        before[:, word::VALUE_WORDS] = before[:, word::VALUE_WORDS].cumsum(axis=0)
    return before


def _indexed(index: Column, pages: int, closing: Column, shape: Column) -> tuple[Column, Column]:
    """Return the index with entries of the closing pages, and the entries of completed chapters."""
    # Entries of a completed chapter move into its blob; the index keeps its last instant only.
    whole = pages // shape[CHAPTER_PAGES]
    of_pages = np.concatenate([index[whole:], closing[:, -1, 0]])
    ended = len(of_pages) // shape[CHAPTER_PAGES]
    chapters = of_pages[: ended * shape[CHAPTER_PAGES]].reshape(ended, shape[CHAPTER_PAGES])
    rest = of_pages[ended * shape[CHAPTER_PAGES] :]
    return np.concatenate([index[:whole], chapters[:, -1], rest]), chapters
