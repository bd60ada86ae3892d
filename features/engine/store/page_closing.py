"""The other half of writing: the oldest rows of an open blob, closed page by page.

All arrays are int64 and hold what `page_format` tells of. Pages close seldom, so that this
is not worth compiling.
"""

import numpy as np

from features.engine.columns import Column
from features.engine.store.layout import MISSING, NEVER
from features.engine.store.page_format import (
    BEFORE,
    CHAPTER_PAGES,
    EXTREME_WORDS,
    EXTREMES,
    FIRST,
    LABEL_AT,
    NEWEST,
    ORDER_WORDS,
    PAGE_ROWS,
    PAGES,
    PRESENT,
    SUM,
    VALUE_WORDS,
    WIDTH,
    before_words,
    entry_words,
    index_at,
    rows_at,
)

_LARGEST = 2**63 - 1


def closed(blob: Column, shape: Column) -> tuple[Column, Column, Column]:
    """What remains open of a blob of two pages or more; the pages that close; chapters they end.

    Pages and chapters are a row each.
    """
    pages, start = int(blob[PAGES]), rows_at(blob[PAGES], shape)
    rows = blob[start:].reshape(-1, shape[WIDTH])
    more = len(rows) // shape[PAGE_ROWS] - 1
    closing = rows[: more * shape[PAGE_ROWS]].reshape(more, shape[PAGE_ROWS], shape[WIDTH])
    first = blob[FIRST] if pages else rows[0, 0]
    index = blob[index_at(shape) : start] if pages else blob[:0]
    before = _before(blob[BEFORE : index_at(shape)] if pages else None, closing, shape)
    whole, chapters = _indexed(index.reshape(-1, entry_words(shape)), pages, closing, shape)
    head = np.array([pages + more, first], np.int64)
    remain = rows[more * shape[PAGE_ROWS] :].ravel()
    into = np.concatenate([before[:-1], closing.reshape(more, -1)], axis=1)
    return np.concatenate([head, before[-1], whole.ravel(), remain]), into, chapters


def _before(known: Column | None, closing: Column, shape: Column) -> Column:
    """What came before each page, and before what follows them; `known` of the first, if any."""
    before = np.zeros((len(closing) + 1, before_words(shape)), np.int64)
    if known is None:
        before[0, 0], before[0, NEWEST::VALUE_WORDS] = NEVER, MISSING
    else:
        before[0] = known
    values = closing[:, :, shape[ORDER_WORDS] : shape[LABEL_AT]]
    is_present = values != MISSING
    before[1:, 0] = closing[:, -1, 0]
    before[1:, SUM::VALUE_WORDS] = np.where(is_present, values, 0).sum(axis=1)
    before[1:, PRESENT::VALUE_WORDS] = is_present.sum(axis=1)
    before[1:, NEWEST::VALUE_WORDS] = values[:, -1]
    for word in (SUM, PRESENT):
        before[:, word::VALUE_WORDS] = before[:, word::VALUE_WORDS].cumsum(axis=0)
    return before


def _indexed(index: Column, pages: int, closing: Column, shape: Column) -> tuple[Column, Column]:
    """The index with entries of the pages that close, and the entries of chapters that end."""
    whole = pages // shape[CHAPTER_PAGES]
    extremes = slice(shape[ORDER_WORDS], shape[ORDER_WORDS] + shape[EXTREMES])
    values = closing[:, :, extremes]
    of_pages = np.concatenate([index[whole:], _entries(closing[:, -1, 0], values, values)])
    ended = len(of_pages) // shape[CHAPTER_PAGES]
    into = of_pages[: ended * shape[CHAPTER_PAGES]]
    into = into.reshape(ended, shape[CHAPTER_PAGES], entry_words(shape))
    of_chapters = _entries(
        into[:, -1, 0], into[:, :, 1::EXTREME_WORDS], into[:, :, 2::EXTREME_WORDS]
    )
    rest = of_pages[ended * shape[CHAPTER_PAGES] :]
    return np.concatenate([index[:whole], of_chapters, rest]), into.reshape(
        ended, into[0].size if ended else 0
    )


def _entries(lasts: Column, largest: Column, smallest: Column) -> Column:
    """Entries of an index: the last instant of each, its largest and its smallest values."""
    entries = np.empty((len(lasts), 1 + EXTREME_WORDS * largest.shape[2]), np.int64)
    entries[:, 0] = lasts
    entries[:, 1::EXTREME_WORDS] = largest.max(axis=1)  # MISSING is less than every value
    least = np.where(smallest == MISSING, _LARGEST, smallest).min(axis=1)
    entries[:, 2::EXTREME_WORDS] = np.where(entries[:, 1::EXTREME_WORDS] == MISSING, MISSING, least)
    return entries
