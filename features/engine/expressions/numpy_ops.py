"""Translation of numpy functions into operations of the interpreter, by kinds of operands.

Kinds follow numpy: a condition combined with whole numbers counts as 0 or 1, and a whole number
combined with a float becomes a float. Operations whose numpy result is unlikely to be intended,
such as the sum of two conditions or an order of texts, are refused.
"""

from collections.abc import Callable, Iterable, Mapping
from functools import partial, reduce
from typing import Any, NoReturn

import numpy as np

from features.engine.columns import Kind
from features.engine.expressions.opcodes import Op
from features.engine.expressions.trace import Trace, Traced, Translation, as_number

_COUNTABLE = (Kind.CONDITION, Kind.WHOLE, Kind.NUMBER)


def _alike(trace: Trace, *values: Traced) -> tuple[Kind, tuple[Traced, ...]]:
    """Return the common kind of values, and the values converted to it."""
    kinds = {value.kind for value in values if not _is_missing_code(value)}
    if Kind.TEXT in kinds or not kinds:
        if len(kinds) > 1:
            trace.refuse("a text stands beside what is no text")
        return Kind.TEXT if kinds else Kind.WHOLE, values
    kind = max(kinds | {value.kind for value in values}, key=_COUNTABLE.index)
    return kind, tuple(map(as_number, values)) if kind is Kind.NUMBER else values


def _is_missing_code(value: Traced) -> bool:
    """Return whether this is the whole number -1, which marks a missing text in comparisons."""
    return value.kind is Kind.WHOLE and value.constant == -1


def _number(op: Op, trace: Trace, *values: Traced) -> Traced:
    """Return a float64 result; whole numbers are converted, as numpy does here."""
    kind, alike = _alike(trace, *values)
    if kind not in (Kind.NUMBER, Kind.WHOLE):
        _refuse_kind(trace, op, kind=kind)
    return trace.step(op, Kind.NUMBER, *map(as_number, alike))


def _by_kind(ops: Mapping[Kind, Op], trace: Trace, *values: Traced) -> Traced:
    """Return the result of the operation for the values' kind, which is of the same kind."""
    kind, alike = _alike(trace, *values)
    if kind not in ops:
        _refuse_kind(trace, *ops.values(), kind=kind)
    return trace.step(ops[kind], kind, *alike)


def _refuse_kind(trace: Trace, op: Op, *_: Op, kind: Kind) -> NoReturn:
    trace.refuse(f"it takes {op.name.lower()} of a {kind.name.lower()}")


def _compared(number: Op, whole: Op, trace: Trace, a: Traced, b: Traced) -> Traced:
    kind, alike = _alike(trace, a, b)
    if kind is Kind.TEXT and whole not in (Op.WHOLE_EQUAL, Op.WHOLE_NOT_EQUAL):
        trace.refuse("it asks which of two texts is less")
    return trace.step(number if kind is Kind.NUMBER else whole, Kind.CONDITION, *alike)


def _swapped(compared: Translation, trace: Trace, a: Traced, b: Traced) -> Traced:
    return compared(trace, b, a)


def _joined(op: Op, trace: Trace, a: Traced, b: Traced) -> Traced:
    return trace.step(op, Kind.CONDITION, _condition(trace, a), _condition(trace, b))


def _condition(trace: Trace, value: Traced) -> Traced:
    if value.kind is not Kind.CONDITION:
        trace.refuse(f"it takes a {value.kind.name.lower()} for a condition")
    return value


def _not(trace: Trace, value: Traced) -> Traced:
    return _joined(Op.WHOLE_XOR, trace, value, trace.whole(1, Kind.CONDITION))


def _isnan(trace: Trace, value: Traced) -> Traced:
    number = as_number(value)
    # Only NaN differs from itself.
    return trace.step(Op.NOT_EQUAL, Kind.CONDITION, number, number)


def _squared(trace: Trace, value: Traced) -> Traced:
    return TRANSLATED[np.multiply](trace, value, value)


def _power(trace: Trace, base: Traced, exponent: Traced) -> Traced:
    if exponent.constant != 2:
        trace.refuse("it raises to another power than 2")
    return _squared(trace, base)


def _radians(trace: Trace, degrees: Traced) -> Traced:
    # A multiplication, as `np.radians` computes it.
    return trace.step(Op.MULTIPLY, Kind.NUMBER, as_number(degrees), trace.number(np.pi / 180))


def _where(trace: Trace, condition: Traced, a: Any, b: Any) -> Traced:
    kind, alike = _alike(trace, trace.operand(a), trace.operand(b))
    return trace.step(Op.SELECT, kind, _condition(trace, trace.operand(condition)), *alike)


def _isin(trace: Trace, value: Traced, among: Iterable[Any]) -> Traced:
    equals = TRANSLATED[np.equal]
    found = [equals(trace, value, trace.operand(one)) for one in among]
    return reduce(partial(_joined, Op.WHOLE_OR, trace), found, trace.whole(0, Kind.CONDITION))


def _clip(trace: Trace, value: Any, least: Any, most: Any) -> Traced:
    at_least = TRANSLATED[np.maximum](trace, trace.operand(value), trace.operand(least))
    return TRANSLATED[np.minimum](trace, at_least, trace.operand(most))


def _full_like(trace: Trace, like: Traced, value: Any, dtype: Any = None) -> Traced:
    return trace.operand(value) if dtype is None else trace.operand(value).astype(dtype)


_less = partial(_compared, Op.LESS, Op.WHOLE_LESS)
_less_equal = partial(_compared, Op.LESS_EQUAL, Op.WHOLE_LESS_EQUAL)
_and, _or, _xor = (partial(_joined, op) for op in (Op.WHOLE_AND, Op.WHOLE_OR, Op.WHOLE_XOR))

# Maps a numpy function to the translation that returns the stand-in of its result.
TRANSLATED: dict[Callable[..., Any], Translation] = {
    np.add: partial(_by_kind, {Kind.NUMBER: Op.ADD}),
    np.subtract: partial(_by_kind, {Kind.NUMBER: Op.SUBTRACT, Kind.WHOLE: Op.WHOLE_SUBTRACT}),
    np.multiply: partial(_by_kind, {Kind.NUMBER: Op.MULTIPLY}),
    np.divide: partial(_number, Op.DIVIDE),
    np.remainder: partial(_by_kind, {Kind.NUMBER: Op.REMAINDER, Kind.WHOLE: Op.WHOLE_REMAINDER}),
    np.floor_divide: partial(_by_kind, {Kind.WHOLE: Op.WHOLE_FLOOR_DIVIDE}),
    np.maximum: partial(_by_kind, {Kind.NUMBER: Op.MAXIMUM}),
    np.minimum: partial(_by_kind, {Kind.NUMBER: Op.MINIMUM}),
    np.fmax: partial(_by_kind, {Kind.NUMBER: Op.FMAX}),
    np.power: _power,
    np.square: _squared,
    np.rint: partial(_number, Op.RINT),
    np.sqrt: partial(_number, Op.SQRT),
    np.sin: partial(_number, Op.SIN),
    np.cos: partial(_number, Op.COS),
    np.arcsin: partial(_number, Op.ARCSIN),
    np.log: partial(_number, Op.LOG),
    np.exp: partial(_number, Op.EXP),
    np.radians: _radians,
    np.less: _less,
    np.less_equal: _less_equal,
    np.greater: partial(_swapped, _less),
    np.greater_equal: partial(_swapped, _less_equal),
    np.equal: partial(_compared, Op.EQUAL, Op.WHOLE_EQUAL),
    np.not_equal: partial(_compared, Op.NOT_EQUAL, Op.WHOLE_NOT_EQUAL),
    np.isnan: _isnan,
    np.logical_and: _and,
    np.logical_or: _or,
    np.logical_xor: _xor,
    np.logical_not: _not,
    np.bitwise_and: _and,
    np.bitwise_or: _or,
    np.bitwise_xor: _xor,
    np.invert: _not,
    np.where: _where,
    np.isin: _isin,
    np.clip: _clip,
    np.full_like: _full_like,
}
