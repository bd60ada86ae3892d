"""Format of the blobs of a log, as int64 words.

    open blob     0, rows                               while no page is closed
                  pages, first, before, index, rows     from then on
    page          before, rows
    chapter       index of its pages

`pages` is the number of closed pages and `first` the instant of the log's first row. `before` holds
totals of all rows before those that follow it: the last instant, and for each value the sum and the
number of present values. The total of a window over closed pages is then the difference between two
positions, each found in one page, however many lie between.

The `index` of an open blob holds the last instant of every complete chapter, then of every later
page. Pages are found by it.
"""

from features.engine.columns import Column
from features.engine.numba_cache import compiled, inner
from features.engine.store.layout import SHAPE_WORDS

# Indexes into `Layout.shape`.
WIDTH, LABEL_AT, PAGE_ROWS, CHAPTER_PAGES = range(SHAPE_WORDS)

PAGES, FIRST, BEFORE = range(3)
# Words of `before`: word 0 is the last instant, then each value takes two words.
SUM, PRESENT, VALUE_WORDS = 1, 2, 2


@inner
def start_of(blobs: Column, blob: int) -> int:
    """Return the word at which a blob starts among those that `concatenate_blobs` joined."""
    return blobs[blob] >> 3


@compiled
def before_words(shape: Column) -> int:
    """Return the number of words of `before`."""
    return 1 + VALUE_WORDS * (shape[LABEL_AT] - 1)


@compiled
def index_at(shape: Column) -> int:
    """Return the word at which the index of an open blob with closed pages begins."""
    return BEFORE + before_words(shape)


@compiled
def entries(pages: int, shape: Column) -> int:
    """Return the number of entries in the index of an open blob."""
    return pages // shape[CHAPTER_PAGES] + pages % shape[CHAPTER_PAGES]


@compiled
def rows_at(pages: int, shape: Column) -> int:
    """Return the word of an open blob at which its rows begin."""
    if pages == 0:
        return 1
    return index_at(shape) + entries(pages, shape)


@inner
def first_at_or_after(words: Column, width: int, size: int, instant: int) -> int:
    """Return the index of the first row or entry at or after an instant, by binary search.

    It is `size` if there is none.
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
    """Copy words within loops, since a slice assignment takes numba seconds to compile."""
    for word in range(start, stop):
        out[at + word - start] = words[word]
