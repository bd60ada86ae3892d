"""Records of a request -> registers of a program, with no column in between."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, count
from operator import itemgetter
from typing import Any

import numpy as np
from numba import njit

from features.columns import NO_INSTANT, Column, instant_us
from features.program.operations import Kind
from features.program.program import Key, Program
from features.program.tracing import Mapped
from features.vocabulary import NO_TEXT

Row = Mapping[str, Any]
"""The fields of a record."""

# A text is looked into once while it is among so many that came last.
TEXTS_REMEMBERED = 1 << 16


class Codes(defaultdict[str | None, int]):
    """The code of each text of one request, in order from NO_TEXT, that of None; learnt on asking.

    Equal texts get equal codes, which is all that programs ask; nothing is kept of a text when the
    request is answered.
    """

    def __init__(self, known: Mapping[str | None, int]) -> None:
        """The same codes, to learn more from."""
        super().__init__(count(len(known) + NO_TEXT).__next__, known)


def first_codes(programs: Iterable[Program]) -> Codes:
    """The codes of the texts that programs name, to begin every request with."""
    named = sorted({text for program in programs for text in program.texts.values()})
    return Codes({None: NO_TEXT} | {text: code for code, text in enumerate(named)})


class Filling:
    """How the fields of records come into the registers of a program.

    Inputs whose key is neither a field nor made of the text of one are left to others.
    """

    def __init__(self, program: Program, codes: Codes) -> None:
        self._registers = program.registers(codes.__getitem__)
        numbers, instants, texts = (
            _fields(program, kind) for kind in (Kind.NUMBER, Kind.WHOLE, Kind.TEXT)
        )
        self._instants = len(numbers)
        self._texts = len(numbers) + len(instants)
        own = numbers | instants | texts
        self._number_places = np.array([*numbers.values()], np.int64)
        self._whole_places = np.array([*(instants | texts).values()], np.int64)
        self._columns = _reading([*own])

    def filled(self, rows: Sequence[Row], codes: Codes) -> Column:
        """New registers as float64 with a column per row; new texts are added to the codes."""
        columns = self._columns(rows)
        numbers = np.array([*chain(*columns[: self._instants])], np.float64)  # NaN of None
        wholes = np.array(self._wholes(columns, codes), np.int64)
        return _spread(
            self._registers, len(rows), self._number_places, numbers, self._whole_places, wholes
        )

    def _wholes(self, columns: Sequence[Sequence[Any]], codes: Codes) -> list[int]:
        """The cells of instants and of texts, field by field."""
        instants = chain(*columns[self._instants : self._texts])
        return [
            *[NO_INSTANT if value is None else instant_us(value) for value in instants],
            *map(codes.__getitem__, chain(*columns[self._texts :])),
        ]


@njit(cache=True)
def _spread(
    row: Column,
    rows: int,
    number_places: Column,
    numbers: Column,
    whole_places: Column,
    wholes: Column,
) -> Column:
    """Rows of registers, alike but for the places of numbers and wholes, given place by place."""
    registers = np.empty((len(row), rows))
    for place in range(len(row)):
        registers[place] = row[place]
    for at, place in enumerate(number_places):
        registers[place] = numbers[at * rows : (at + 1) * rows]
    for at, place in enumerate(whole_places):
        registers.view(np.int64)[place] = wholes[at * rows : (at + 1) * rows]
    return registers


def _fields(program: Program, kind: Kind) -> dict[Key, int]:
    """The fields of one kind, and what is made of the texts of some, with their registers."""
    return {
        key: register.place
        for key, register in program.inputs.items()
        if register.kind is kind and isinstance(key.key if isinstance(key, Mapped) else key, str)
    }


def _reading(keys: Sequence[Key]) -> Callable[[Iterable[Row]], list[Sequence[Any]]]:
    """What is read of rows, field by field: of some, what is made of their texts."""
    names = [key.key if isinstance(key, Mapped) else key for key in keys]
    looks = [
        (at, lru_cache(TEXTS_REMEMBERED)(key.function))
        for at, key in enumerate(keys)
        if isinstance(key, Mapped)
    ]
    read = itemgetter(*names) if len(names) > 1 else lambda row: tuple(row[n] for n in names)

    def columns_of(rows: Iterable[Row]) -> list[Sequence[Any]]:
        columns: list[Sequence[Any]] = [*zip(*map(read, rows), strict=True)] or [()] * len(names)
        for at, look in looks:
            columns[at] = [value if value is None else look(value) for value in columns[at]]
        return columns

    return columns_of


class Transfer:
    """Cells that are copied from the rows of a program's registers to those of another."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._source, self._target = np.array([*places], np.int64).reshape(-1, 2).T

    def copy(self, source: Column, target: Column, starts: Column) -> None:
        """Copy the i-th row of the source into those of the target from `starts[i]` on."""
        _copy(source, self._source, target, self._target, starts)


@njit(cache=True)
def _copy(source: Column, places: Column, target: Column, into: Column, starts: Column) -> None:
    for at in range(len(places)):
        for row in range(len(starts) - 1):
            target[into[at], starts[row] : starts[row + 1]] = source[places[at], row]


class Reading:
    """The values that are read of the rows of a program's registers, in an order of keys."""

    def __init__(self, program: Program, keys: Iterable[Key]) -> None:
        held = [program.outputs[key] for key in keys]
        self._places = np.array([register.place for register in held], np.int64)
        self._texts = [at for at, register in enumerate(held) if register.kind is Kind.TEXT]
        self._text_places = self._places[self._texts]

    def values(self, registers: Column, codes: Codes) -> list[list[Any]]:
        """Numbers and texts of each row; None where one is missing."""
        cells = registers[self._places].T.tolist()
        texts, of_texts = [*codes], registers.view(np.int64)[self._text_places].T.tolist()
        return [
            self._row(numbers, of_row, texts)
            for numbers, of_row in zip(cells, of_texts, strict=True)
        ]

    def _row(self, numbers: list[float], codes: list[int], texts: list[str | None]) -> list[Any]:
        values: list[Any] = [
            None if number != number else number  # noqa: PLR0124 - NaN differs from itself
            for number in numbers
        ]
        for at, code in zip(self._texts, codes, strict=True):
            values[at] = texts[code - NO_TEXT]
        return values
