"""Compiled part of reading: reduce all windows of some subjects over their logs.

A log is read from its open blob and from those closed pages in which a window begins, ends or
counts distinct labels. A window is a row of five words: log, reducer, span in microseconds (-1 for
unlimited), word of a row, and index among the layout's values, or among its labels for distinct
counts. All subjects have the same number of logs; log l of subject i has the number `i * logs + l`.
"""

from typing import NamedTuple

import numpy as np

from features.engine.columns import Column
from features.engine.numba_cache import compiled, inlined, inner
from features.engine.store.page_format import (
    LABEL_AT,
    PAGE_ROWS,
    PAGES,
    WIDTH,
    first_at_or_after,
    rows_at,
    start_of,
)
from features.engine.store.page_reader import (
    NUMBERS,
    PAGE,
    FetchedBlobs,
    OpenBlobs,
    PagedLog,
    blob_name,
    empty_prefix,
    first_name_at,
    has_closed,
    is_all_before,
    is_from_first,
    last_instant,
    last_instants_of_labels,
    next_instant,
    page_of,
    page_words,
    paged_log,
    prefix_until,
    totals,
    whole_prefix,
)
from features.engine.windows.reducers import (
    DIFFERENT,
    EVENTS,
    FIRST,
    GATHERED_WORDS,
    LAST,
    MISSING,
    PRESENT,
    SUM,
    Reducer,
    reduced_number,
    window_begin,
)

# Stands for the open blob of a log whose key the subject lacks. No real blob has one word.
NO_KEY = bytes(8)


class OverlayRows(NamedTuple):
    """Rows that count as if they were in the logs, in any order; a log's begin at `starts[log]`.

    The word after a label is the last instant at which the log itself had it before the subject's
    instant.
    """

    words: Column
    starts: Column


@compiled
def logs_with_pages(opened_words: Column) -> Column:
    """Return the numbers of logs whose open blob refers to closed pages."""
    logs, count = np.empty(start_of(opened_words, 0), np.int64), 0
    for log in range(len(logs) - 1):
        start = start_of(opened_words, log)
        if start < start_of(opened_words, log + 1) and opened_words[start + PAGES] != 0:
            logs[count] = log
            count += 1
    return logs[:count]


@compiled
def update_last_seen(
    overlay: OverlayRows,
    instants: Column,
    shapes: Column,
    opened_words: Column,
    names: Column,
    fetched: Column,
) -> None:
    """Set after each overlay label the last instant its log had it, as far as fetched rows show.

    If all closed pages precede the instant, the caller has set it from stored instants.
    """
    opened, pages, count = (
        OpenBlobs(opened_words, shapes),
        FetchedBlobs(names, fetched),
        len(shapes),
    )
    for log in range(len(overlay.starts) - 1):
        if overlay.starts[log] == overlay.starts[log + 1]:
            continue
        shape, at = shapes[log % count], instants[log // count]
        width, rows = shape[WIDTH], _open_rows(opened, log)
        words = overlay.words[overlay.starts[log] : overlay.starts[log + 1]]
        paged = paged_log(opened, log, pages)
        first = first_name_at(names, blob_name(PAGE, log, 0))
        stop = first_name_at(names, blob_name(PAGE, log + 1, 0))
        # The stored last instants are exact then, and pages need no search.
        if stop > first and is_all_before(paged, at):
            stop = first
        for word in range(shape[LABEL_AT], width, 2):
            _update_last_seen(words, width, word, rows, at)
            for i in range(first, stop):
                _update_last_seen(words, width, word, page_words(paged, names[i] & NUMBERS), at)


@inner
def _update_last_seen(words: Column, width: int, word: int, rows: Column, at: int) -> None:
    """Raise the last instant of each label to that in these rows, if later."""
    # Backwards from the instant, so the first match is the latest one.
    stop = first_at_or_after(rows, width, len(rows) // width, at)
    for row in range(0, len(words), width):
        start = (stop - 1) * width
        while start >= 0 and rows[start] > words[row + word + 1]:
            if rows[start + word] == words[row + word]:
                words[row + word + 1] = rows[start]
            start -= width


@inner
def _open_rows(opened: OpenBlobs, log: int) -> Column:
    """Return the words of the open rows of a log."""
    start, stop = start_of(opened.words, log), start_of(opened.words, log + 1)
    if start == stop:
        return opened.words[start:stop]
    shape = opened.shapes[log % len(opened.shapes)]
    return opened.words[start + rows_at(opened.words[start + PAGES], shape) : stop]


@compiled
def reduce_stored_windows(
    windows: Column,
    instants: Column,
    shapes: Column,
    opened_words: Column,
    names: Column,
    fetched: Column,
    overlay_words: Column,
    overlay_starts: Column,
) -> Column:
    """Return the value of each window for each subject at its instant, a row per subject.

    Windows of logs whose key is missing are NaN. The `blobs_needed` must be among the fetched ones.
    The overlay comes as two arrays because a tuple takes as long to enter compiled code as ten
    arrays.
    """
    opened, pages = OpenBlobs(opened_words, shapes), FetchedBlobs(names, fetched)
    overlay = OverlayRows(overlay_words, overlay_starts)
    numbers = np.empty((len(instants), len(windows)))
    gathered = np.empty(GATHERED_WORDS, np.int64)
    for subject in range(len(instants)):
        at = instants[subject]
        for i in range(len(windows)):
            log = subject * len(shapes) + windows[i, 0]
            if start_of(opened_words, log + 1) - start_of(opened_words, log) == 1:
                numbers[subject, i] = np.nan
            else:
                _gather(gathered, windows[i], log, at, opened, pages, overlay)
                numbers[subject, i] = reduced_number(windows[i, 1], gathered, at)
    return numbers


@inlined
def _gather(
    gathered: Column,
    window: Column,
    log: int,
    at: int,
    opened: OpenBlobs,
    pages: FetchedBlobs,
    overlay: OverlayRows,
) -> None:
    """Gather a window's totals from closed pages, open rows and the overlay."""
    reducer, word, begin = window[1], window[3], window_begin(at, window[2])
    width = opened.shapes[window[0], WIDTH]
    gathered[:] = 0
    if has_closed(opened, log, begin, at):
        _take_closed(gathered, window, paged_log(opened, log, pages), begin, at)
    rows = _open_rows(opened, log)
    if len(rows):
        _take_rows(gathered, rows, width, word, reducer, begin, at)
    start, stop = overlay.starts[log], overlay.starts[log + 1]
    if stop > start:
        words = overlay.words[start:stop]
        _take_overlay(gathered, words, width, word, reducer, begin, at)


@inlined
def _take_closed(gathered: Column, window: Column, paged: PagedLog, begin: int, at: int) -> None:
    """Take the totals of closed pages, before anything else is taken.

    Except for distinct counts, they are the totals up to the end of the window minus those up to
    its begin.
    """
    _, reducer, _, word, number = window
    width = paged.shape[WIDTH]
    if reducer == Reducer.DISTINCT:
        gathered[DIFFERENT] = _different(paged, word, number, begin, at)
        return
    lower = empty_prefix(paged) if is_from_first(paged, begin) else prefix_until(paged, begin)
    upper = whole_prefix(paged) if is_all_before(paged, at) else prefix_until(paged, at)
    # Without an event in between, FIRST and LAST must stay unset.
    if upper.events == lower.events:
        return
    gathered[EVENTS] = upper.events - lower.events
    gathered[FIRST], gathered[LAST] = next_instant(lower, width), last_instant(upper, width)
    if word > 0:
        total, present = totals(upper, width, word, number)
        total_before, present_before = totals(lower, width, word, number)
        gathered[SUM], gathered[PRESENT] = total - total_before, present - present_before


@inner
def _different(paged: PagedLog, word: int, label: int, begin: int, at: int) -> int:
    """Return the number of distinct labels that closed pages have in a window."""
    # If no page reaches beyond the instant, the sorted last instants of labels answer directly.
    if is_all_before(paged, at):
        lasts = last_instants_of_labels(paged, label)
        return len(lasts) - first_name_at(lasts, begin)
    count, width = 0, paged.shape[WIDTH]
    page = 0 if is_from_first(paged, begin) else page_of(paged, begin)
    while page <= page_of(paged, at):
        rows = page_words(paged, page)
        first = first_at_or_after(rows, width, paged.shape[PAGE_ROWS], begin)
        stop = first_at_or_after(rows, width, paged.shape[PAGE_ROWS], at)
        count += _count_first_seen(rows, width, word + 1, first, stop, begin)
        page += 1
    return count


@inlined
def _take_rows(
    gathered: Column, rows: Column, width: int, word: int, reducer: int, begin: int, at: int
) -> None:
    size = len(rows) // width
    first = first_at_or_after(rows, width, size, begin)
    stop = first_at_or_after(rows, width, size, at)
    if first >= stop:
        return
    # Closed pages come first and are older, so FIRST is set only if they had no event.
    if gathered[EVENTS] == 0:
        gathered[FIRST] = rows[first * width]
    gathered[EVENTS] += stop - first
    gathered[LAST] = rows[(stop - 1) * width]
    if reducer == Reducer.DISTINCT:
        gathered[DIFFERENT] += _count_first_seen(rows, width, word + 1, first, stop, begin)
    elif word > 0:
        total, present = _total(rows, width, word, first, stop)
        gathered[SUM] += total
        gathered[PRESENT] += present


@inner
def _count_first_seen(
    rows: Column, width: int, word: int, first: int, stop: int, begin: int
) -> int:
    """Count rows whose label was last seen before the window begins."""
    count = 0
    for row in range(first, stop):
        count += rows[row * width + word] < begin
    return count


@inner
def _total(rows: Column, width: int, word: int, first: int, stop: int) -> tuple[int, int]:
    """Return the sum of the present values and their number."""
    total = present = 0
    for row in range(first, stop):
        value = rows[row * width + word]
        if value != MISSING:
            total += value
            present += 1
    return total, present


@inlined
def _take_overlay(
    gathered: Column, words: Column, width: int, word: int, reducer: int, begin: int, at: int
) -> None:
    for row in range(0, len(words), width):
        if begin <= words[row] < at:
            _take_overlay_row(gathered, words, row, width, word, reducer, begin)


@inner
def _take_overlay_row(
    gathered: Column, words: Column, row: int, width: int, word: int, reducer: int, begin: int
) -> None:
    """Take one row of the overlay."""
    instant, value = words[row], words[row + word]
    gathered[FIRST] = min(gathered[FIRST], instant) if gathered[EVENTS] else instant
    gathered[LAST] = max(gathered[LAST], instant) if gathered[EVENTS] else instant
    gathered[EVENTS] += 1
    if reducer == Reducer.DISTINCT:
        # A label counts once, and only if neither the log nor an earlier overlay row has it.
        is_new = words[row + word + 1] < begin and _is_first(words, row, width, word, begin)
        gathered[DIFFERENT] += is_new
    elif word > 0 and value != MISSING:
        gathered[SUM] += value
        gathered[PRESENT] += 1


@inner
def _is_first(words: Column, row: int, width: int, word: int, begin: int) -> bool:
    """Return whether no earlier row of the window has the same label.

    All rows precede the end of the window.
    """
    for before in range(0, row, width):
        if words[before + word] == words[row + word] and words[before] >= begin:
            return False
    return True
