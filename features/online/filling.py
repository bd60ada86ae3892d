"""Records of a request -> registers of a program, with no column in between."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain
from operator import itemgetter
from typing import Any

import numpy as np

from features.columns import NO_INSTANT, Column, instant_us
from features.program.operations import Kind
from features.program.program import Key, Program
from features.program.tracing import Mapped
from features.vocabulary import NO_TEXT

Row = Mapping[str, Any]
"""The fields of a record."""

# A text is looked into once while it is among so many that came last.
TEXTS_REMEMBERED = 1 << 16


class Codes(dict[str | None, int]):
    """The code of each text of one request, in order from NO_TEXT, that of None; learnt on asking.

    Equal texts get equal codes, which is all that programs ask; nothing is kept of a text when the
    request is answered.
    """

    def copy(self) -> "Codes":
        """The same codes, to learn more from."""
        return Codes(self)

    def __missing__(self, text: str | None) -> int:
        code = self[text] = len(self) + NO_TEXT
        return code


def first_codes(programs: Iterable[Program]) -> Codes:
    """The codes of the texts that programs name, to begin every request with."""
    named = sorted({text for program in programs for text in program.texts.values()})
    return Codes({None: NO_TEXT} | {text: code for code, text in enumerate(named)})


class Filling:
    """How the fields of records come into the registers of a program.

    Inputs whose key is neither a field nor made of the text of one are left to others.
    """

    def __init__(self, program: Program, codes: Codes) -> None:
        self._registers = program.registers(codes.__getitem__)[:, None]
        self._numbers, self._instants, self._texts = (
            _Fields(program, kind) for kind in (Kind.NUMBER, Kind.WHOLE, Kind.TEXT)
        )

    def filled(self, rows: Sequence[Row], codes: Codes) -> Column:
        """New registers as float64 with a column per row; new texts are added to the codes."""
        numbers = np.empty((len(self._registers), len(rows)))
        numbers[:] = self._registers
        wholes = numbers.view(np.int64)
        self._numbers.put(numbers, rows, _numbers)
        self._instants.put(wholes, rows, _instants)
        self._texts.put(wholes, rows, lambda texts: [*map(codes.__getitem__, texts)])
        return numbers


class _Fields:
    """The inputs of one kind: the registers they take, and what is read of a row for them."""

    def __init__(self, program: Program, kind: Kind) -> None:
        held = {key: at.place for key, at in program.inputs.items() if at.kind is kind}
        own = sorted(filter(_is_field, held), key=lambda key: isinstance(key, Mapped))
        self._places = np.array([held[key] for key in own], np.int64)
        self._read = _reading(own)

    def put(self, cells: Column, rows: Sequence[Row], made: Callable[[list[Any]], Any]) -> None:
        """Fill the registers with what is made of the values of all rows."""
        if len(self._places) and rows:
            values = made([*chain.from_iterable(map(self._read, rows))])
            table = np.array(values, cells.dtype).reshape(len(rows), len(self._places))
            cells[self._places] = table.T


def _is_field(key: Key) -> bool:
    """Whether a key is a record's field or what is made of the text of one."""
    return isinstance(key.key if isinstance(key, Mapped) else key, str)


def _reading(keys: Sequence[Key]) -> Callable[[Row], Iterable[Any]]:
    """What is read of a row: fields, and then what is made of the texts of some."""
    fields = [key for key in keys if not isinstance(key, Mapped)]
    looked_into = [key for key in keys if isinstance(key, Mapped)]
    made = [(str(key.key), lru_cache(TEXTS_REMEMBERED)(key.function)) for key in looked_into]
    if len(fields) > 1 and not made:
        return itemgetter(*fields)
    return lambda row: (
        *[row[name] for name in fields],
        *[None if row[name] is None else look(row[name]) for name, look in made],
    )


def _numbers(values: list[Any]) -> list[float]:
    return [math.nan if value is None else value for value in values]


def _instants(values: list[Any]) -> list[int]:
    return [NO_INSTANT if value is None else instant_us(value) for value in values]


class Transfer:
    """Cells that are copied from the one row of a program's registers to those of another."""

    def __init__(self, places: Iterable[tuple[int, int]]) -> None:
        self._source, self._target = np.array([*places], np.int64).reshape(-1, 2).T

    def copy(self, source: Column, target: Column) -> None:
        """Copy into every row of the target."""
        target[self._target] = source[self._source]


class Reading:
    """The values that are read of the one row of a program's registers, in an order of keys."""

    def __init__(self, program: Program, keys: Iterable[Key]) -> None:
        held = [program.outputs[key] for key in keys]
        self._places = np.array([register.place for register in held], np.int64)
        self._texts = [at for at, register in enumerate(held) if register.kind is Kind.TEXT]

    def values(self, registers: Column, codes: Codes) -> list[Any]:
        """Numbers and texts; None where one is missing."""
        cells = registers[self._places, 0]
        values = [
            None if number != number else number  # noqa: PLR0124 - NaN differs from itself
            for number in cells.tolist()
        ]
        if self._texts:
            texts, of = [*codes], cells.view(np.int64)[self._texts].tolist()
            for at, code in zip(self._texts, of, strict=True):
                values[at] = texts[code - NO_TEXT]
        return values
