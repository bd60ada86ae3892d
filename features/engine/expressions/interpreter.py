"""Interpreter of programs: runs each instruction over a whole block of rows.

Each branch calls numpy's ufunc of that name as numba compiles it, without permission to reorder, so
the result of a row depends only on that row. Only comparisons are few and small enough for the
compiler to hoist the choice of operation out of the loop.
"""

import numpy as np

from features.engine.columns import Column
from features.engine.expressions.opcodes import (
    FIRST_MOVE,
    FIRST_TEST,
    FIRST_UNARY,
    FIRST_WHOLE,
    FIRST_WHOLE_TEST,
    Op,
)
from features.engine.numba_cache import F, compiled, inlined


def _arm(function: F) -> F:
    """Compile a function that is called rather than inlined.

    These loops would take seconds to compile within each caller.
    """
    return compiled(error_model="numpy", no_cpython_wrapper=True)(function)


@compiled(nogil=True)
def execute(steps: Column, tables: Column, numbers: Column, wholes: Column) -> None:
    """Run every step on the registers."""
    run(steps, tables, numbers, wholes)


@inlined
def run(  # noqa: C901 - a switch
    steps: Column, tables: Column, numbers: Column, wholes: Column
) -> None:
    """Run every step on the registers, within a compiled caller.

    A step is an operation, the register it writes and up to three registers it reads. For a lookup
    these are the register of indexes, then the start and the number of cells in `tables`. `numbers`
    and `wholes` are the same memory, one row per register, viewed as float64 and as int64.
    """
    for step in range(len(steps)):
        # Opcodes are grouped by operand types, so that a range test selects the kernel.
        operation, to, a, b, c = steps[step]
        if operation < FIRST_UNARY:
            _combine(operation, numbers[a], numbers[b], numbers[to])
        elif operation < FIRST_TEST:
            _change(operation, numbers[a], numbers[to])
        elif operation < FIRST_WHOLE:
            _test(operation, numbers[a], numbers[b], wholes[to])
        elif operation < FIRST_WHOLE_TEST:
            _combine_wholes(operation, wholes[a], wholes[b], wholes[to])
        elif operation < FIRST_MOVE:
            _test_wholes(operation, wholes[a], wholes[b], wholes[to])
        elif operation == Op.AS_NUMBER:
            _as_number(wholes[a], numbers[to])
        elif operation == Op.LOOK_UP:
            _look_up(numbers[a], tables[b : b + c], numbers[to])
        else:
            _select(wholes[a], wholes[b], wholes[c], wholes[to])


@_arm
def _combine(operation: int, a: Column, b: Column, to: Column) -> None:  # noqa: C901 - a switch
    if operation == Op.ADD:
        np.add(a, b, to)
    elif operation == Op.SUBTRACT:
        np.subtract(a, b, to)
    elif operation == Op.MULTIPLY:
        np.multiply(a, b, to)
    elif operation == Op.DIVIDE:
        np.divide(a, b, to)
    elif operation == Op.REMAINDER:
        _remainder(a, b, to)
    elif operation == Op.MAXIMUM:
        np.maximum(a, b, to)
    elif operation == Op.MINIMUM:
        np.minimum(a, b, to)
    elif operation == Op.FMAX:
        np.fmax(a, b, to)


@_arm
def _change(operation: int, a: Column, to: Column) -> None:
    if operation == Op.RINT:
        np.rint(a, to)
    elif operation == Op.SQRT:
        np.sqrt(a, to)
    elif operation == Op.SIN:
        np.sin(a, to)
    elif operation == Op.COS:
        np.cos(a, to)
    elif operation == Op.ARCSIN:
        np.arcsin(a, to)
    elif operation == Op.LOG:
        np.log(a, to)
    elif operation == Op.EXP:
        np.exp(a, to)


@_arm
def _test(operation: int, a: Column, b: Column, to: Column) -> None:
    for row in range(len(to)):
        if operation == Op.LESS:
            to[row] = a[row] < b[row]
        elif operation == Op.LESS_EQUAL:
            to[row] = a[row] <= b[row]
        elif operation == Op.EQUAL:
            to[row] = a[row] == b[row]
        elif operation == Op.NOT_EQUAL:
            to[row] = a[row] != b[row]


@_arm
def _combine_wholes(operation: int, a: Column, b: Column, to: Column) -> None:
    if operation == Op.WHOLE_SUBTRACT:
        np.subtract(a, b, to)
    elif operation in (Op.WHOLE_REMAINDER, Op.WHOLE_FLOOR_DIVIDE):
        _divide_wholes(a, b, to, operation == Op.WHOLE_REMAINDER)
    elif operation == Op.WHOLE_AND:
        np.bitwise_and(a, b, to)
    elif operation == Op.WHOLE_OR:
        np.bitwise_or(a, b, to)
    elif operation == Op.WHOLE_XOR:
        np.bitwise_xor(a, b, to)


@_arm
def _remainder(a: Column, b: Column, to: Column) -> None:
    """Compute the remainder as numpy does: it has the sign of the divisor, even if it is zero."""
    for row in range(len(to)):
        rest = np.fmod(a[row], b[row])
        if rest == 0:
            to[row] = np.copysign(0.0, b[row])
        else:
            to[row] = rest + b[row] if (b[row] < 0) != (rest < 0) else rest


@_arm
def _divide_wholes(a: Column, b: Column, to: Column, is_remainder: bool) -> None:
    """Divide whole numbers, with numpy's results for divisors 0 and -1.

    The processor traps on division by 0, and on dividing the smallest int64 by -1.
    """
    for row in range(len(to)):
        if b[row] == 0 or (is_remainder and b[row] == -1):
            to[row] = 0
        elif b[row] == -1:
            to[row] = -a[row]
        else:
            to[row] = a[row] % b[row] if is_remainder else a[row] // b[row]


@_arm
def _test_wholes(operation: int, a: Column, b: Column, to: Column) -> None:
    for row in range(len(to)):
        if operation == Op.WHOLE_LESS:
            to[row] = a[row] < b[row]
        elif operation == Op.WHOLE_LESS_EQUAL:
            to[row] = a[row] <= b[row]
        elif operation == Op.WHOLE_EQUAL:
            to[row] = a[row] == b[row]
        elif operation == Op.WHOLE_NOT_EQUAL:
            to[row] = a[row] != b[row]


@_arm
def _as_number(wholes: Column, to: Column) -> None:
    for row in range(len(to)):
        to[row] = wholes[row]


@_arm
def _look_up(places: Column, table: Column, to: Column) -> None:
    for row in range(len(to)):
        to[row] = table[int(places[row])] if 0 <= places[row] < len(table) else np.nan


@_arm
def _select(condition: Column, a: Column, b: Column, to: Column) -> None:
    for row in range(len(to)):
        to[row] = a[row] if condition[row] else b[row]
