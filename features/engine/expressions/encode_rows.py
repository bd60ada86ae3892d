"""Encoding of request records into the registers of a program, without columns in between."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import chain, count, repeat
from operator import itemgetter
from typing import Any, NamedTuple

import numpy as np

from features.engine.columns import NO_INSTANT, Column, Kind, instant_us
from features.engine.expressions.interpreter import run
from features.engine.expressions.program import Key, Program
from features.engine.expressions.trace import Mapped
from features.engine.numba_cache import compiled, inner
from features.engine.string_table import NO_TEXT

# Fields of a record, by name.
Row = Mapping[str, Any]

# Number of recent texts whose computed values are cached.
MAX_CACHED_TEXTS = 1 << 16


class RequestCodes(defaultdict[str | None, int]):
    """Codes of the texts of one request, assigned on access, starting with NO_TEXT for None.

    Programs only need equal codes for equal texts. The codes are dropped after the request, so
    texts of requests never fill the string table.
    """

    def __init__(self, known: Mapping[str | None, int]) -> None:
        """Copy known codes, to assign more."""
        super().__init__(count(len(known) + NO_TEXT).__next__, known)


def initial_string_ids(programs: Iterable[Program]) -> RequestCodes:
    """Return the codes of texts in programs, with which every request begins."""
    named = sorted({text for program in programs for text in program.texts.values()})
    return RequestCodes({None: NO_TEXT} | {text: code for code, text in enumerate(named)})


class RegisterTemplate(NamedTuple):
    """Register values of one row, the sources of its cells, and the steps of the program.

    `numbers`, `instants` and `texts` are registers filled from cells. `copied` holds pairs of a
    register of another program and the register it is copied to. The tuple is flat because nested
    tuples take three times as long to enter compiled code.
    """

    row: Column
    numbers: Column
    instants: Column
    texts: Column
    copied: Column
    steps: Column
    tables: Column


class CopiedColumns(NamedTuple):
    """Registers of another program; its column i is copied to the rows from `starts[i]` on."""

    starts: Column
    registers: Column


NO_PLACES, NO_PAIRS = np.empty(0, np.int64), np.empty((0, 2), np.int64)
_NO_COPIES = CopiedColumns(NO_PLACES, np.empty((0, 0)))


def run_rows(
    template: RegisterTemplate,
    rows: int,
    numbers: Column,
    wholes: Column,
    copies: CopiedColumns = _NO_COPIES,
) -> Column:
    """Return the registers as float64, a column per row, after every step of the program.

    Cells come row by row: the numbers; and the instants of all rows, followed by their texts.
    """
    registers = np.empty((len(template.row), rows))
    _run(template, registers, registers.view(np.int64), numbers, wholes, *copies)
    return registers


class RowEncoder:
    """Encoder of record fields into the registers of a program.

    Inputs that are neither a field nor computed from a text field are `copied`, or left for others.
    """

    def __init__(self, program: Program, codes: RequestCodes, copied: Column = NO_PAIRS) -> None:
        fields = [_fields(program, kind) for kind in (Kind.NUMBER, Kind.WHOLE, Kind.TEXT)]
        self._numbers, self._instants, self._texts = map(_reading, fields)
        numbers, instants, texts = (np.array([*one.values()], np.int64) for one in fields)
        row = program.registers(codes.__getitem__)
        self._template = RegisterTemplate(
            row, numbers, instants, texts, copied, program.steps, program.tables
        )

    def encode(
        self, rows: Sequence[Row], codes: RequestCodes, copies: CopiedColumns = _NO_COPIES
    ) -> Column:
        """Return the registers as float64, a column per row, after every step of the program.

        New texts are added to `codes`.
        """
        numbers = np.array(self._numbers(rows), np.float64)  # None becomes NaN
        instants = [
            NO_INSTANT if value is None else instant_us(value) for value in self._instants(rows)
        ]
        texts = map(codes.__getitem__, self._texts(rows))
        wholes = np.array([*instants, *texts], np.int64)
        return run_rows(self._template, len(rows), numbers, wholes, copies)


@compiled
def _run(
    template: RegisterTemplate,
    numbers: Column,
    wholes: Column,
    number_cells: Column,
    whole_cells: Column,
    starts: Column,
    others: Column,
) -> None:
    """Fill registers and run every step; `numbers` and `wholes` are views of the same memory.

    Everything happens in one call, since entering a compiled function costs as much as processing a
    few rows.
    """
    for place in range(len(template.row)):
        for row in range(numbers.shape[1]):
            numbers[place, row] = template.row[place]
    _put(numbers, template.numbers, number_cells)
    _put(wholes, template.instants, whole_cells)
    _put(wholes, template.texts, whole_cells[numbers.shape[1] * len(template.instants) :])
    for pair in range(len(template.copied)):
        source, target = template.copied[pair]
        for i in range(len(starts) - 1):
            for row in range(starts[i], starts[i + 1]):
                numbers[target, row] = others[source, i]
    run(template.steps, template.tables, numbers, wholes)


@inner
def _put(registers: Column, places: Column, cells: Column) -> None:
    for row in range(registers.shape[1]):
        for i in range(len(places)):
            registers[places[i], row] = cells[row * len(places) + i]


def _fields(program: Program, kind: Kind) -> dict[Key, int]:
    """Return the registers of inputs of one kind that are fields, or computed from text fields."""
    return {
        key: register.place
        for key, register in program.inputs.items()
        if register.kind is kind and isinstance(key.key if isinstance(key, Mapped) else key, str)
    }


def _reading(keys: Iterable[Key]) -> Callable[[Iterable[Row]], list[Any]]:
    """Return a function that reads the cells of rows, row by row."""
    names = [key.key if isinstance(key, Mapped) else key for key in keys]
    lookups = [
        (at, lru_cache(MAX_CACHED_TEXTS)(key.function))
        for at, key in enumerate(keys)
        if isinstance(key, Mapped)
    ]
    read = itemgetter(*names) if names else None

    def cells_of(rows: Iterable[Row]) -> list[Any]:
        read_cells = map(read, rows) if read else ()
        # `itemgetter` of one name returns the value itself, not a tuple.
        cells = [*read_cells] if len(names) == 1 else [*chain.from_iterable(read_cells)]
        for at, lookup in lookups:
            texts = cells[at :: len(names)]
            cells[at :: len(names)] = [text if text is None else lookup(text) for text in texts]
        return cells

    return cells_of


class RegisterReader:
    """Reader of values from the registers of a program, in a fixed order of keys."""

    def __init__(self, program: Program, keys: Iterable[Key]) -> None:
        registers = [program.outputs[key] for key in keys]
        self._places = np.array([register.place for register in registers], np.int64)
        self._texts = [at for at, register in enumerate(registers) if register.kind is Kind.TEXT]
        self._text_places = self._places[self._texts]

    def values(self, registers: Column, codes: RequestCodes) -> list[list[Any]]:
        """Return the numbers and texts of each row; None if missing."""
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
