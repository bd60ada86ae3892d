"""Programs: the steps that compute columns from columns, and their execution over many rows."""

import inspect
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from features.engine.columns import Column, Kind
from features.engine.expressions.interpreter import execute
from features.engine.expressions.numpy_ops import TRANSLATED
from features.engine.expressions.opcodes import Op
from features.engine.expressions.trace import (
    Constant,
    InputColumn,
    Literal,
    Mapped,
    Step,
    Trace,
    TracedValue,
)
from features.engine.string_table import STRING_TABLE
from features.errors import TidegateError, nearest_of

# Rows per block: few enough for registers to stay in the CPU cache, enough to outweigh the cost per
# block.
BLOCK_ROWS = 4096

# Identifies a column; anything hashable.
Key = Any


# A register, whether it holds float64, and the column it is filled from or read into.
Cells = tuple[int, bool, Column]


@dataclass(frozen=True)
class Function:
    """Function of columns, with the key of the column for each parameter."""

    name: str
    compute: Callable[..., Any]
    reads: Mapping[str, Key]

    @classmethod
    def from_callable(cls, compute: Callable[..., Any]) -> Self:
        """Return a function whose parameters have the names of their columns."""
        parameters = inspect.signature(compute).parameters
        return cls(compute.__name__, compute, {name: name for name in parameters})


@dataclass(frozen=True)
class Register:
    """Position of a column's register in a running program, and its kind."""

    place: int
    kind: Kind


@dataclass(frozen=True)
class Program:
    """Steps over registers, some of which hold the same value in every row.

    `constants` has a cell for every register; `texts` maps registers to texts whose codes they
    hold; `tables` holds the cells that steps look up. A `Mapped` key of `inputs` is computed by the
    string table from the column it names.
    """

    inputs: dict[Key, Register]
    outputs: dict[Key, Register]
    steps: Column
    constants: Column
    texts: dict[int, str]
    tables: Column

    @property
    def columns(self) -> tuple[Key, ...]:
        """Columns that are read, including those that are only mapped."""
        read = (key.key if isinstance(key, Mapped) else key for key in self.inputs)
        return tuple(dict.fromkeys(read))

    def run(self, columns: Mapping[Key, Column]) -> dict[Key, Column]:
        """Return every output for all rows; an output that is an input is the same array.

        Raises TidegateError if a column has another dtype than was traced.
        """
        given = {key: _given(columns, key) for key in self.inputs}
        self._check(given)
        rows = len(next(iter(columns.values())))
        outputs = {
            key: np.empty(rows, register.kind.value) for key, register in self._computed().items()
        }
        row = self.registers(STRING_TABLE.code)
        numbers = np.repeat(row[:, None], min(rows, BLOCK_ROWS), axis=1)
        reads = [
            (register.place, register.kind.is_float, given[key])
            for key, register in self.inputs.items()
        ]
        writes = [
            (register.place, register.kind.is_float, outputs[key])
            for key, register in self._computed().items()
        ]
        for begin in range(0, rows, BLOCK_ROWS):
            # The last block is shorter; the kernels expect contiguous rows.
            numbers = np.ascontiguousarray(numbers[:, : rows - begin])
            self._run_block(reads, writes, slice(begin, begin + BLOCK_ROWS), numbers)
        same = {register.place: key for key, register in self.inputs.items()}
        return {
            key: outputs[key] if key in outputs else given[same[register.place]]
            for key, register in self.outputs.items()
        }

    @cached_property
    def inputs_of_outputs(self) -> dict[Key, set[Key]]:
        """Inputs that each output is computed from."""
        read: dict[int, set[Key]] = {register.place: {key} for key, register in self.inputs.items()}
        for operation, to, *places in self.steps.tolist():
            operands = places[: Op(operation).arity]
            read[to] = set().union(*(read.get(place, set()) for place in operands))
        return {key: read.get(register.place, set()) for key, register in self.outputs.items()}

    def registers(self, code_of: Callable[[str], int]) -> Column:
        """Return the registers of one row as float64, with constants and texts filled in."""
        registers = self.constants.copy()
        for place, text in self.texts.items():
            registers.view(np.int64)[place] = code_of(text)
        return registers

    def _computed(self) -> dict[Key, Register]:
        read = {register.place for register in self.inputs.values()}
        return {
            key: register for key, register in self.outputs.items() if register.place not in read
        }

    def _run_block(
        self, reads: list[Cells], writes: list[Cells], rows: slice, numbers: Column
    ) -> None:
        wholes = numbers.view(np.int64)
        for place, is_float, column in reads:
            (numbers if is_float else wholes)[place] = column[rows]
        execute(self.steps, self.tables, numbers, wholes)
        for place, is_float, column in writes:
            column[rows] = (numbers if is_float else wholes)[place]

    def _check(self, given: dict[Key, Column]) -> None:
        for key, register in self.inputs.items():
            if given[key].dtype != register.kind.value:
                raise TidegateError(
                    f"column {key} is {given[key].dtype}; the program was traced for"
                    f" {register.kind.value}"
                )


def traced(functions: Mapping[Key, Function], kinds: Mapping[Key, Kind]) -> Program:
    """Return the program that computes one column per function from columns of these kinds.

    Raises TidegateError, naming the function, if one cannot be traced or reads a column without a
    kind.
    """
    trace = Trace(TRANSLATED)
    outputs = {key: _traced(trace, function, kinds) for key, function in functions.items()}
    return _assembled(trace, outputs)


def traced_columns(
    compute: Callable[[dict[Key, Any]], Mapping[Key, Any]],
    kinds: Mapping[Key, Kind],
    keys: Collection[Key] | None = None,
) -> Program:
    """Return the program of a function that maps columns to columns, both by key.

    If `keys` are given, only these outputs are computed. Raises TidegateError as `traced`.
    """
    trace = Trace(TRANSLATED, function=compute.__name__)
    outputs = compute(
        {key: trace.note(InputColumn(key, kind), kind) for key, kind in kinds.items()}
    )
    results = {key: trace.operand(value) for key, value in outputs.items()}
    return _assembled(
        trace,
        {
            key: (value.place, value.kind)
            for key, value in results.items()
            if keys is None or key in keys
        },
    )


def _traced(trace: Trace, function: Function, kinds: Mapping[Key, Kind]) -> tuple[int, Kind]:
    trace.function = function.name
    if unknown := [key for key in function.reads.values() if key not in kinds]:
        names = (key for key in kinds if isinstance(key, str))
        trace.refuse(f"it reads {unknown[0]}, which is no column; {nearest_of(unknown[0], names)}")
    columns = {
        parameter: trace.note(InputColumn(key, kinds[key]), kinds[key])
        for parameter, key in function.reads.items()
    }
    result = trace.operand(function.compute(**columns))
    return result.place, result.kind


def _assembled(trace: Trace, outputs: dict[Key, tuple[int, Kind]]) -> Program:
    """Assign registers to all needed values, those without a step first."""
    values = list(trace.values)
    needed = _needed(values, {place for place, _ in outputs.values()})
    at = {place: register for register, place in enumerate(needed)}
    registers = [(at[place], values[place]) for place in needed]
    tables = {v.table: 0 for _, v in registers if isinstance(v, Step) and v.table}
    cells = 0
    for table in tables:
        tables[table], cells = cells, cells + len(table) // 8
    steps = [_instruction(v, r, at, tables) for r, v in registers if isinstance(v, Step)]
    return Program(
        {v.key: Register(r, v.kind) for r, v in registers if isinstance(v, InputColumn)},
        {key: Register(at[place], kind) for key, (place, kind) in outputs.items()},
        np.array(steps, np.int64).reshape(-1, 5),
        np.frombuffer(
            b"".join(v.cell if isinstance(v, Constant) else bytes(8) for _, v in registers)
        ),
        {r: v.text for r, v in registers if isinstance(v, Literal)},
        np.frombuffer(b"".join(tables)),
    )


def _needed(values: list[TracedValue], places: set[int]) -> list[int]:
    # Backwards, since a step reads only earlier values.
    for place in reversed(range(len(values))):
        if place in places and isinstance(step := values[place], Step):
            places |= set(step.reads)
    return sorted(places, key=lambda place: (isinstance(values[place], Step), place))


def _instruction(
    step: Step, to: int, at: dict[int, int], tables: dict[bytes, int]
) -> tuple[int, ...]:
    reads = [at[place] for place in step.reads]
    if step.table:
        reads += [tables[step.table], len(step.table) // 8]
    return (step.op, to, *reads, *[0] * (3 - len(reads)))


def _given(columns: Mapping[Key, Column], key: Key) -> Column:
    """Return a column, or the values that the string table maps its texts to."""
    if not isinstance(key, Mapped):
        return columns[key]
    if key.kind is Kind.TEXT:
        return STRING_TABLE.map_texts(columns[key.key], key.function)
    return STRING_TABLE.map_numbers(columns[key.key], key.function)
