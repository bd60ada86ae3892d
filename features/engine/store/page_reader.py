"""Closed pages in reading: where a window begins and ends among them, and what lies there."""

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
    """The open blobs of all slots, one after the other; the shape of those of each of a subject."""

    words: Column
    shapes: Column


class FetchedBlobs(NamedTuple):
    """Other blobs, one after the other: `names` are theirs, in order, as `name_of` makes them."""

    names: Column
    words: Column


class PagedLog(NamedTuple):
    """A slot that has closed pages: its open blob, and those that were fetched of all slots."""

    blob: Column
    shape: Column
    slot: int
    fetched: FetchedBlobs


CHAPTER, PAGE, LASTS = range(3)
"""Kinds of blobs that are fetched. The last tells when closed pages had each label last."""

SLOTS, NUMBERS = (1 << 24) - 1, (1 << 32) - 1


@inner
def name_of(kind: int, slot: int, number: int) -> int:
    """The kind of a blob, its slot, and which it is of the slot's chapters, pages or labels."""
    return kind << 56 | slot << 32 | number


@inner
def has_closed(opened: OpenBlobs, slot: int, begin: int, at: int) -> bool:
    """Whether closed pages of a slot may have events of a window."""
    start = start_of(opened.words, slot)
    if start == start_of(opened.words, slot + 1) or opened.words[start + PAGES] == 0:
        return False
    return begin <= opened.words[start + BEFORE] and opened.words[start + FIRST] < at


@inner
def paged_log(opened: OpenBlobs, slot: int, fetched: FetchedBlobs) -> PagedLog:
    """A slot that has closed pages."""
    return PagedLog(
        opened.words[start_of(opened.words, slot) : start_of(opened.words, slot + 1)],
        opened.shapes[slot % len(opened.shapes)],
        slot,
        fetched,
    )


@inner
def is_all_before(ledger: PagedLog, at: int) -> bool:
    """Whether all closed pages became known before an instant."""
    return ledger.blob[BEFORE] < at


@inner
def is_from_first(ledger: PagedLog, begin: int) -> bool:
    """Whether no row is older than a window."""
    return begin <= ledger.blob[FIRST]


@inner
def page_of(ledger: PagedLog, instant: int) -> int:
    """The first closed page that ends at an instant or later, of which there is one.

    Less than 0 where its chapter must be fetched first: then `~` that.
    """
    many, index = ledger.shape[CHAPTER_PAGES], ledger.blob[index_at(ledger.shape) :]
    whole, rest = divmod(ledger.blob[PAGES], many)
    entry = first_at_or_after(index, 1, whole + rest, instant)
    if entry >= whole:
        return whole * many + entry - whole
    place = _place_of(ledger.fetched, name_of(CHAPTER, ledger.slot, entry))
    if place < 0:
        return ~entry
    return entry * many + first_at_or_after(ledger.fetched.words[place:], 1, many, instant)


@inner
def first_of(names: Column, name: int) -> int:
    """Which of some names is the first that is not before one."""
    return first_at_or_after(names, 1, len(names), name)


@inner
def _place_of(fetched: FetchedBlobs, name: int) -> int:
    """The word at which a blob lies; -1 where it was not fetched."""
    at = first_of(fetched.names, name)
    is_fetched = at < len(fetched.names) and fetched.names[at] == name
    return start_of(fetched.words, at) if is_fetched else -1


@compiled
def blobs_needed(
    windows: Column,
    instants: Column,
    shapes: Column,
    laid: Column,
    names: Column,
    fetched: Column,
) -> Column:
    """The names of the blobs that must be fetched to reduce windows, in any order, some repeated.

    `laid` are the open blobs of all slots; `fetched` those of `names`. Where chapters are wanted
    that are not among these, it can only be told with them what else is.
    """
    opened, held = OpenBlobs(laid, shapes), FetchedBlobs(names, fetched)
    more = [name_of(0, 0, 0) for _ in range(0)]
    for subject in range(len(instants)):
        at = instants[subject]
        for i in range(len(windows)):
            slot = subject * len(shapes) + windows[i, 0]
            begin = window_begin(at, windows[i, 2])
            if has_closed(opened, slot, begin, at):
                _want(more, windows[i], paged_log(opened, slot, held), begin, at)
    return np.array(more, np.int64)


@inlined
def _want(names: list[int], window: Column, ledger: PagedLog, begin: int, at: int) -> None:
    """Add the names of what is needed for one window."""
    is_distinct = window[1] == Reducer.DISTINCT
    if is_distinct and is_all_before(ledger, at):
        names.append(name_of(LASTS, ledger.slot, window[4]))
        return
    first = last = 0
    if not is_all_before(ledger, at):
        last = _want_page(names, ledger, at)
    if not is_from_first(ledger, begin):
        first = _want_page(names, ledger, begin)
    if is_distinct and first >= 0:
        for page in range(first, last):
            names.append(name_of(PAGE, ledger.slot, page))  # noqa: PERF401 - a list more to compile


@inner
def _want_page(names: list[int], ledger: PagedLog, instant: int) -> int:
    """Add the names of the page that has an instant, and of its chapter; returns `page_of`."""
    page = page_of(ledger, instant)
    chapter = ~page if page < 0 else page // ledger.shape[CHAPTER_PAGES]
    if chapter < ledger.blob[PAGES] // ledger.shape[CHAPTER_PAGES]:
        names.append(name_of(CHAPTER, ledger.slot, chapter))
    if page >= 0:
        names.append(name_of(PAGE, ledger.slot, page))
    return page


class LogPrefix(NamedTuple):
    """What closed pages have before an instant: so many `events`.

    `words` tell what came before from word `before` on, and then the first `rows` of `page` from
    word `first_row` on.
    """

    words: Column
    before: int
    first_row: int
    rows: int
    page: int
    events: int


@inner
def whole_prefix(ledger: PagedLog) -> LogPrefix:
    """All that closed pages have."""
    pages = ledger.blob[PAGES]
    return LogPrefix(ledger.blob, BEFORE, 0, 0, pages, pages * ledger.shape[PAGE_ROWS])


@inner
def empty_prefix(ledger: PagedLog) -> LogPrefix:
    """Nothing: what they have before a window that begins no later than they do."""
    return LogPrefix(ledger.blob, 0, FIRST, 0, 0, 0)


@inner
def prefix_until(ledger: PagedLog, instant: int) -> LogPrefix:
    """What they have before an instant that not all of them are before."""
    page = page_of(ledger, instant)
    before = _place_of(ledger.fetched, name_of(PAGE, ledger.slot, page))
    first_row = before + before_words(ledger.shape)
    words, width = ledger.fetched.words, ledger.shape[WIDTH]
    rows = first_at_or_after(words[first_row:], width, ledger.shape[PAGE_ROWS], instant)
    return LogPrefix(words, before, first_row, rows, page, page * ledger.shape[PAGE_ROWS] + rows)


@inner
def last_instant(prefix: LogPrefix, width: int) -> int:
    """When the last event before became known."""
    if prefix.rows == 0:
        return int(prefix.words[prefix.before])
    return int(prefix.words[prefix.first_row + (prefix.rows - 1) * width])


@inner
def next_instant(prefix: LogPrefix, width: int) -> int:
    """When the first event that is not before became known; in the same page."""
    return int(prefix.words[prefix.first_row + prefix.rows * width])


@inner
def totals(prefix: LogPrefix, width: int, word: int, value: int) -> tuple[int, int]:
    """The sum of a value and how many are present; `word` is that of a row."""
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
def rows_of(ledger: PagedLog, page: int) -> Column:
    """The words of the rows of a page that was fetched."""
    place = _place_of(ledger.fetched, name_of(PAGE, ledger.slot, page))
    first_row, size = place + before_words(ledger.shape), ledger.shape[PAGE_ROWS]
    return ledger.fetched.words[first_row : first_row + size * ledger.shape[WIDTH]]


@inner
def last_instants(ledger: PagedLog, label: int) -> Column:
    """When closed pages had each label of a kind last, in order."""
    at = first_of(ledger.fetched.names, name_of(LASTS, ledger.slot, label))
    words = ledger.fetched.words
    return words[start_of(words, at) : start_of(words, at + 1)]
