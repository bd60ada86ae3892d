"""The layout of the events of one keying in the store: a row of int64 words each.

A row is `known_at`, the values that windows add up, and for every column whose different values are
counted its label and the instant at which the key last had the same label before. `page_format`
says what blobs of rows look like.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from features.engine.windows.reducers import Reducer
from features.engine.windows.window import Keying, Window
from features.errors import TidegateError

SHAPE_WORDS = 4
# The form of blobs and their keys, as far as layouts do not say it: to be changed with the form.
_FORM = (
    "keys of parts, ending by keying; pages that tell what came before, in chapters; "
    "running sums without extremes; how many records of each type; amended rows beside logs; "
    "subjects with what their values were made of"
)
# The reducers of windows over history: those that a difference of two places in a log gives.
STORED_REDUCERS = frozenset(
    {
        Reducer.COUNT,
        Reducer.TOTAL,
        Reducer.MEAN,
        Reducer.DISTINCT,
        Reducer.HOURS_SINCE_LATEST,
        Reducer.DAYS_SINCE_FIRST,
    }
)


@dataclass(frozen=True, eq=False)
class Layout:
    """The words of a keying's events; `number` tells it from other keyings.

    One is equal to itself alone: what is made for layouts is looked up for every event.

    Closed pages are of `page_rows` rows, and chapters of `chapter_pages` pages.
    """

    number: int
    keying: Keying
    values: tuple[str, ...]
    labels: tuple[str, ...]
    page_rows: int
    chapter_pages: int

    @cached_property
    def key_suffix(self) -> str:
        """The character by which its keys end, and no other layout's."""
        return chr(ord("0") + self.number)

    @property
    def source(self) -> str:
        """The source of the events."""
        return self.keying[0]

    @property
    def matching(self) -> tuple[str, ...]:
        """The columns of an event that form its key."""
        return self.keying[1]

    @property
    def where(self) -> str | None:
        """The column that must be 1, if any."""
        return self.keying[2]

    @cached_property
    def columns(self) -> frozenset[str]:
        """All columns of an event that are read, but those that order it."""
        read = (*self.matching, *self.values, *self.labels, self.where)
        return frozenset(name for name in read if name is not None)

    @cached_property
    def label_at(self) -> int:
        """The word of the first label; each takes two."""
        return 1 + len(self.values)

    @cached_property
    def width(self) -> int:
        """The words of a row."""
        return self.label_at + 2 * len(self.labels)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The words of a row, the first that is a label, rows of a page, pages of a chapter."""
        return self.width, self.label_at, self.page_rows, self.chapter_pages

    def word(self, window: Window) -> int:
        """The word of a row that a window reads; 0 where it reads only instants."""
        if window.reducer is Reducer.DISTINCT:
            return self.label_at + 2 * self.labels.index(str(window.value))
        if window.value is None:
            return 0
        return 1 + self.values.index(window.value)

    def number_of(self, window: Window) -> int:
        """Return which of the labels a window counts, or of the values it reads; 0 where it reads
        none.
        """
        if window.value is None:
            return 0
        names = self.labels if window.reducer is Reducer.DISTINCT else self.values
        return names.index(window.value)


def layouts_of(
    windows: Iterable[Window], page_rows: int = 128, chapter_pages: int = 512
) -> dict[Keying, Layout]:
    """A layout for every keying that the windows need, holding all that they read.

    Each event rewrites the open blob of a log, up to two pages and the index of a chapter; each
    window reads up to two closed pages. Raises TidegateError for a reducer that is not stored.
    """
    reading: dict[Keying, list[Window]] = {}
    for window in windows:
        if window.reducer not in STORED_REDUCERS:
            raise TidegateError(
                f"{window}: of history no {window.reducer!s} value is kept; "
                f"want {', '.join(map(str, sorted(STORED_REDUCERS)))}"
            )
        reading.setdefault(window.keying, []).append(window)
    return {
        keying: _layout(number, keying, reading[keying], page_rows, chapter_pages)
        for number, keying in enumerate(sorted(reading, key=repr))
    }


@lru_cache
def of_source(layouts: tuple[Layout, ...], source: str) -> tuple[Layout, ...]:
    """The layouts under whose keys events of a source come."""
    return tuple(layout for layout in layouts if layout.source == source)


def layout_fingerprint(layouts: Iterable[Layout]) -> str:
    """A digest that is equal exactly where blobs may be read with these layouts.

    What computes the words of a row is another matter: `features.engine.store.compatibility`.
    """
    form = (_FORM, *map(repr, layouts))
    return hashlib.sha256("\n".join(form).encode()).hexdigest()


def _layout(
    number: int, keying: Keying, windows: list[Window], page_rows: int, chapter_pages: int
) -> Layout:
    reduced = [(window.reducer, window.value) for window in windows if window.value is not None]
    return Layout(
        number=number,
        keying=keying,
        values=tuple(sorted({v for reducer, v in reduced if reducer is not Reducer.DISTINCT})),
        labels=tuple(sorted({v for reducer, v in reduced if reducer is Reducer.DISTINCT})),
        page_rows=page_rows,
        chapter_pages=chapter_pages,
    )
