"""What each function of numpy is in operations of the machine, for the kinds it is given.

Kinds follow numpy: a condition beside whole numbers counts as 0 or 1, a whole number beside a float
becomes one. Where numpy would give an answer that is hardly meant, such as the sum of two
conditions or a text that is less than another, the translation refuses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial, reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from features.engine.expressions.opcodes import Kind, Op

if TYPE_CHECKING:
    from features.engine.expressions.tracing import Trace, Traced

Translation = Callable[..., "Traced"]
_COUNTABLE = (Kind.CONDITION, Kind.WHOLE, Kind.NUMBER)


def as_number(value: Traced) -> Traced:
    """A whole number or condition as float64; a text is refused."""
    if value.kind is Kind.NUMBER:
        return value
    if value.kind is Kind.TEXT:
        value.trace.refuse("it reckons with a text")
    if value.constant is not None:
        return value.trace.number(float(value.constant))
    return value.trace.step(Op.AS_NUMBER, Kind.NUMBER, value)


def _alike(trace: Trace, *values: Traced) -> tuple[Kind, tuple[Traced, ...]]:
    """The kind that values have together, and the values in it."""
    kinds = {value.kind for value in values if not _is_missing_code(value)}
    if Kind.TEXT in kinds or not kinds:
        if len(kinds) > 1:
            trace.refuse("a text stands beside what is no text")
        return Kind.TEXT if kinds else Kind.WHOLE, values
    kind = max(kinds | {value.kind for value in values}, key=_COUNTABLE.index)
    return kind, tuple(map(as_number, values)) if kind is Kind.NUMBER else values


def _is_missing_code(value: Traced) -> bool:
    """Whether this is the whole number -1, which beside a text says that there is none."""
    return value.kind is Kind.WHOLE and value.constant == -1


def _reckoned(number: Op, whole: Op | None, trace: Trace, *values: Traced) -> Traced:
    """float64 of float64, and int64 of int64 where there is such an operation."""
    kind, alike = _alike(trace, *values)
    if kind is Kind.NUMBER or (whole is None and kind is Kind.WHOLE):
        return trace.step(number, Kind.NUMBER, *map(as_number, alike))
    if kind is not Kind.WHOLE or whole is None:
        trace.refuse(f"it reckons with nothing but a {kind.name.lower()}: {number.name.lower()}")
    return trace.step(whole, kind, *alike)


def _only_floats(number: Op, trace: Trace, value: Traced) -> Traced:
    """float64 of float64 alone, where numpy keeps whole numbers whole."""
    if value.kind is not Kind.NUMBER:
        trace.refuse(f"it takes {number.name.lower()} of a {value.kind.name.lower()}")
    return trace.step(number, Kind.NUMBER, value)


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
    return trace.step(Op.NOT_EQUAL, Kind.CONDITION, number, number)


def _isfinite(trace: Trace, value: Traced) -> Traced:
    number = as_number(value)
    return trace.step(Op.ISFINITE, Kind.CONDITION, number, number)


def _squared(trace: Trace, value: Traced) -> Traced:
    return TRANSLATED[np.multiply](trace, value, value)


def _power(trace: Trace, base: Traced, exponent: Traced) -> Traced:
    if exponent.constant == 2:
        return _squared(trace, base)
    return trace.step(Op.POWER, Kind.NUMBER, as_number(base), as_number(exponent))


def _radians(trace: Trace, degrees: Traced) -> Traced:
    return trace.step(Op.MULTIPLY, Kind.NUMBER, as_number(degrees), trace.number(np.pi / 180))


def _where(trace: Trace, condition: Traced, a: Any, b: Any) -> Traced:
    kind, alike = _alike(trace, trace.beside(a), trace.beside(b))
    return trace.step(Op.SELECT, kind, _condition(trace, trace.beside(condition)), *alike)


def _isin(trace: Trace, value: Traced, among: Iterable[Any]) -> Traced:
    equals = TRANSLATED[np.equal]
    found = [equals(trace, value, trace.beside(one)) for one in among]
    return reduce(partial(_joined, Op.WHOLE_OR, trace), found, trace.whole(0, Kind.CONDITION))


def _clip(trace: Trace, value: Any, least: Any, most: Any) -> Traced:
    at_least = TRANSLATED[np.maximum](trace, trace.beside(value), trace.beside(least))
    return TRANSLATED[np.minimum](trace, at_least, trace.beside(most))


def _full_like(trace: Trace, like: Traced, value: Any, dtype: Any = None) -> Traced:
    return trace.beside(value) if dtype is None else trace.beside(value).astype(dtype)


_less = partial(_compared, Op.LESS, Op.WHOLE_LESS)
_less_equal = partial(_compared, Op.LESS_EQUAL, Op.WHOLE_LESS_EQUAL)
_and, _or, _xor = (partial(_joined, op) for op in (Op.WHOLE_AND, Op.WHOLE_OR, Op.WHOLE_XOR))

TRANSLATED: dict[Callable[..., Any], Translation] = {
    np.add: partial(_reckoned, Op.ADD, Op.WHOLE_ADD),
    np.subtract: partial(_reckoned, Op.SUBTRACT, Op.WHOLE_SUBTRACT),
    np.multiply: partial(_reckoned, Op.MULTIPLY, Op.WHOLE_MULTIPLY),
    np.divide: partial(_reckoned, Op.DIVIDE, None),
    np.remainder: partial(_reckoned, Op.REMAINDER, Op.WHOLE_REMAINDER),
    np.floor_divide: partial(_reckoned, Op.FLOOR_DIVIDE, Op.WHOLE_FLOOR_DIVIDE),
    np.maximum: partial(_reckoned, Op.MAXIMUM, Op.WHOLE_MAXIMUM),
    np.minimum: partial(_reckoned, Op.MINIMUM, Op.WHOLE_MINIMUM),
    np.fmax: partial(_reckoned, Op.FMAX, Op.WHOLE_MAXIMUM),
    np.fmin: partial(_reckoned, Op.FMIN, Op.WHOLE_MINIMUM),
    np.power: _power,
    np.square: _squared,
    np.negative: partial(_only_floats, Op.NEGATIVE),
    np.absolute: partial(_only_floats, Op.ABSOLUTE),
    np.floor: partial(_only_floats, Op.FLOOR),
    np.ceil: partial(_only_floats, Op.CEIL),
    np.rint: partial(_reckoned, Op.RINT, None),
    np.sqrt: partial(_reckoned, Op.SQRT, None),
    np.sin: partial(_reckoned, Op.SIN, None),
    np.cos: partial(_reckoned, Op.COS, None),
    np.arcsin: partial(_reckoned, Op.ARCSIN, None),
    np.log: partial(_reckoned, Op.LOG, None),
    np.log1p: partial(_reckoned, Op.LOG1P, None),
    np.exp: partial(_reckoned, Op.EXP, None),
    np.radians: _radians,
    np.less: _less,
    np.less_equal: _less_equal,
    np.greater: partial(_swapped, _less),
    np.greater_equal: partial(_swapped, _less_equal),
    np.equal: partial(_compared, Op.EQUAL, Op.WHOLE_EQUAL),
    np.not_equal: partial(_compared, Op.NOT_EQUAL, Op.WHOLE_NOT_EQUAL),
    np.isnan: _isnan,
    np.isfinite: _isfinite,
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
"""By ufunc or function of numpy: the trace and its arguments -> the stand-in for its result."""
