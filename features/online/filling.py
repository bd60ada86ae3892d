"""Records of a request -> registers of a program, with no column in between.

A text gets its code from the request alone: equal texts get equal codes, which is all that programs
ask, and nothing is kept of a text when the request is answered.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import numpy as np

from features.columns import NO_INSTANT, Column, instant_us
from features.program.operations import Kind
from features.program.program import Key, Program
from features.program.tracing import Mapped
from features.vocabulary import NO_TEXT

Row = Mapping[str, Any]
Read = Callable[[Sequence[Row]], list[Any]]
"""What a program is given of each row."""
Codes = dict[str | None, int]
"""The code of each text of a request, counting up from NO_TEXT, which stands for None."""

# A text is looked into once while it is among so many that came last.
TEXTS_REMEMBERED = 1 << 16


def first_codes(programs: Iterable[Program]) -> Codes:
    """The codes of the texts that programs name, to begin every request with."""
    named = sorted({text for program in programs for text in program.texts.values()})
    return {None: NO_TEXT} | {text: code for code, text in enumerate(named)}


class Filling:
    """How the fields of records come into the registers of a program.

    Inputs whose key is neither a field nor made of the text of one are left to others.
    """

    def __init__(self, program: Program, codes: Codes) -> None:
        self._registers = program.registers(codes.__getitem__)[:, None]
        self._numbers = _Fields(program, Kind.NUMBER, _numbers)
        self._instants = _Fields(program, Kind.WHOLE, _instants)
        self._texts = _Fields(program, Kind.TEXT, _texts)

    def filled(self, rows: Sequence[Row], codes: Codes) -> Column:
        """New registers as float64 with a column per row; new texts are added to the codes."""
        numbers = np.repeat(self._registers, len(rows), axis=1)
        wholes = numbers.view(np.int64)
        if self._numbers.reads:
            numbers[self._numbers.places] = [read(rows) for read in self._numbers.reads]
        if self._instants.reads:
            wholes[self._instants.places] = [read(rows) for read in self._instants.reads]
        if self._texts.reads:
            wholes[self._texts.places] = [
                [codes.setdefault(text, len(codes) - 1) for text in read(rows)]
                for read in self._texts.reads
            ]
        return numbers


class _Fields:
    """The inputs of one kind: the registers they take, and how each is read."""

    def __init__(self, program: Program, kind: Kind, read: Callable[[str], Read]) -> None:
        held = {
            key: register.place
            for key, register in program.inputs.items()
            if register.kind is kind and _is_field(key)
        }
        self.places = np.array([*held.values()], np.int64)
        missing = None if kind is Kind.TEXT else math.nan
        self.reads = tuple(
            _mapped(key, missing) if isinstance(key, Mapped) else read(key) for key in held
        )


def _is_field(key: Key) -> bool:
    """Whether a key is a record's field or what is made of the text of one."""
    return isinstance(key.key if isinstance(key, Mapped) else key, str)


def _numbers(name: str) -> Read:
    return lambda rows: [math.nan if (v := row[name]) is None else v for row in rows]


def _instants(name: str) -> Read:
    return lambda rows: [NO_INSTANT if (v := row[name]) is None else instant_us(v) for row in rows]


def _texts(name: str) -> Read:
    return lambda rows: [row[name] for row in rows]


def _mapped(key: Mapped, missing: Any) -> Read:
    made = lru_cache(TEXTS_REMEMBERED)(key.function)
    name = str(key.key)
    return lambda rows: [missing if (v := row[name]) is None else made(v) for row in rows]


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
