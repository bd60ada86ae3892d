"""Functions of columns, called with stand-ins that note what is done to them.

A stand-in (`Traced`) has a `dtype`, takes part in what `numpy_ops` knows of numpy, and becomes
float64 by `astype`. Whatever else a function does with it raises TidegateError with the
function's name: a loop, a truth value, an element, a reduction over rows.
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
    """One operation on earlier values, by their places in the trace, and the table it looks in."""

    op: Op
    reads: tuple[int, ...]
    table: bytes = b""


@dataclass(frozen=True)
class Constant:
    """A cell that is the same in every row, as its eight bytes."""

    cell: bytes


@dataclass(frozen=True)
class Literal:
    """A text, whose code the caller will know."""

    text: str


@dataclass(frozen=True)
class InputColumn:
    """A column that is read, by the key under which it is given."""

    key: Hashable
    kind: Kind


@dataclass(frozen=True)
class Mapped:
    """The key of what a function makes of each text of the column `key`."""

    key: Hashable
    function: Callable[[str], Any]
    kind: Kind


TracedValue = Step | Constant | Literal | InputColumn


# What a function of numpy is in steps: of a trace and the function's arguments, its result.
Translation = Callable[..., "Traced"]


@dataclass
class Trace:
    """Notes of a trace: each different value once, after those that it is made of.

    `translations` are of the functions of numpy that may be called.
    """

    translations: Mapping[Callable[..., Any], Translation]
    values: dict[TracedValue, int] = field(default_factory=dict)
    function: str = "a function"

    def note(self, value: TracedValue, kind: Kind, constant: float | None = None) -> "Traced":
        """The stand-in for a value, which is an earlier one if the same was noted before."""
        place = self.values.setdefault(value, len(self.values))
        return Traced(self, value, place, kind, constant)

    def step(self, op: Op, kind: Kind, *reads: "Traced") -> "Traced":
        """The result of an operation."""
        return self.note(Step(op, tuple(value.place for value in reads)), kind)

    def number(self, value: float) -> "Traced":
        """A constant float64."""
        return self.note(Constant(np.float64(value).tobytes()), Kind.NUMBER, value)

    def whole(self, value: int, kind: Kind = Kind.WHOLE) -> "Traced":
        """A constant int64, or a condition kept in one."""
        return self.note(Constant(np.int64(value).tobytes()), kind, value)

    def operand(self, value: Any) -> "Traced":
        """The stand-in for an operand beside a column: another column, a number or a text."""
        if isinstance(value, Traced):
            return value
        if isinstance(value, str):
            return self.note(Literal(value), Kind.TEXT)
        if isinstance(value, bool | np.bool_):
            return self.whole(int(value), Kind.CONDITION)
        if isinstance(value, Integral):
            return self.whole(int(value))
        if isinstance(value, Real):
            return self.number(float(value))
        return self.refuse(f"{type(value).__name__} {value!r} stands beside a column")

    def refuse(self, what: str) -> NoReturn:
        """Raise, naming the function that is being traced."""
        raise TidegateError(
            f"{self.function} cannot be traced: {what}; want ufuncs of numpy, np.where, np.isin and"
            " np.clip over whole columns, and a column of its own for what a text implies"
        )


def as_number(value: "Traced") -> "Traced":
    """A whole number or condition as float64; a text is refused."""
    if value.kind is Kind.NUMBER:
        return value
    if value.kind is Kind.TEXT:
        value.trace.refuse("it reckons with a text")
    if value.constant is not None:
        return value.trace.number(float(value.constant))
    return value.trace.step(Op.AS_NUMBER, Kind.NUMBER, value)


class Traced(np.lib.mixins.NDArrayOperatorsMixin):
    """A stand-in for a column; `constant` is its value where that is one and the same number."""

    __hash__ = None  # type: ignore[assignment]  # numbers that compare have none

    def __init__(
        self, trace: Trace, value: TracedValue, place: int, kind: Kind, constant: float | None
    ) -> None:
        self.trace, self.value, self.place, self.kind = trace, value, place, kind
        self.constant = constant

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype that the column has outside the interpreter."""
        return self.kind.value

    def astype(self, dtype: Any, **_: Any) -> "Traced":
        """The column as float64."""
        if np.dtype(dtype) != np.float64:
            self.trace.refuse(f"it makes {np.dtype(dtype)} of a column")
        return as_number(self)

    def mapped(self, function: Callable[[str], Any], dtype: type) -> "Traced":
        """Return what the vocabulary makes of the texts of a column, which is read as one of its
        own.
        """
        kind = Kind(np.dtype(dtype))
        if not isinstance(self.value, InputColumn) or self.kind is not Kind.TEXT:
            self.trace.refuse(f"it asks for {function.__name__} of what is no text column")
        return self.trace.note(InputColumn(Mapped(self.value.key, function, kind), kind), kind)

    def looked_up(self, table: Any) -> "Traced":
        """The cells of a table of float64 at the places that the column holds."""
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

    def __bool__(self) -> bool:  # noqa: PLE0304
        self.trace.refuse("it asks whether a column is true")

    def __iter__(self) -> Any:
        self.trace.refuse("it loops over a column")

    def __len__(self) -> int:  # noqa: PLE0303
        self.trace.refuse("it asks how many rows there are")

    def __getitem__(self, which: object) -> Any:
        self.trace.refuse("it takes single rows")

    def __float__(self) -> float:
        self.trace.refuse("it makes one number of a column")

    def __array__(self, *_: Any, **__: Any) -> Any:
        self.trace.refuse("it makes another array of a column")

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        self.trace.refuse(f"it asks for .{name} of a column")
