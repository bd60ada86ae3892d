"""The interpreter against numpy itself: the same functions, on columns of every oddity."""

# ruff: noqa: PLW0108 - the parameters of a lambda name its columns

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features.compiled_catalogue import computation
from features.derived.subject import derived_columns
from features.engine.columns import Kind
from features.engine.expressions.arithmetic import looked_up
from features.engine.expressions.opcodes import Op
from features.engine.expressions.program import BLOCK_ROWS, Function, Program, traced
from features.engine.string_table import STRING_TABLE
from features.errors import TidegateError
from features.linked_records import linked_record_types
from features.records import SubjectKind
from tests.counts import count

Column = Any
KINDS = {
    "x": Kind.NUMBER,
    "y": Kind.NUMBER,
    "i": Kind.WHOLE,
    "j": Kind.WHOLE,
    "t": Kind.TEXT,
    "u": Kind.TEXT,
    "p": Kind.CONDITION,
    "q": Kind.CONDITION,
}
ODD = (0.0, -0.0, 1.0, -1.0, 0.5, 2.5, -2.5, 1e-310, 1e300, -1e300, np.nan, np.inf, -np.inf)
NO_INSTANT = int(np.iinfo(np.int64).min)

# Exact in numpy and in the interpreter alike: to the bit.
EXACT: tuple[Callable[..., Column], ...] = (
    lambda x, y: x + y,
    lambda x: looked_up(np.array([7.0, np.nan, -0.5]), x),
    lambda x: looked_up(np.array([5.0, 6.0]), looked_up(np.array([1.0, 0.0]), x)),
    lambda x, y: x - y,
    lambda x, y: x * y,
    lambda x, y: x / y,
    lambda x: x**2,
    lambda x: np.mod(x, 100),
    lambda x, y: np.mod(x, y),
    lambda x: np.rint(x),
    lambda x: np.sqrt(x),
    lambda x: np.radians(x),
    lambda x, y: x < y,
    lambda x, y: x <= y,
    lambda x, y: x > y,
    lambda x, y: x >= y,
    lambda x, y: x == y,
    lambda x, y: x != y,
    lambda x: np.isnan(x),
    lambda x: np.isin(x, (0.0, 1.0)),
    lambda i, j: i - j,
    lambda i: np.mod(i, 24) // 5,
    lambda i, j: np.mod(i, j),
    lambda i, j: i // j,
    lambda i: i / 7,
    lambda i, j: i < j,
    lambda i, j: i >= j,
    lambda i, x: i == x,
    lambda i, x: i * x,
    lambda i: i == NO_INSTANT,
    lambda i: i.astype(np.float64),
    lambda p: p.astype(float),
    lambda p, q: p & ~q,
    lambda p, q: p | q,
    lambda p, q: p ^ q,
    lambda p, q: np.logical_and(p, np.logical_not(q)),
    lambda p, x: p * x,
    lambda p, x, y: np.where(p, x, y),
    lambda p, i: np.where(p, i, 0),
    lambda p, i, x: np.where(p, i, x),
    lambda p, q: np.where(p, q, np.nan),
    lambda p, t, u: np.where(p, t, u),
    lambda p, t: np.where(p, t, -1),
    lambda t, u: t == u,
    lambda t, u: (t != u) & (t != -1),
    lambda x: np.where(x > 0, 1 / np.where(x > 0, x, 1), np.nan),
    lambda x: np.full_like(x, 3.0),
)
# Exact but for the sign of a zero, which numpy itself leaves to the processor.
EXTREMES: tuple[Callable[..., Column], ...] = (
    lambda x, y: np.maximum(x, y),
    lambda x, y: np.minimum(x, y),
    lambda x, y: np.fmax(x, y),
    lambda x: np.clip(x, 0, 1),
)
# Differ in the last bits from compiler to compiler, and from numpy.
ROUNDED: tuple[Callable[..., Column], ...] = (
    lambda x: np.sin(x),
    lambda x: np.cos(x),
    lambda x: np.arcsin(x),
    lambda x: np.log(x),
    lambda x: np.exp(x),
)


@st.composite
def columns_of(draw: st.DrawFn) -> dict[str, np.ndarray]:
    rows = draw(st.sampled_from((1, 2, 3, 17, 64)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))

    def numbers() -> np.ndarray:
        odd, usual = random.choice(ODD, rows), random.normal(0, 10, rows).round(random.integers(4))
        return np.where(random.random(rows) < 0.4, odd, usual)

    def wholes() -> np.ndarray:
        return random.choice([0, 1, -1, 7, -24, 1_700_000_000_000_000, NO_INSTANT], rows)

    def codes() -> np.ndarray:
        return random.integers(-1, 4, rows).astype(np.int32)

    made = {Kind.NUMBER: numbers, Kind.WHOLE: wholes, Kind.TEXT: codes}
    made[Kind.CONDITION] = lambda: random.random(rows) < 0.5
    return {name: made[kind]() for name, kind in KINDS.items()}


def program_of(*functions: Callable[..., Column]) -> Program:
    return traced({at: Function.from_callable(one) for at, one in enumerate(functions)}, KINDS)


def evaluated(function: Callable[..., Column], columns: dict[str, np.ndarray]) -> np.ndarray:
    with np.errstate(all="ignore"):
        return function(*(columns[name] for name in Function.from_callable(function).reads))


ALL_EXACT, ALL_ROUNDED = program_of(*EXACT, *EXTREMES), program_of(*ROUNDED)


@settings(max_examples=count(50, 200), deadline=None)
@given(columns=columns_of())
def test_what_is_exact_equals_numpy_to_the_bit(columns: dict[str, np.ndarray]) -> None:
    made = ALL_EXACT.run(columns)

    for at, function in enumerate((*EXACT, *EXTREMES)):
        expected = evaluated(function, columns)
        np.testing.assert_array_equal(made[at], expected, err_msg=str(at), strict=True)
        if expected.dtype == np.float64 and function in EXACT:
            is_number = ~np.isnan(expected)
            np.testing.assert_array_equal(
                np.signbit(made[at][is_number]), np.signbit(expected[is_number]), err_msg=str(at)
            )


@settings(max_examples=50, deadline=None)
@given(columns=columns_of())
def test_what_is_rounded_is_close_to_numpy_and_missing_where_numpy_is(
    columns: dict[str, np.ndarray],
) -> None:
    made = ALL_ROUNDED.run(columns)

    for at, function in enumerate(ROUNDED):
        np.testing.assert_allclose(made[at], evaluated(function, columns), rtol=1e-13)


def test_a_row_gives_the_same_bits_alone_as_among_thousands() -> None:
    random = np.random.default_rng(5)
    rows = 2 * BLOCK_ROWS + 3
    columns = {
        Kind.NUMBER: lambda: random.normal(0, 10, rows),
        Kind.WHOLE: lambda: random.integers(-1000, 1000, rows),
        Kind.TEXT: lambda: random.integers(-1, 3, rows, dtype=np.int32),
        Kind.CONDITION: lambda: random.random(rows) < 0.5,
    }
    many = {name: columns[kind]() for name, kind in KINDS.items()}
    program = program_of(*EXACT, *EXTREMES, *ROUNDED)

    made = program.run(many)

    for row in (*range(9), BLOCK_ROWS - 1, BLOCK_ROWS, rows - 2, rows - 1):
        alone = program.run({name: column[row : row + 1] for name, column in many.items()})
        for at, column in made.items():
            assert alone[at].tobytes() == column[row : row + 1].tobytes(), at


def test_every_operation_is_one_that_a_feature_or_a_derived_column_needs() -> None:
    kinds: tuple[SubjectKind, ...] = ("route", "shipment")
    programs = [make(kind) for kind in kinds for make in (computation, derived_columns)]
    programs += [linked.program(kind) for kind in kinds for linked in linked_record_types(kind)]

    used = {step for program in programs for step in program.steps[:, 0].tolist()}

    assert used == set(Op)


def test_what_several_functions_do_alike_is_done_once() -> None:
    def share(x: Column, y: Column) -> Column:
        return np.where(y > 0, x / np.where(y > 0, y, 1), np.nan)

    once = program_of(share)
    twice = program_of(share, lambda x, y: share(x, y) * 100)

    assert len(twice.steps) == len(once.steps) + 1


def test_what_is_given_back_unchanged_is_not_copied() -> None:
    columns = {"x": np.array([1.0, np.nan]), "y": np.array([2.0, 3.0])}

    made = program_of(lambda x: x, lambda y: y * 1).run(columns)

    assert made[0] is columns["x"]


def test_texts_that_a_function_names_are_compared_by_their_code() -> None:
    codes = STRING_TABLE.codes(["cash", "card", None, "netting"])
    program = program_of(lambda t: t == "cash", lambda t: np.isin(t, ("card", "netting")))

    made = program.run({"t": codes})

    assert made[0].tolist() == [True, False, False, False]
    assert made[1].tolist() == [False, True, False, True]


def test_what_the_vocabulary_makes_of_a_text_is_a_column_of_its_own() -> None:
    def size(text: str) -> float:
        return float(len(text))

    def first(text: str) -> str:
        return text[:1]

    codes = STRING_TABLE.codes(["abc", None, "d"])
    program = program_of(
        lambda t: STRING_TABLE.map_numbers(t, size) * 2, lambda t: STRING_TABLE.map_texts(t, first)
    )

    made = program.run({"t": codes})

    np.testing.assert_array_equal(made[0], [6, np.nan, 2])
    assert STRING_TABLE.texts(made[1]).to_pylist() == ["a", None, "d"]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: [value + 1 for value in x],
        lambda x: x if x else 1 - x,
        lambda x: x[0],
        lambda x: len(x),
        lambda x: float(x),
        lambda x: x.mean(),
        lambda x: np.cumsum(x),
        lambda x: np.add.reduce(x),
        lambda x: np.sort(x),
        lambda x: np.array([1.0, 2.0]) * x,
        lambda x: np.array(x),
        lambda x: x == None,  # noqa: E711 - what a programmer might try
        lambda x: x == "text",
        lambda t: t + 1,
        lambda t, u: t < u,
        lambda p, q: p + q,
        lambda x, y: np.where(x, x, y),
        lambda x: x.astype(np.int64),
        lambda t: STRING_TABLE.map_numbers(np.where(t == -1, t, t), len),
        lambda unknown: unknown,
        lambda x: -x,
        lambda x: x // 7,
        lambda x, y: x**y,
        lambda i, j: i + j,
        lambda i: i * 3,
        lambda i, j: np.maximum(i, j),
        lambda i: abs(i),
        lambda p, i: p + i,
    ],
)
def test_what_cannot_be_traced_is_refused_with_the_name_of_the_function(
    function: Callable[..., Column],
) -> None:
    with pytest.raises(TidegateError, match="how_suspicious cannot be traced"):
        traced(
            {0: Function("how_suspicious", function, Function.from_callable(function).reads)}, KINDS
        )


def test_a_column_of_another_kind_than_was_traced_is_refused() -> None:
    with pytest.raises(TidegateError, match="column x is int64"):
        program_of(lambda x: x + 1).run({"x": np.array([1])})
