"""Layout of the rows of one keying: int64 words per event.

A row is `known_at`, the values that windows add up, and for every column with counted labels the
label and the instant at which the key last had the same label before. `page_format` describes blobs
of rows.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache

from features.engine.windows.reducers import Reducer
from features.engine.windows.window_declaration import Keying, Window
from features.errors import TidegateError

SHAPE_WORDS = 4
# Format of blobs and keys beyond the layouts; change this text with the format.
_FORM = (
    "keys of parts, ending by keying; pages that tell what came before, in chapters; "
    "running sums without extremes; how many records of each type; amended rows beside logs; "
    "subjects with what their values were made of"
)
# Reducers that the difference between two positions in a log can compute.
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
    """Words of the events of a keying; `number` identifies it among keyings.

    Layouts are compared by identity, because they are looked up for every event. Closed pages hold
    `page_rows` rows, chapters `chapter_pages` pages.
    """

    number: int
    keying: Keying
    values: tuple[str, ...]
    labels: tuple[str, ...]
    page_rows: int
    chapter_pages: int

    @cached_property
    def key_suffix(self) -> str:
        """Character that ends the keys of this layout and of no other."""
        return chr(ord("0") + self.number)

    @property
    def source(self) -> str:
        """Source of the events."""
        return self.keying[0]

    @property
    def matching(self) -> tuple[str, ...]:
        """Columns of an event that form its key."""
        return self.keying[1]

    @property
    def where(self) -> str | None:
        """Column that must be 1 for an event to be stored, or None."""
        return self.keying[2]

    @cached_property
    def columns(self) -> frozenset[str]:
        """All columns of an event that are read, except those that order it."""
        read = (*self.matching, *self.values, *self.labels, self.where)
        return frozenset(name for name in read if name is not None)

    @cached_property
    def label_at(self) -> int:
        """Word of the first label; each label takes two words."""
        return 1 + len(self.values)

    @cached_property
    def width(self) -> int:
        """Number of words in a row."""
        return self.label_at + 2 * len(self.labels)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """Words of a row, word of the first label, rows of a page and pages of a chapter."""
        return self.width, self.label_at, self.page_rows, self.chapter_pages

    def word(self, window: Window) -> int:
        """Return the word of a row that a window reads; 0 if it reads only instants."""
        if window.reducer is Reducer.DISTINCT:
            return self.label_at + 2 * self.labels.index(str(window.value))
        if window.value is None:
            return 0
        return 1 + self.values.index(window.value)

    def number_of(self, window: Window) -> int:
        """Return the index of a window's column among labels or values; 0 if it reads none."""
        if window.value is None:
            return 0
        names = self.labels if window.reducer is Reducer.DISTINCT else self.values
        return names.index(window.value)


def layouts_of(
    windows: Iterable[Window], page_rows: int = 128, chapter_pages: int = 512
) -> dict[Keying, Layout]:
    """Return a layout for every keying of the windows, with all columns they read.

    The page size balances two costs: each event rewrites the open blob of up to two pages and the
    index of a chapter, and each window reads up to two closed pages. Raises TidegateError for a
    reducer that is not stored.
    """
    reading: dict[Keying, list[Window]] = {}
    for window in windows:
        if window.reducer not in STORED_REDUCERS:
            raise TidegateError(
                f"{window}: of history no {window.reducer!s} value is kept; "
                f"want {', '.join(map(str, sorted(STORED_REDUCERS)))}"
            )
        reading.setdefault(window.keying, []).append(window)
    # Numbers follow the sorted keyings, so that equal windows give equal keys in every process.
    return {
        keying: _layout(number, keying, reading[keying], page_rows, chapter_pages)
        for number, keying in enumerate(sorted(reading, key=repr))
    }


@lru_cache
def of_source(layouts: tuple[Layout, ...], source: str) -> tuple[Layout, ...]:
    """Return the layouts that hold events of a source."""
    return tuple(layout for layout in layouts if layout.source == source)


def layout_fingerprint(layouts: Iterable[Layout]) -> str:
    """Return a digest that is equal exactly if blobs can be read with these layouts.

    The computation of the words is covered by `features.engine.store.compatibility`.
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
