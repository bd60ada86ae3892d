"""The errors of this folder.

TidegateError                 shown to a person without a traceback; exit code 1
├── UnknownFeature            there is no feature of that name; lists the nearest ones
├── RecordsError              a record file cannot be used; names file, row and column
├── CatalogueMismatch         a matrix or model was built with other features or formulas
├── OnlineStoreUnavailable    the online feature store cannot be opened, read or written
├── OnlineStoreMismatch       the online feature store was built for other windows or formulas
├── KeyMissing                a key of the home is missing
├── Tampered                  a signed document or file is not what was signed
├── KeysLocked                the keys of the home are wrapped and cannot be opened
├── MessageRefused            a message violates its standard; gives location and requirement
└── RecordsSuspected          records that a Spark worker read may be wrong; they are read again
"""

import difflib
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any, Literal


class TidegateError(Exception):
    """The base of all errors shown to people: the request, the fault and the nearest fix."""


def in_own_words(message: str) -> str:
    """Return the message of our own validator without the prefix that pydantic adds."""
    return message.removeprefix("Value error, ")


class UnknownFeature(TidegateError):
    """A feature name is not in the catalogue."""


@dataclass(frozen=True)
class Example:
    """An invalid row, counted from 1 without a CSV header, and its value."""

    row: int
    value: str | None


@dataclass(frozen=True)
class Fault:
    """One fault in a record file: location, description, number of rows and first examples.

    `column` is None if the whole file is meant; without examples, every row of the column is.
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
    """A record file cannot be used; the message names the file, and column and rows if any.

    `faults` holds all faults found, each of which is one line of the message.
    """

    def __init__(self, message: str, faults: tuple[Fault, ...] = ()):
        super().__init__(message)
        self.faults = faults

    @classmethod
    def from_faults(cls, faults: tuple[Fault, ...]) -> "RecordsError":
        """Return the error that reports all faults of a file."""
        return cls("\n".join(map(str, faults)), faults)

    def report(self) -> list[dict[str, Any]]:
        """Return the faults as plain JSON."""
        return [asdict(fault) for fault in self.faults]


class CatalogueMismatch(TidegateError):
    """The columns, their order or their meaning differ from the expected catalogue."""


class OnlineStoreUnavailable(TidegateError):
    """The online feature store cannot be opened, read or written at the moment."""


class OnlineStoreMismatch(TidegateError):
    """The online feature store was built for other windows or computations and must be rebuilt."""


class MessageRefused(TidegateError):
    """A message violates its standard, exceeds a limit or contradicts itself, by `kind`.

    The error gives the location but never the content; `places` are those of all contradictions.
    """

    def __init__(
        self,
        place: str,
        wanted: str,
        line: int | None = None,
        *,
        kind: Literal["refused", "too_large", "contradictory"] = "refused",
        places: tuple[str, ...] = (),
    ):
        super().__init__(f"{f'line {line}, ' if line else ''}{place}: {wanted}")
        self.place = place
        self.wanted = wanted
        self.line = line
        self.kind = kind
        self.places = places


class RecordsSuspected(TidegateError):
    """A record file may have a fault; the message is its name, and the caller reads it in full."""


def nearest_of(name: str, known: Iterable[str]) -> str:
    """Return the nearest known name, or all names if none is near, to end a message.

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
    """A key of the home is missing although data depends on it."""


class Tampered(TidegateError):
    """A signed document or file is not what a key of this installation signed."""


class KeysLocked(TidegateError):
    """The keys of the home are wrapped, and the passphrase or command given does not open them."""
