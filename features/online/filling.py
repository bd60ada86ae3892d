"""Records of a request -> registers of a program, with no column in between."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, count, repeat
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from features.columns import NO_INSTANT, Column, instant_us
from features.compiled import compiled
from features.program.machine import execute
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


class Template(NamedTuple):
    """One row of a program's registers, and where its numbers, instants and texts go."""

    row: Column
    numbers: Column
    instants: Column
    texts: Column


class Filling:
    """How the fields of records come into the registers of a program.

    Inputs whose key is neither a field nor made of the text of one are left to others.
    """

    def __init__(self, program: Program, codes: Codes) -> None:
        fields = [_fields(program, kind) for kind in (Kind.NUMBER, Kind.WHOLE, Kind.TEXT)]
        self._numbers, self._instants, self._texts = map(_reading, fields)
        places = (np.array([*one.values()], np.int64) for one in fields)
        self.template = Template(program.registers(codes.__getitem__), *places)
        self._steps = program.steps

    def made(self, rows: Sequence[Row], codes: Codes) -> Column:
        """The registers as float64 with a column per row, after every step of the program.

        New texts are added to the codes.
        """
        return _made(self._steps, self.template, len(rows), *self.cells(rows, codes))

    def cells(self, rows: Sequence[Row], codes: Codes) -> tuple[Column, Column]:
        """What rows tell: their numbers row by row; their instants, and then their texts."""
        numbers = np.array(self._numbers(rows), np.float64)  # NaN of None
        instants = [
            NO_INSTANT if value is None else instant_us(value) for value in self._instants(rows)
        ]
        texts = map(codes.__getitem__, self._texts(rows))
        return numbers, np.array([*instants, *texts], np.int64)


@compiled
def _made(steps: Column, template: Template, rows: int, numbers: Column, wholes: Column) -> Column:
    registers = spread(template, rows, numbers, wholes)
    execute(steps, registers, registers.view(np.int64))
    return registers


@compiled
def spread(template: Template, rows: int, numbers: Column, wholes: Column) -> Column:
    """Rows of registers, alike but for what the cells tell of each."""
    registers = np.empty((len(template.row), rows))
    for place in range(len(template.row)):
        registers[place] = template.row[place]
    of_wholes = registers.view(np.int64)
    _put(registers, template.numbers, numbers)
    texts_at = rows * len(template.instants)
    _put(of_wholes, template.instants, wholes[:texts_at])
    _put(of_wholes, template.texts, wholes[texts_at:])
    return registers


@compiled
def _put(registers: Column, places: Column, cells: Column) -> None:
    at = 0
    for row in range(registers.shape[1]):
        for place in places:
            registers[place, row] = cells[at]
            at += 1


def _fields(program: Program, kind: Kind) -> dict[Key, int]:
    """The fields of one kind, and what is made of the texts of some, with their registers."""
    return {
        key: register.place
        for key, register in program.inputs.items()
        if register.kind is kind and isinstance(key.key if isinstance(key, Mapped) else key, str)
    }


def _reading(keys: Iterable[Key]) -> Callable[[Iterable[Row]], list[Any]]:
    """What is read of rows, row by row: of some fields, what is made of their texts."""
    names = [key.key if isinstance(key, Mapped) else key for key in keys]
    looks = [
        (at, lru_cache(TEXTS_REMEMBERED)(key.function))
        for at, key in enumerate(keys)
        if isinstance(key, Mapped)
    ]
    read = itemgetter(*names) if names else None

    def cells_of(rows: Iterable[Row]) -> list[Any]:
        told = map(read, rows) if read else ()
        cells = [*told] if len(names) == 1 else [*chain.from_iterable(told)]
        for at, look in looks:
            texts = cells[at :: len(names)]
            cells[at :: len(names)] = [text if text is None else look(text) for text in texts]
        return cells

    return cells_of


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
        return [*map(self._row, cells, of_texts, repeat(texts))]

    def _row(self, numbers: list[float], codes: list[int], texts: list[str | None]) -> list[Any]:
        values: list[Any] = [
            None if number != number else number  # noqa: PLR0124 - NaN differs from itself
            for number in numbers
        ]
        for at, code in zip(self._texts, codes, strict=True):
            values[at] = texts[code - NO_TEXT]
        return values
