"""Features as scalar functions that numba compiles, beside the interpreted program: `formulas.py`.

The functions are written from the steps of the program, one for each feature, with the numpy of
scalars; a kernel calls all of them for each row. So both compute the same of the same inputs.
"""

import sys
from collections.abc import Iterable
from statistics import median
from time import process_time
from typing import Any

import numpy as np
from numba import njit
from turns import Figures, in_turn, serve_rounds

from features.compiled_catalogue import computation
from features.engine.columns import Kind
from features.engine.expressions.encode_rows import (
    NO_PLACES,
    CopiedColumns,
    RegisterTemplate,
    run_rows,
)
from features.engine.expressions.interpreter import execute
from features.engine.expressions.opcodes import FIRST_WHOLE, Op
from features.engine.expressions.program import Program
from features.engine.string_table import STRING_TABLE

ROWS, ONE_ROW_CALLS, SEED = 100_000, 300, 7
KIND: Any = "shipment"
TEXT_OF = {
    Op.ADD: "{0} + {1}",
    Op.SUBTRACT: "{0} - {1}",
    Op.MULTIPLY: "{0} * {1}",
    Op.DIVIDE: "{0} / {1}",
    Op.REMAINDER: "np.remainder({0}, {1})",
    Op.MAXIMUM: "np.maximum({0}, {1})",
    Op.MINIMUM: "np.minimum({0}, {1})",
    Op.FMAX: "np.fmax({0}, {1})",
    Op.ABSOLUTE: "abs({0})",
    Op.RINT: "np.rint({0})",
    Op.SQRT: "np.sqrt({0})",
    Op.SIN: "np.sin({0})",
    Op.COS: "np.cos({0})",
    Op.ARCSIN: "np.arcsin({0})",
    Op.LOG: "np.log({0})",
    Op.EXP: "np.exp({0})",
    Op.WHOLE_SUBTRACT: "{0} - {1}",
    Op.WHOLE_REMAINDER: "{0} % {1}",
    Op.WHOLE_FLOOR_DIVIDE: "{0} // {1}",
    Op.WHOLE_AND: "{0} & {1}",
    Op.WHOLE_OR: "{0} | {1}",
    Op.WHOLE_XOR: "{0} ^ {1}",
    Op.AS_NUMBER: "float({0})",
    Op.SELECT: "{1} if {0} != 0 else {2}",
}
TEXT_OF |= {Op.LESS: "np.int64({0} < {1})", Op.LESS_EQUAL: "np.int64({0} <= {1})"}
TEXT_OF |= {Op.EQUAL: "np.int64({0} == {1})", Op.NOT_EQUAL: "np.int64({0} != {1})"}
TEXT_OF |= {Op.WHOLE_LESS: TEXT_OF[Op.LESS], Op.WHOLE_LESS_EQUAL: TEXT_OF[Op.LESS_EQUAL]}
TEXT_OF |= {Op.WHOLE_EQUAL: TEXT_OF[Op.EQUAL], Op.WHOLE_NOT_EQUAL: TEXT_OF[Op.NOT_EQUAL]}
MAKES_FLOAT = {op for op in TEXT_OF if op < Op.LESS or op is Op.AS_NUMBER}


def main() -> None:
    """Print a table, or measure one way."""
    if sys.argv[1:2] == ["--child"]:
        _measure(sys.argv[2])
    else:
        in_turn(__file__, {"interpreted": {}, "scalar": {}}, 5)
        _compare()


def _measure(way: str) -> None:
    program = computation(KIND)
    numbers = _registers(program, ROWS)
    call = {"interpreted": _interpreted, "scalar": _scalar}[way](program)
    routes = computation("route")
    of_routes = {"interpreted": _interpreted, "scalar": _scalar}[way](routes)
    cold = {"first shipment, compiled, CPU s": _seconds(call, numbers[:, :1].copy())}
    cold["first route, CPU s"] = _seconds(of_routes, _registers(routes, 1))

    def measure(_: int) -> Figures:
        one = [numbers[:, at : at + 1].copy() for at in range(ONE_ROW_CALLS)]
        return {
            "100,000 rows, CPU ms": 1e3 * _seconds(call, numbers.copy()),
            "one row, CPU µs": 1e6 * median(_seconds(call, each) for each in one),
        }

    serve_rounds(cold, measure)


def _compare() -> None:
    """Print how many numbers differ in a bit, and in which features."""
    program = computation(KIND)
    ways = [way(program)(_registers(program, ROWS)) for way in (_interpreted, _scalar)]
    apart = ways[0].view(np.int64) != ways[1].view(np.int64)
    is_missing = np.isnan(ways[0]) & np.isnan(ways[1])
    names = [*program.outputs]
    print(f"{len(names)} features, {len(program.steps)} steps, {ROWS:,} rows: differing numbers")
    for what, where in (("missing in both", is_missing), ("other", ~is_missing)):
        differing = (apart & where).sum(axis=1)
        found = {names[at]: int(n) for at, n in enumerate(differing) if n}
        print(f"{what}: {len(found)} features, {sum(found.values()):,} numbers: {[*found][:8]}")


def _registers(program: Program, rows: int) -> Any:
    """Registers with seeded inputs: of a number one in ten is missing."""
    drawn = np.random.default_rng(SEED)
    numbers = np.repeat(program.registers(STRING_TABLE.code)[:, None], rows, axis=1)
    wholes = numbers.view(np.int64)
    for register in program.inputs.values():
        if register.kind is Kind.NUMBER:
            row = drawn.gamma(1.0, 50.0, rows)
            numbers[register.place] = np.where(drawn.random(rows) < 0.1, np.nan, row)
        elif register.kind is Kind.CONDITION:
            wholes[register.place] = drawn.integers(0, 2, rows)
        else:
            wholes[register.place] = drawn.integers(1, 10**15, rows)
    return numbers


def _interpreted(program: Program) -> Any:
    places = [register.place for register in program.outputs.values()]
    template = RegisterTemplate(
        program.registers(STRING_TABLE.code),
        NO_PLACES,
        NO_PLACES,
        NO_PLACES,
        np.repeat(np.arange(len(program.constants))[:, None], 2, axis=1),
        program.steps,
    )

    def call(numbers: Any) -> Any:
        if numbers.shape[1] == 1:  # as a request is
            copies = CopiedColumns(np.arange(2), numbers)
            return run_rows(template, 1, np.empty(0), NO_PLACES, copies)[places]
        out = np.empty((len(places), numbers.shape[1]))
        for begin in range(0, numbers.shape[1], 4096):
            block = numbers[:, begin : begin + 4096].copy()
            execute(program.steps, block, block.view(np.int64))
            out[:, begin : begin + 4096] = block[places]
        return out

    return call


def _scalar(program: Program) -> Any:
    names: dict[str, Any] = {"np": np, "compiled": njit(error_model="numpy", nogil=True)}
    exec(_text(program), names)

    def call(numbers: Any) -> Any:
        out = np.empty((len(program.outputs), numbers.shape[1]))
        names["kernel"](numbers, numbers.view(np.int64), out, out.view(np.int64))
        return out

    return call


def _text(program: Program) -> str:
    """A function for each feature, and the kernel that calls them all."""
    made = {int(step[1]): step for step in program.steps}
    read_as_float = {each.place: each.kind.is_float for each in program.inputs.values()}
    fixed = {*read_as_float}
    for operation, to, a, b, c in program.steps.tolist():
        op = Op(operation)
        if op is Op.SELECT:  # the same bytes may be a constant of either kind
            known = [place for place in (b, c) if place in fixed] or [b]
            read_as_float[to] = read_as_float.get(known[0], True)
            read_as_float.setdefault(b, read_as_float[to])
            read_as_float.setdefault(c, read_as_float[to])
            fixed.add(to)
            continue
        fixed.add(to)
        takes_float = op < FIRST_WHOLE
        for place in _operands(op, (a, b, c)):
            read_as_float.setdefault(place, takes_float)
        read_as_float[to] = op in MAKES_FLOAT
    functions, calls = [], []
    for at, register in enumerate(program.outputs.values()):
        read, lines = _body(made, register.place)
        parameters = ", ".join(f"r{place}" for place in read)
        functions.append(
            f"@compiled\ndef feature_{at}({parameters}):\n"
            + "".join(f"    {line}\n" for line in lines)
            + f"    return r{register.place}\n"
        )
        cells = (f"{'numbers' if read_as_float[p] else 'wholes'}[{p}, i]" for p in read)
        to = "out" if register.kind.is_float else "whole_out"
        calls.append(f"        {to}[{at}, i] = feature_{at}({', '.join(cells)})\n")
    head = "@compiled\ndef kernel(numbers, wholes, out, whole_out):\n"
    return "\n".join(functions) + head + "    for i in range(out.shape[1]):\n" + "".join(calls)


def _operands(operation: Op, places: Iterable[int]) -> list[int]:
    return [place for at, place in enumerate(places) if f"{{{at}}}" in TEXT_OF[operation]]


def _body(made: dict[int, Any], place: int) -> tuple[list[int], list[str]]:
    """The places that one feature reads, and its lines."""
    needed, unread = set[int](), [place]
    while unread:
        each = unread.pop()
        if each not in needed:
            needed.add(each)
            if each in made:
                unread += _operands(Op(int(made[each][0])), map(int, made[each][2:]))
    lines = [
        f"r{each} = {TEXT_OF[Op(int(made[each][0]))].format(*(f'r{p}' for p in made[each][2:]))}"
        for each in sorted(needed & made.keys())
    ]
    return sorted(needed - made.keys()), lines


def _seconds(call: Any, numbers: Any) -> float:
    began = process_time()
    call(numbers)
    return process_time() - began


if __name__ == "__main__":
    main()
