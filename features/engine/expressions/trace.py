"""Tracing: functions of columns are called with stand-ins that record the operations.

A stand-in (`Traced`) has a `dtype`, works with the numpy functions in `numpy_ops`, and converts to
float64 by `astype`. Any other use raises TidegateError with the name of the function: a loop, a
truth value, an element, a reduction over rows.
"""

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from numbers import Integral, Real
from typing import Any, NoReturn

import numpy as np

from features.engine.columns import Kind
from features.engine.expressions.opcodes import Op
from features.errors import TidegateError


@dataclass(frozen=True)
class Step:
    """Operation on earlier values, given by their positions in the trace, and its lookup table."""

    op: Op
    reads: tuple[int, ...]
    table: bytes = b""


@dataclass(frozen=True)
class Constant:
    """Cell with the same value in every row, as its eight bytes."""

    cell: bytes


@dataclass(frozen=True)
class Literal:
    """Text whose code is known only when the program runs."""

    text: str


@dataclass(frozen=True)
class InputColumn:
    """Column that is read, and the key under which it is given."""

    key: Hashable
    kind: Kind


@dataclass(frozen=True)
class Mapped:
    """Key of the values that a function computes from each text of the column `key`."""

    key: Hashable
    function: Callable[[str], Any]
    kind: Kind


TracedValue = Step | Constant | Literal | InputColumn


# Translates a call of a numpy function into steps; returns the stand-in of the result.
Translation = Callable[..., "Traced"]


@dataclass
class Trace:
    """Record of a trace: each distinct value once, after the values it is computed from.

    `translations` holds the numpy functions that may be called.
    """

    translations: Mapping[Callable[..., Any], Translation]
    values: dict[TracedValue, int] = field(default_factory=dict)
    function: str = "a function"

    def note(self, value: TracedValue, kind: Kind, constant: float | None = None) -> "Traced":
        """Return the stand-in of a value; an equal value recorded before is reused."""
        place = self.values.setdefault(value, len(self.values))
        return Traced(self, value, place, kind, constant)

    def step(self, op: Op, kind: Kind, *reads: "Traced") -> "Traced":
        """Return the stand-in of an operation's result."""
        return self.note(Step(op, tuple(value.place for value in reads)), kind)

    def number(self, value: float) -> "Traced":
        """Return the stand-in of a constant float64."""
        return self.note(Constant(np.float64(value).tobytes()), Kind.NUMBER, value)

    def whole(self, value: int, kind: Kind = Kind.WHOLE) -> "Traced":
        """Return the stand-in of a constant int64, or of a condition."""
        return self.note(Constant(np.int64(value).tobytes()), kind, value)

    def operand(self, value: Any) -> "Traced":
        """Return the stand-in of an operand: a column, a number or a text."""
        if isinstance(value, Traced):
            return value
        if isinstance(value, str):
            return self.note(Literal(value), Kind.TEXT)
        # Before integers, because a bool is one.
        if isinstance(value, bool | np.bool_):
            return self.whole(int(value), Kind.CONDITION)
        if isinstance(value, Integral):
            return self.whole(int(value))
        if isinstance(value, Real):
            return self.number(float(value))
        return self.refuse(f"{type(value).__name__} {value!r} stands beside a column")

    def refuse(self, what: str) -> NoReturn:
        """Raise TidegateError that names the function being traced."""
        raise TidegateError(
            f"{self.function} cannot be traced: {what}; want ufuncs of numpy, np.where, np.isin and"
            " np.clip over whole columns, and a column of its own for what a text implies"
        )


def as_number(value: "Traced") -> "Traced":
    """Return a whole number or condition as float64; refuse a text."""
    if value.kind is Kind.NUMBER:
        return value
    if value.kind is Kind.TEXT:
        value.trace.refuse("it reckons with a text")
    # Converting a constant now saves a step at run time.
    if value.constant is not None:
        return value.trace.number(float(value.constant))
    return value.trace.step(Op.AS_NUMBER, Kind.NUMBER, value)


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """Stand-in for a column; `constant` is its value if it is one and the same number."""

    __hash__ = None  # type: ignore[assignment]  # numbers that compare have none

    def __init__(
        self, trace: Trace, value: TracedValue, place: int, kind: Kind, constant: float | None
    ) -> None:
        self.trace, self.value, self.place, self.kind = trace, value, place, kind
        self.constant = constant

    @property
    def dtype(self) -> np.dtype[Any]:
        """Dtype of the column outside the interpreter."""
        return self.kind.value

    def astype(self, dtype: Any, **_: Any) -> "Traced":
        """Return the column as float64; other types are refused."""
        if np.dtype(dtype) != np.float64:
            self.trace.refuse(f"it makes {np.dtype(dtype)} of a column")
        return as_number(self)

    def mapped(self, function: Callable[[str], Any], dtype: type) -> "Traced":
        """Return the stand-in of a function of a text column, as an input of its own."""
        kind = Kind(np.dtype(dtype))
        if not isinstance(self.value, InputColumn) or self.kind is not Kind.TEXT:
            self.trace.refuse(f"it asks for {function.__name__} of what is no text column")
        return self.trace.note(InputColumn(Mapped(self.value.key, function, kind), kind), kind)

    def looked_up(self, table: Any) -> "Traced":
        """Return the stand-in of the table's cells at the indexes in the column."""
        place = as_number(self).place
        return self.trace.note(Step(Op.LOOK_UP, (place,), table.tobytes()), Kind.NUMBER)

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *values: Any, **how: Any) -> "Traced":
        if method != "__call__" or how or ufunc not in self.trace.translations:
            self.trace.refuse(f"it calls np.{ufunc.__name__} ({method} {[*how]})")
        return self.trace.translations[ufunc](self.trace, *map(self.trace.operand, values))

    def __array_function__(
        self, function: Callable[..., Any], types: Any, values: Any, how: dict[str, Any]
    ) -> "Traced":
        if function not in self.trace.translations:
            self.trace.refuse(f"it calls np.{function.__name__}")
        return self.trace.translations[function](self.trace, *values, **how)

    def __bool__(self) -> bool:  # noqa: PLE0304  it always raises
        self.trace.refuse("it asks whether a column is true")

    def __iter__(self) -> Any:
        self.trace.refuse("it loops over a column")

    def __len__(self) -> int:  # noqa: PLE0303  it always raises
        self.trace.refuse("it asks how many rows there are")

    def __getitem__(self, which: object) -> Any:
        self.trace.refuse("it takes single rows")

    def __float__(self) -> float:
        self.trace.refuse("it makes one number of a column")

    def __array__(self, *_: Any, **__: Any) -> Any:
        self.trace.refuse("it makes another array of a column")

    def __getattr__(self, name: str) -> Any:
        # Protocol lookups of numpy and copy must fail in the usual way.
        if name.startswith("__"):
            raise AttributeError(name)
        self.trace.refuse(f"it asks for .{name} of a column")
