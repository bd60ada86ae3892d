"""Records of a request -> registers of a program, with no column in between."""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from operator import itemgetter
from struct import Struct
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
        numbers, instants, texts = (
            _fields(program, kind) for kind in (Kind.NUMBER, Kind.WHOLE, Kind.TEXT)
        )
        self._instants = len(numbers)
        self._texts = len(numbers) + len(instants)
        own = numbers | instants | texts
        self._places = np.array([*own.values()], np.int64)
        self._read = _reading([*own])
        self._cells = Struct(f"{len(numbers)}d{len(instants) + len(texts)}q")

    def filled(self, rows: Sequence[Row], codes: Codes) -> Column:
        """New registers as float64 with a column per row; new texts are added to the codes."""
        registers = np.empty((len(self._registers), len(rows)))
        registers[:] = self._registers
        cells = [self._packed(self._read(row), codes) for row in rows]
        given = np.frombuffer(b"".join(cells))
        registers[self._places] = given.reshape(len(rows), len(self._places)).T
        return registers

    def _packed(self, values: Sequence[Any], codes: Codes) -> bytes:
        """The cells of the values of one row."""
        instants = values[self._instants : self._texts]
        return self._cells.pack(
            *[math.nan if value is None else value for value in values[: self._instants]],
            *[NO_INSTANT if value is None else instant_us(value) for value in instants],
            *map(codes.__getitem__, values[self._texts :]),
        )


def _fields(program: Program, kind: Kind) -> dict[Key, int]:
    """The fields of one kind, and what is made of the texts of some, with their registers."""
    return {
        key: register.place
        for key, register in program.inputs.items()
        if register.kind is kind and isinstance(key.key if isinstance(key, Mapped) else key, str)
    }


def _reading(keys: Sequence[Key]) -> Callable[[Row], Sequence[Any]]:
    """What is read of a row: fields, of which some are looked into."""
    names = [key.key if isinstance(key, Mapped) else key for key in keys]
    looks = [
        (at, lru_cache(TEXTS_REMEMBERED)(key.function))
        for at, key in enumerate(keys)
        if isinstance(key, Mapped)
    ]
    plain = itemgetter(*names) if len(names) > 1 else lambda row: tuple(row[n] for n in names)

    def looked_into(row: Row) -> list[Any]:
        values = [*plain(row)]
        for at, look in looks:
            if values[at] is not None:
                values[at] = look(values[at])
        return values

    return looked_into if looks else plain


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
