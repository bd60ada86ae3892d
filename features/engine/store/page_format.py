"""The blobs of a log, as int64 words.

    open blob     0, rows                               while no page is closed
                  pages, first, before, index, rows     from then on
    page          before, rows
    chapter       index of its pages

`pages` is how many are closed, `first` when the log's first row became known. `before` sums up all
rows before those that follow it: the last instant, and of each value the sum and how many are
present. What a window has of closed pages is then a difference between two places, each found in
one page, however many lie between.

The `index` of an open blob has the last instant of every whole chapter, and after these of every
page since, by which pages are found.
"""

from features.engine.columns import Column
from features.engine.numba_cache import compiled, inner
from features.engine.store.layout import SHAPE_WORDS

# What a `Layout.shape` has, by place.
WIDTH, LABEL_AT, PAGE_ROWS, CHAPTER_PAGES = range(SHAPE_WORDS)

PAGES, FIRST, BEFORE = range(3)
# Words of `before`, in which the last instant is word 0 and each value takes two.
SUM, PRESENT, VALUE_WORDS = 1, 2, 2


@inner
def start_of(blobs: Column, blob: int) -> int:
    """The word at which a blob starts among those that `event_log` concatenated."""
    return blobs[blob] >> 3


@compiled
def before_words(shape: Column) -> int:
    """The words of what came before."""
    return 1 + VALUE_WORDS * (shape[LABEL_AT] - 1)


@compiled
def index_at(shape: Column) -> int:
    """The word of an open blob with closed pages at which its index begins."""
    return BEFORE + before_words(shape)


@compiled
def entries(pages: int, shape: Column) -> int:
    """Return how many entries the index of an open blob has."""
    return pages // shape[CHAPTER_PAGES] + pages % shape[CHAPTER_PAGES]


@compiled
def rows_at(pages: int, shape: Column) -> int:
    """The word of an open blob at which its rows begin."""
    if pages == 0:
        return 1
    return index_at(shape) + entries(pages, shape)


@inner
def first_at_or_after(words: Column, width: int, size: int, instant: int) -> int:
    """Return which of so many rows or entries is the first of an instant or later; `size` for
    none.
    """
    start, stop = 0, size
    while start < stop:
        middle = (start + stop) // 2
        if words[middle * width] < instant:
            start = middle + 1
        else:
            stop = middle
    return start


@inner
def copy_words(words: Column, start: int, stop: int, out: Column, at: int) -> None:
    """Copy words to a place; an assignment of one slice to another takes seconds to compile."""
    for word in range(start, stop):
        out[at + word - start] = words[word]
