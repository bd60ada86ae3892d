"""The compiled machine: instructions over registers, a whole block of rows at each step.

Each arm is numpy's function of one value as numba compiles it, without any licence to reorder, so
that a row's result depends on nothing but the row. Which arm it is does not change from row to row:
the compiler takes the question out of the loop.
"""

import numpy as np

from features.columns import Column
from features.compiled import compiled, inlined, inner
from features.program.operations import (
    FIRST_MOVE,
    FIRST_TEST,
    FIRST_UNARY,
    FIRST_WHOLE,
    FIRST_WHOLE_TEST,
    Op,
)


@compiled(nogil=True)
def execute(steps: Column, numbers: Column, wholes: Column) -> None:
    """Run every step on the registers."""
    run(steps, numbers, wholes)


@inlined
def run(steps: Column, numbers: Column, wholes: Column) -> None:
    """Run every step on the registers, in a compiled function.

    A step is an operation, the register it writes and up to three that it reads. `numbers` and
    `wholes` are the same memory, one row per register, as float64 and as int64.
    """
    for step in range(len(steps)):
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
        else:
            _select(wholes[a], wholes[b], wholes[c], wholes[to])


@inner(error_model="numpy")
def _combine(operation: int, a: Column, b: Column, to: Column) -> None:  # noqa: C901 - a switch
    for row in range(len(to)):
        if operation == Op.ADD:
            to[row] = a[row] + b[row]
        elif operation == Op.SUBTRACT:
            to[row] = a[row] - b[row]
        elif operation == Op.MULTIPLY:
            to[row] = a[row] * b[row]
        elif operation == Op.DIVIDE:
            to[row] = a[row] / b[row]
        elif operation == Op.REMAINDER:
            to[row] = _remainder(a[row], b[row])
        elif operation == Op.FLOOR_DIVIDE:
            to[row] = _floor_divide(a[row], b[row])
        elif operation == Op.MAXIMUM:
            to[row] = np.maximum(a[row], b[row])
        elif operation == Op.MINIMUM:
            to[row] = np.minimum(a[row], b[row])
        elif operation == Op.FMAX:
            to[row] = np.fmax(a[row], b[row])
        elif operation == Op.FMIN:
            to[row] = np.fmin(a[row], b[row])
        elif operation == Op.POWER:
            to[row] = np.power(a[row], b[row])


@inner(error_model="numpy")
def _change(operation: int, a: Column, to: Column) -> None:  # noqa: C901, PLR0912 - a switch
    for row in range(len(to)):
        if operation == Op.NEGATIVE:
            to[row] = np.negative(a[row])
        elif operation == Op.ABSOLUTE:
            to[row] = np.absolute(a[row])
        elif operation == Op.RINT:
            to[row] = np.rint(a[row])
        elif operation == Op.FLOOR:
            to[row] = np.floor(a[row])
        elif operation == Op.CEIL:
            to[row] = np.ceil(a[row])
        elif operation == Op.SQRT:
            to[row] = np.sqrt(a[row])
        elif operation == Op.SIN:
            to[row] = np.sin(a[row])
        elif operation == Op.COS:
            to[row] = np.cos(a[row])
        elif operation == Op.ARCSIN:
            to[row] = np.arcsin(a[row])
        elif operation == Op.LOG:
            to[row] = np.log(a[row])
        elif operation == Op.LOG1P:
            to[row] = np.log1p(a[row])
        elif operation == Op.EXP:
            to[row] = np.exp(a[row])


@inner(error_model="numpy")
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
        elif operation == Op.ISFINITE:
            to[row] = np.isfinite(a[row])


@inner(error_model="numpy")
def _combine_wholes(operation: int, a: Column, b: Column, to: Column) -> None:  # noqa: C901 - a switch
    for row in range(len(to)):
        if operation == Op.WHOLE_ADD:
            to[row] = a[row] + b[row]
        elif operation == Op.WHOLE_SUBTRACT:
            to[row] = a[row] - b[row]
        elif operation == Op.WHOLE_MULTIPLY:
            to[row] = a[row] * b[row]
        elif operation == Op.WHOLE_REMAINDER:
            to[row] = _whole_remainder(a[row], b[row])
        elif operation == Op.WHOLE_FLOOR_DIVIDE:
            to[row] = _whole_floor_divide(a[row], b[row])
        elif operation == Op.WHOLE_MAXIMUM:
            to[row] = max(a[row], b[row])
        elif operation == Op.WHOLE_MINIMUM:
            to[row] = min(a[row], b[row])
        elif operation == Op.WHOLE_AND:
            to[row] = a[row] & b[row]
        elif operation == Op.WHOLE_OR:
            to[row] = a[row] | b[row]
        elif operation == Op.WHOLE_XOR:
            to[row] = a[row] ^ b[row]


@inner(error_model="numpy")
def _remainder(a: float, b: float) -> float:
    """As numpy does it: of the divisor's sign, a zero too."""
    rest = np.fmod(a, b)
    if rest == 0:
        return np.copysign(0.0, b)
    return rest + b if (b < 0) != (rest < 0) else rest


@inner(error_model="numpy")
def _floor_divide(a: float, b: float) -> float:
    """As numpy does it, by way of the exact remainder."""
    rest = np.fmod(a, b)
    whole = (a - rest) / b
    if rest != 0 and (b < 0) != (rest < 0):
        whole -= 1
    if b == 0:
        return a / b
    if whole == 0:
        return np.copysign(0.0, a / b)
    floor = np.floor(whole)
    return floor + 1 if whole - floor > 0.5 else floor


@inner(error_model="numpy")
def _whole_remainder(a: int, b: int) -> int:
    """Division by 0, and by -1 of what has no opposite, kills a processor: numpy's answers."""
    return 0 if -1 <= b <= 0 else a % b


@inner(error_model="numpy")
def _whole_floor_divide(a: int, b: int) -> int:
    """As `_whole_remainder`."""
    if b == 0:
        return 0
    return -a if b == -1 else a // b


@inner(error_model="numpy")
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


@inner(error_model="numpy")
def _as_number(wholes: Column, to: Column) -> None:
    for row in range(len(to)):
        to[row] = wholes[row]


@inner(error_model="numpy")
def _select(condition: Column, a: Column, b: Column, to: Column) -> None:
    for row in range(len(to)):
        to[row] = a[row] if condition[row] else b[row]
