"""Reading of closed pages: find where a window begins and ends, and the totals there."""

from typing import NamedTuple

import numpy as np

from features.engine.columns import Column
from features.engine.numba_cache import compiled, inlined, inner
from features.engine.store import page_format
from features.engine.store.page_format import (
    BEFORE,
    CHAPTER_PAGES,
    FIRST,
    PAGE_ROWS,
    PAGES,
    WIDTH,
    before_words,
    first_at_or_after,
    index_at,
    start_of,
)
from features.engine.windows.reducers import MISSING, Reducer, window_begin


class OpenBlobs(NamedTuple):
    """Open blobs of all logs, concatenated, and the shapes of one subject's logs."""

    words: Column
    shapes: Column


class FetchedBlobs(NamedTuple):
    """Other blobs, concatenated, with their `names` in order, as `blob_name` makes them."""

    names: Column
    words: Column


class PagedLog(NamedTuple):
    """Log with closed pages: its open blob, and the fetched blobs of all logs."""

    blob: Column
    shape: Column
    log: int
    fetched: FetchedBlobs


# Kinds of fetched blobs. LASTS holds the last instant of each label in closed pages.
CHAPTER, PAGE, LASTS = range(3)

# Masks of the fields of a name: 24 bits for the log, 32 for the number.
LOGS, NUMBERS = (1 << 24) - 1, (1 << 32) - 1


@inner
def blob_name(kind: int, log: int, number: int) -> int:
    """Return the kind, log and number of a blob packed in one integer that sorts in this order."""
    return kind << 56 | log << 32 | number


@inner
def has_closed(opened: OpenBlobs, log: int, begin: int, at: int) -> bool:
    """Return whether closed pages of a log may have events of a window."""
    start = start_of(opened.words, log)
    if start == start_of(opened.words, log + 1) or opened.words[start + PAGES] == 0:
        return False
    return begin <= opened.words[start + BEFORE] and opened.words[start + FIRST] < at


@inner
def paged_log(opened: OpenBlobs, log: int, fetched: FetchedBlobs) -> PagedLog:
    """Return the view of a log that has closed pages."""
    return PagedLog(
        opened.words[start_of(opened.words, log) : start_of(opened.words, log + 1)],
        opened.shapes[log % len(opened.shapes)],
        log,
        fetched,
    )


@inner
def is_all_before(paged: PagedLog, at: int) -> bool:
    """Return whether all closed pages became known before an instant."""
    return paged.blob[BEFORE] < at


@inner
def is_from_first(paged: PagedLog, begin: int) -> bool:
    """Return whether a window begins at or before the first row."""
    return begin <= paged.blob[FIRST]


@inner
def page_of(paged: PagedLog, instant: int) -> int:
    """Return the first closed page that ends at or after an instant; there must be one.

    If its chapter must be fetched first, the result is `~chapter`, which is negative.
    """
    count, index = paged.shape[CHAPTER_PAGES], paged.blob[index_at(paged.shape) :]
    # The index lists whole chapters first, then the pages after the last of them.
    whole, rest = divmod(paged.blob[PAGES], count)
    entry = first_at_or_after(index, 1, whole + rest, instant)
    if entry >= whole:
        return whole * count + entry - whole
    place = _place_of(paged.fetched, blob_name(CHAPTER, paged.log, entry))
    if place < 0:
        return ~entry
    return entry * count + first_at_or_after(paged.fetched.words[place:], 1, count, instant)


@inner
def first_name_at(names: Column, name: int) -> int:
    """Return the index of the first name at or after a name."""
    return first_at_or_after(names, 1, len(names), name)


@inner
def _place_of(fetched: FetchedBlobs, name: int) -> int:
    """Return the word at which a fetched blob begins, or -1."""
    at = first_name_at(fetched.names, name)
    is_fetched = at < len(fetched.names) and fetched.names[at] == name
    return start_of(fetched.words, at) if is_fetched else -1


@compiled
def blobs_needed(
    windows: Column,
    instants: Column,
    shapes: Column,
    opened_words: Column,
    names: Column,
    fetched: Column,
) -> Column:
    """Return the names of blobs needed to reduce windows, unsorted and with repetitions.

    `opened_words` holds the open blobs of all logs, `fetched` the blobs of `names`. If a needed
    chapter is not among these, call again with it, since it decides which pages are needed.
    """
    opened, fetched_blobs = OpenBlobs(opened_words, shapes), FetchedBlobs(names, fetched)
    # Numba infers the type of the list from this empty comprehension.
    needed = [blob_name(0, 0, 0) for _ in range(0)]
    for subject in range(len(instants)):
        at = instants[subject]
        for i in range(len(windows)):
            log = subject * len(shapes) + windows[i, 0]
            begin = window_begin(at, windows[i, 2])
            if has_closed(opened, log, begin, at):
                _add_blobs(needed, windows[i], paged_log(opened, log, fetched_blobs), begin, at)
    return np.array(needed, np.int64)


@inlined
def _add_blobs(names: list[int], window: Column, paged: PagedLog, begin: int, at: int) -> None:
    """Add the names of the blobs that one window needs."""
    is_distinct = window[1] == Reducer.DISTINCT
    # The sorted last instants of labels replace all pages of the window.
    if is_distinct and is_all_before(paged, at):
        names.append(blob_name(LASTS, paged.log, window[4]))
        return
    first = last = 0
    if not is_all_before(paged, at):
        last = _add_page(names, paged, at)
    if not is_from_first(paged, begin):
        first = _add_page(names, paged, begin)
    # Labels of unfetched chapters wait for the second call.
    if is_distinct and first >= 0:
        for page in range(first, last):
            names.append(blob_name(PAGE, paged.log, page))  # noqa: PERF401 - a list more to compile


@inner
def _add_page(names: list[int], paged: PagedLog, instant: int) -> int:
    """Add the names of an instant's page and chapter, and return the result of `page_of`."""
    page = page_of(paged, instant)
    chapter = ~page if page < 0 else page // paged.shape[CHAPTER_PAGES]
    # Later pages are listed in the open blob itself.
    if chapter < paged.blob[PAGES] // paged.shape[CHAPTER_PAGES]:
        names.append(blob_name(CHAPTER, paged.log, chapter))
    if page >= 0:
        names.append(blob_name(PAGE, paged.log, page))
    return page


class LogPrefix(NamedTuple):
    """Content of closed pages before an instant, of `events` events.

    Word `before` of `words` starts the totals before `page`; the first `rows` rows of the page,
    from word `first_row` on, belong to the prefix too.
    """

    words: Column
    before: int
    first_row: int
    rows: int
    page: int
    events: int


@inner
def whole_prefix(paged: PagedLog) -> LogPrefix:
    """Return the prefix of all closed pages."""
    pages = paged.blob[PAGES]
    return LogPrefix(paged.blob, BEFORE, 0, 0, pages, pages * paged.shape[PAGE_ROWS])


@inner
def empty_prefix(paged: PagedLog) -> LogPrefix:
    """Return the empty prefix, for a window that begins no later than the first row."""
    return LogPrefix(paged.blob, 0, FIRST, 0, 0, 0)


@inner
def prefix_until(paged: PagedLog, instant: int) -> LogPrefix:
    """Return the prefix before an instant that at least one closed page reaches."""
    page = page_of(paged, instant)
    before = _place_of(paged.fetched, blob_name(PAGE, paged.log, page))
    first_row = before + before_words(paged.shape)
    words, width = paged.fetched.words, paged.shape[WIDTH]
    rows = first_at_or_after(words[first_row:], width, paged.shape[PAGE_ROWS], instant)
    return LogPrefix(words, before, first_row, rows, page, page * paged.shape[PAGE_ROWS] + rows)


@inner
def last_instant(prefix: LogPrefix, width: int) -> int:
    """Return the instant of the last event of a prefix."""
    if prefix.rows == 0:
        return int(prefix.words[prefix.before])
    return int(prefix.words[prefix.first_row + (prefix.rows - 1) * width])


@inner
def next_instant(prefix: LogPrefix, width: int) -> int:
    """Return the instant of the first event after a prefix, which is in the same page."""
    return int(prefix.words[prefix.first_row + prefix.rows * width])


@inner
def totals(prefix: LogPrefix, width: int, word: int, value: int) -> tuple[int, int]:
    """Return the sum of a value and the number of present ones; `word` is its word in a row."""
    if prefix.events == 0:
        return 0, 0
    place = prefix.before + page_format.VALUE_WORDS * value
    total, present = (
        prefix.words[place + page_format.SUM],
        prefix.words[place + page_format.PRESENT],
    )
    for row in range(prefix.rows):
        number = prefix.words[prefix.first_row + row * width + word]
        if number != MISSING:
            total += number
            present += 1
    return total, present


@inner
def page_words(paged: PagedLog, page: int) -> Column:
    """Return the words of the rows of a fetched page."""
    place = _place_of(paged.fetched, blob_name(PAGE, paged.log, page))
    first_row, size = place + before_words(paged.shape), paged.shape[PAGE_ROWS]
    return paged.fetched.words[first_row : first_row + size * paged.shape[WIDTH]]


@inner
def last_instants_of_labels(paged: PagedLog, label: int) -> Column:
    """Return the sorted last instants of a label column's labels in closed pages."""
    at = first_name_at(paged.fetched.names, blob_name(LASTS, paged.log, label))
    words = paged.fetched.words
    return words[start_of(words, at) : start_of(words, at + 1)]
