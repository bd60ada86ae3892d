"""The errors of this folder.

TidegateError                 shown to a person without a traceback; exit code 1
├── UnknownFeature            no feature of that name; says the nearest ones
├── RecordsError              a record file cannot be used: names file, row and column
├── CatalogueMismatch         a matrix or model was made with other features or formulas
├── OnlineStoreUnavailable    the online feature store cannot be opened, read or written
├── OnlineStoreMismatch       the online feature store was made for other windows or formulas
├── CacheRefused              the cache folder that the environment names cannot be used
├── KeyMissing                a key of the home is not there
├── KeysLocked                the keys of the home are wrapped, and nothing opens them
├── MessageRefused            a message breaks its standard: says the place and what is wanted
│   ├── MessageTooLarge       a message is beyond a limit, which it names
│   └── MessageContradictory  a message states one record in two ways: says where
├── WorkerMismatch            a worker has other code or data than the machine that asks it
└── RecordsSuspected          records that a Spark worker read may be wrong; they are read again
"""

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any


class TidegateError(Exception):
    """Base of every error that a person is shown: asked, wrong, and the nearest right answer."""


def in_own_words(message: str) -> str:
    """Return what a validator of ours said, without what pydantic sets before it."""
    return message.removeprefix("Value error, ")


class UnknownFeature(TidegateError):
    """No feature of that name is in the catalogue."""


@dataclass(frozen=True)
class Example:
    """A row that is wrong, from 1 (a CSV's header is none), and what stands there."""

    row: int
    value: str | None


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a record file: where, what, in how many rows, and the first of them.

    `column` is None where the whole file is meant; without examples, every row of the column is.
    """

    file: str
    column: str | None
    what: str
    rows: int | None = None
    examples: tuple[Example, ...] = ()

    def __str__(self) -> str:
        first = self.examples[0] if self.examples else None
        place = [self.file, f"row {first.row}" if first else None, self.column]
        text = f"{', '.join(part for part in place if part)}: {self.what}"
        if first and first.value is not None:
            text += f"; it holds {first.value}"
        others = [str(example.row) for example in self.examples[1:]]
        if self.rows is not None and others:
            more = self.rows - 1
            rows = ", ".join(others) + (" …" if more > len(others) else "")
            text += f" (and in {more:,} more rows: {rows})"
        return text


class RecordsError(TidegateError):
    """A record file cannot be used; names the file, and the column and rows if any.

    `faults` hold everything that was found, each as the message says it on a line of its own.
    """

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()):
        super().__init__(message)
        self.faults = faults

    @classmethod
    def from_faults(cls, faults: tuple[Fault, ...]) -> "RecordsError":
        """The refusal of a file for all its faults."""
        return cls("\n".join(map(str, faults)), faults)

    def report(self) -> list[dict[str, Any]]:
        """The faults as plain JSON."""
        return [asdict(fault) for fault in self.faults]


class CatalogueMismatch(TidegateError):
    """Columns, order or meaning differ from the catalogue that was expected."""


class OnlineStoreUnavailable(TidegateError):
    """The online feature store cannot be opened, read or written now."""


class OnlineStoreMismatch(TidegateError):
    """The online feature store was made for other windows or computations; it must be rebuilt."""


class CacheRefused(TidegateError):
    """The cache folder that the environment names cannot be used; the message says why."""


class MessageRefused(TidegateError):
    """A message breaks its standard, at a place of it; what stands there is never repeated."""

    def __init__(self, place: str, wanted: str, line: int | None = None):
        super().__init__(f"{f'line {line}, ' if line else ''}{place}: {wanted}")
        self.place = place
        self.wanted = wanted
        self.line = line


class MessageTooLarge(MessageRefused):
    """A message has more of something than is read; says how much that is."""


class MessageContradictory(MessageRefused):
    """A message states records in two ways, at `places`."""

    def __init__(self, places: tuple[str, ...]):
        super().__init__(places[0], "the message states it otherwise elsewhere")
        self.places = places


class WorkerMismatch(TidegateError):
    """A worker has other code or data than the machine that asks it; the message has both."""


class RecordsSuspected(TidegateError):
    """A record file may hold a fault; its name is the message, and the caller reads it whole."""


def nearest_of(name: str, known: Iterable[str]) -> str:
    """The nearest known name, or all of them where none is near, for the end of a message.

    >>> nearest_of("GROSS", ["gross", "net"]), nearest_of("mass", ["gross", "net"])
    ("the nearest is 'gross'", 'there are gross, net')
    """
    names = sorted(known)
    in_small = {each.casefold(): each for each in names}
    nearest = difflib.get_close_matches(name.casefold(), in_small, n=1)
    return (
        f"the nearest is {in_small[nearest[0]]!r}" if nearest else f"there are {', '.join(names)}"
    )


class KeyMissing(TidegateError):
    """A key of the home is not there, and what hangs on it is."""


class KeysLocked(TidegateError):
    """The keys of the home are wrapped, and what is given does not open them."""
