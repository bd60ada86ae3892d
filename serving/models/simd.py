"""Eight-lane vectors for compiled functions, one wide processor register each.

numba has no vector types; these functions emit LLVM's, which run on every processor, in several
pieces where registers are narrower. Products and sums are never fused, so that all processors give
the same bits. Arrays are float64 [.., LANES]; indices are unsigned and unchecked.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from features.engine.numba_cache import inner
from serving.models.forest import Floats

Rule = tuple[Any, Callable[..., Any]]
Lanes = Any  # eight float64; exists only inside compiled functions

LANES = 8
# Numbers in a cache line; lanes that straddle two lines are slow.
_LINE = 8

_VECTOR = ir.VectorType(ir.DoubleType(), LANES)
_FIRST = ir.Constant(ir.VectorType(ir.IntType(32), LANES), [0] * LANES)


class _Lanes(types.Type):
    def __init__(self) -> None:
        super().__init__("lanes")


_LANES: Any = _Lanes()


@register_model(_Lanes)
class _Model(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _VECTOR)  # type: ignore[no-untyped-call]  # numba has no types


def _place(context: Any, builder: Any, kind: Any, array: Any, row: Any) -> Any:
    data = context.make_array(kind)(context, builder, array).data
    first = builder.gep(data, [builder.mul(row, ir.Constant(row.type, LANES))])
    return builder.bitcast(first, _VECTOR.as_pointer())


def _arithmetic(operation: str) -> Any:
    def of_two(_typing: Any, _one: Any, _other: Any) -> Rule:
        def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
            return getattr(builder, operation)(*values)

        return _LANES(_LANES, _LANES), generate

    return intrinsic(of_two)


def _load(_typing: Any, array: Any, _row: Any) -> Rule:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _place(context, builder, signature.args[0], *values)
        return builder.load(place, align=8)

    return _LANES(array, types.uint64), generate


def _store(_typing: Any, array: Any, _row: Any, _lanes: Any) -> Rule:
    def generate(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _place(context, builder, signature.args[0], *values[:2])
        builder.store(values[2], place, align=8)
        return context.get_dummy_value()

    return types.void(array, types.uint64, _LANES), generate


def _spread(_typing: Any, _number: Any) -> Rule:
    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        one = builder.insert_element(nothing, values[0], ir.Constant(ir.IntType(32), 0))
        return builder.shuffle_vector(one, nothing, _FIRST)

    return _LANES(types.float64), generate


def _total(_typing: Any, _lanes: Any) -> Rule:
    def generate(_context: Any, builder: Any, _signature: Any, values: Any) -> Any:
        (rest,), width = values, LANES
        while width > 1:
            width //= 2
            halves = [_some_of(builder, rest, first, width) for first in (0, width)]
            rest = builder.fadd(*halves)
        return builder.extract_element(rest, ir.Constant(ir.IntType(32), 0))

    return types.float64(_LANES), generate


def _some_of(builder: Any, lanes: Any, first: int, width: int) -> Any:
    picked = ir.Constant(ir.VectorType(ir.IntType(32), width), list(range(first, first + width)))
    return builder.shuffle_vector(lanes, ir.Constant(lanes.type, ir.Undefined), picked)


add = _arithmetic("fadd")
subtract = _arithmetic("fsub")
multiply = _arithmetic("fmul")
divide = _arithmetic("fdiv")

# `load(array, row)`: the lanes in a row of an array.
load: Any = intrinsic(_load)

# `store(array, row, lanes)`: write lanes into a row of an array.
store: Any = intrinsic(_store)

# `spread(number)`: the same number in every lane.
spread: Any = intrinsic(_spread)

# `total(lanes)`: the sum of all lanes, half added to half.
total: Any = intrinsic(_total)


@inner
def empty(rows: int) -> Floats:
    """Return an array [rows, LANES] that is aligned to a cache line."""
    room = np.empty((rows + 1) * LANES)
    first = -(room.ctypes.data // room.itemsize) % _LINE
    return room[first : first + rows * LANES].reshape((rows, LANES))
