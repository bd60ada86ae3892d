"""How the events of one keying lie in the store: a row of int64 words each.

A row is `known_at`, the record's id where some window asks for the latest value, the values that
windows add up or compare, and for every column whose different values are counted its label and the
instant at which the key last had the same label before. What blobs of rows look like is told in
`features.engine.store.page_format`.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from features.engine.windows.entity_key import Keying, keying_of
from features.engine.windows.window import Window

MISSING = -(2**63)  # a value or a label that the event does not have
NEVER = -(2**63)  # before every instant
SHAPE_WORDS = 6
ID_WORDS = 8  # a record's id has at most 64 characters
# Whatever of blobs and their keys no layout tells.
_FORM = (
    "keys of parts, ending by keying; pages that tell what came before, in chapters; "
    "how many records of each type"
)


@dataclass(frozen=True, eq=False)
class Layout:
    """The words of a keying's events; `number` tells it from other keyings.

    One is equal to itself alone: what is made for layouts is looked up for every event.

    Of the first so many `extremes` of its `values` windows ask for the largest or the smallest.
    Closed pages are of `page_rows` rows, and chapters of `chapter_pages` pages.
    """

    number: int
    keying: Keying
    values: tuple[str, ...]
    labels: tuple[str, ...]
    extremes: int
    has_ids: bool
    page_rows: int
    chapter_pages: int

    @cached_property
    def mark(self) -> str:
        """The character by which its keys end, and no other's."""
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
    def order_words(self) -> int:
        """How many leading words put the events of a key in order."""
        return 1 + ID_WORDS * self.has_ids

    @cached_property
    def label_at(self) -> int:
        """The word of the first label; each takes two."""
        return self.order_words + len(self.values)

    @cached_property
    def width(self) -> int:
        """The words of a row."""
        return self.label_at + 2 * len(self.labels)

    @cached_property
    def shape(self) -> tuple[int, ...]:
        """The words of a row, those that order it, the first that is a label; `extremes`.

        Then the rows of a page and the pages of a chapter.
        """
        row = self.width, self.order_words, self.label_at
        return *row, self.extremes, self.page_rows, self.chapter_pages

    def word(self, window: Window) -> int:
        """The word of a row that a window reads; 0 where it reads only instants."""
        if window.reducer == "distinct":
            return self.label_at + 2 * self.labels.index(str(window.value))
        if window.value is None:
            return 0
        return self.order_words + self.values.index(window.value)

    def number_of(self, window: Window) -> int:
        """Which of the labels a window counts, or of the values it reads; 0 where it reads none."""
        if window.value is None:
            return 0
        return (self.labels if window.reducer == "distinct" else self.values).index(window.value)


def layouts_of(
    windows: Iterable[Window], page_rows: int = 128, chapter_pages: int = 512
) -> dict[Keying, Layout]:
    """A layout for every keying that the windows need, holding all that they read.

    Each event rewrites what is open of a ledger, up to two pages and the index of a chapter; each
    window reads up to two closed pages.
    """
    reading: dict[Keying, list[Window]] = {}
    for window in windows:
        reading.setdefault(keying_of(window), []).append(window)
    return {
        keying: _layout(number, keying, reading[keying], page_rows, chapter_pages)
        for number, keying in enumerate(sorted(reading, key=repr))
    }


def fingerprint(layouts: Iterable[Layout]) -> str:
    """A digest that is equal exactly where blobs may be read with these layouts.

    What computes the words of a row is another matter: `features.engine.store.compatibility`.
    """
    told = (_FORM, *map(repr, layouts))
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def _layout(
    number: int, keying: Keying, windows: list[Window], page_rows: int, chapter_pages: int
) -> Layout:
    valued = [(w.reducer, w.value) for w in windows if w.value is not None]
    labels = {value for reducer, value in valued if reducer == "distinct"}
    extremes = {value for reducer, value in valued if reducer in ("largest", "smallest")}
    others = {value for reducer, value in valued if reducer != "distinct"} - extremes
    return Layout(
        number=number,
        keying=keying,
        values=(*sorted(extremes), *sorted(others)),
        labels=tuple(sorted(labels)),
        extremes=len(extremes),
        has_ids=any(w.reducer == "latest" for w in windows),
        page_rows=page_rows,
        chapter_pages=chapter_pages,
    )
