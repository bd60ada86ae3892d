"""What a table of records must satisfy, checked column by column; every fault with its rows.

The limits come off the record that requests are validated with, so that a file and a body obey one
schema; a second schema in a library of its own would be one more place to keep right. A fault shows
numbers, instants and words of closed lists as they stand, and of any other text its shape alone
(a for a letter, 9 for a digit): ids and free text don't belong in a report.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.compiled import compiled
from features.errors import Example, Fault
from features.records import EARLIEST_YEAR, LATEST_YEAR, RECORD_FILES, RFC_3339
from features.schema import INSTANT, Limits, limits
from features.vocabulary import contents_of_texts

Bools = npt.NDArray[np.bool_]

# What makes a record one record; a second row with the same values is refused.
IDENTITY: dict[str, tuple[str, ...]] = {
    "journeys": ("journey_id",),
    "legs": ("journey_id", "sequence"),
    "shipments": ("shipment_id",),
    "documents": ("document_id", "version"),
    "transactions": ("transaction_id",),
    "outcomes": ("subject_kind", "subject_id", "inspected_at"),
}
# An amount counts nothing without the currency beside it.
CURRENCY_OF = {"shipments": "declared_value", "documents": "value", "transactions": "amount"}

MOST_EXAMPLES = 3
_LONGEST_SHOWN = 40
# What a pattern may be for its texts to be looked at byte by byte, and how long those are at most.
_SIMPLE = re.compile(r"\^(?P<of>\[[^]]*\])(\{(?P<least>\d+)(,(?P<most>\d+))?\}|(?P<any>\*))\$")
_LONGEST_LOOKED_AT = 1 << 20
_FARTHEST = 1 << 62
_TO_128 = np.arange(129, dtype=np.int32)
_YEARS = (datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC), datetime(LATEST_YEAR + 1, 1, 1, tzinfo=UTC))
_YEARS_US = tuple(int(year.timestamp()) * 1_000_000 for year in _YEARS)


@dataclass(frozen=True)
class Broken:
    """Which rows of a column break the contract, and how."""

    column: str
    what: str
    rows: Bools

    def but(self, named: Bools) -> "Broken":
        """The same without rows that were named already."""
        return Broken(self.column, self.what, self.rows & ~named)

    def fault(self, file: str, values: pa.ChunkedArray | None, *, is_closed: bool) -> Fault:
        """The fault with its first rows, from 1, and what stands there."""
        at = np.flatnonzero(self.rows)
        examples = tuple(
            Example(int(row) + 1, None if values is None else shown(values[row].as_py(), is_closed))
            for row in at[:MOST_EXAMPLES].tolist()
        )
        return Fault(file, self.column, self.what, len(at), examples)


def shown(value: object, is_closed: bool) -> str | None:
    """A value as a report shows it.

    >>> shown("Jane Roe, 41", False), shown("barter", True), shown(-1.0, False)
    ('Aaaa Aaa, 99', 'barter', '-1.0')
    """
    if value is None:
        return None
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    if isinstance(value, str) and not is_closed:
        text = re.sub(r"[A-Z]", "A", re.sub(r"[^\W\dA-Z_]", "a", re.sub(r"\d", "9", text)))
    return text[:_LONGEST_SHOWN]


def broken_rows(table: pa.Table, name: str) -> Iterator[Broken]:
    """Everything wrong in a table of typed columns of the record type `name`."""
    for column, limit in limits(RECORD_FILES[name]).items():
        for what, flags in broken_values(table[column], limit):
            yield from _where(column, what, flags)
    if name in CURRENCY_OF:
        amount = CURRENCY_OF[name]
        alone = pc.and_(pc.is_valid(table[amount]), pc.is_null(table["currency"]))
        yield from _where("currency", f"is missing beside {amount}", alone)
    if name in IDENTITY:
        repeated = table.select(IDENTITY[name]).to_pandas().duplicated().to_numpy()
        if repeated.any():
            yield Broken(IDENTITY[name][0], "stands in an earlier row already", repeated)


def _where(column: str, what: str, flags: pa.ChunkedArray) -> Iterator[Broken]:
    if pc.any(flags).as_py():
        yield Broken(column, what, _mask(flags))


def broken_values(column: pa.ChunkedArray, limit: Limits) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """What is wrong in a column of values, and flags of the rows where it is."""
    if limit.required:
        yield "is required", pc.is_null(column)
    if column.type == INSTANT:
        begins, ends = (pa.scalar(year, INSTANT) for year in _YEARS)
        outside = pc.or_(pc.less(column, begins), pc.greater_equal(column, ends))
        yield f"is not in the years {EARLIEST_YEAR} to {LATEST_YEAR}", outside
    elif pa.types.is_string(column.type):
        yield from _broken_text(column, limit)
    else:
        yield from _broken_number(column, limit)


def is_surely_sound(values: pa.Array, limit: Limits) -> bool:
    """Whether a quick look shows that no limit is broken but that of what is required.

    It may fail to show it; then `broken_values` knows. Of numbers and instants it looks at the
    extremes, of texts at their bytes.
    """
    if pa.types.is_string(values.type):
        return _are_plain_texts(values, limit)
    return _are_within(values, limit)


def _are_within(numbers: pa.Array, limit: Limits) -> bool:
    """Whether the least and the largest number are finite and within the limit."""
    if pa.types.is_boolean(numbers.type):
        return True
    are_valid, cells = numbers.buffers()
    least, most, is_finite = _extremes(
        np.frombuffer(cells or b"", np.float64 if pa.types.is_floating(numbers.type) else np.int64),
        np.frombuffer(are_valid if are_valid and numbers.null_count else b"", np.uint8),
        numbers.offset,
        numbers.offset + len(numbers),
    )
    if numbers.type == INSTANT:
        begins, ends = _YEARS_US
        return bool(begins <= least and most < ends)
    return bool(
        is_finite
        and (limit.at_least is None or least >= limit.at_least)
        and (limit.at_most is None or most <= limit.at_most)
    )


@compiled(nogil=True)
def _extremes(
    cells: npt.NDArray[Any], are_valid: npt.NDArray[np.uint8], begin: int, end: int
) -> tuple[float, float, bool]:
    """The least and the largest cell that is given, and whether all are finite.

    Without any, each is so far off that it is within every limit. `are_valid` has a bit for each
    cell, or nothing where all are given.
    """
    least, most, is_finite = _FARTHEST, -_FARTHEST, True
    for row in range(begin, end):
        if len(are_valid) and not are_valid[row >> 3] >> (row & 7) & 1:
            continue
        least, most = min(least, cells[row]), max(most, cells[row])
        is_finite &= cells[row] - cells[row] == 0
    return least, most, is_finite


def _are_plain_texts(texts: pa.Array, limit: Limits) -> bool:
    """Whether every text is of as many bytes as the limit has characters, all of its one class."""
    plain = None if texts.null_count else _plain(limit.pattern, limit.longest)
    if plain is None or limit.choices or limit.codes:
        return False
    are_allowed, least, most = plain
    return bool(_are_of(*contents_of_texts(texts), are_allowed, least, most))


@cache
def _plain(pattern: str | None, longest: int | None) -> tuple[Bools, int, int] | None:
    """The bytes of ASCII that a text may have, and how few and how many; None where not so simple.

    A pattern is simple where it is one class of characters and a count.
    """
    simple = _SIMPLE.fullmatch(pattern or "^[^\\x{80}]*$")
    if simple is None:
        return None
    each = pa.StringArray.from_buffers(128, pa.py_buffer(_TO_128), pa.py_buffer(bytes(range(128))))
    are_allowed = np.zeros(256, np.bool_)
    are_allowed[:128] = pc.match_substring_regex(each, f"^{simple['of']}$").to_pylist()
    least, most = (int(simple[count] or simple["least"] or 0) for count in ("least", "most"))
    if simple["any"]:
        most = _LONGEST_LOOKED_AT
    return are_allowed, least, most if longest is None else min(most, longest)


@compiled(nogil=True)
def _are_of(
    content: npt.NDArray[np.uint8],
    ends: npt.NDArray[Any],
    are_allowed: Bools,
    least: int,
    most: int,
) -> bool:
    """Whether all texts have an allowed number of bytes, and no others than are allowed."""
    for row in range(len(ends) - 1):
        if not least <= ends[row + 1] - ends[row] <= most:
            return False
    is_other = False
    for byte in content[ends[0] : ends[-1]]:
        is_other |= not are_allowed[byte]
    return not is_other


def _broken_number(column: pa.ChunkedArray, limit: Limits) -> Iterator[tuple[str, pa.ChunkedArray]]:
    if pa.types.is_floating(column.type):
        is_finite = pc.is_finite(column)
        yield "is not a finite number", pc.invert(is_finite)
        column = pc.if_else(is_finite, column, pa.scalar(None, column.type))
    if limit.at_least is not None:
        yield f"is below {limit.at_least}", pc.less(column, limit.at_least)
    if limit.at_most is not None:
        yield f"is above {limit.at_most}", pc.greater(column, limit.at_most)


def _broken_text(column: pa.ChunkedArray, limit: Limits) -> Iterator[tuple[str, pa.ChunkedArray]]:
    if limit.choices:
        yield f"is none of {', '.join(limit.choices)}", _others(column, limit.choices)
        return
    if limit.pattern:
        does_match = pc.match_substring_regex(column, limit.pattern)
        yield f"does not look like {limit.pattern}", pc.invert(does_match)
        if not limit.codes and limit.longest is None:
            return
        column = pc.if_else(does_match, column, pa.scalar(None, column.type))
    if limit.codes:
        name, codes = limit.codes
        what = f"is a code that the list of {name} does not hold"
        yield what, _others(column, sorted(codes))
    if limit.longest is not None:
        too_long = pc.greater(pc.utf8_length(column), limit.longest)
        yield f"is longer than {limit.longest} characters", too_long


def _others(column: pa.ChunkedArray, known: Sequence[str]) -> pa.ChunkedArray:
    is_known = pc.is_in(column, pa.array(known))
    return pc.and_(pc.is_valid(column), pc.invert(is_known))


def _mask(flags: pa.ChunkedArray) -> Bools:
    return pc.fill_null(flags, False).to_numpy()


def typed(column: pa.ChunkedArray, field: pa.Field) -> tuple[pa.ChunkedArray, Bools | None]:
    """The column as its record types it, with null where a value cannot be; and where that is."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    wrong = np.zeros(len(column), dtype=np.bool_)
    if field.type == INSTANT and _is_text(column.type):
        wrong = _mask(pc.invert(pc.match_substring_regex(column, RFC_3339)))
    try:
        return _without(column, wrong).cast(field.type), wrong if wrong.any() else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        wrong |= np.array([not _may_be(value, field.type) for value in column])
        return _without(column, wrong).cast(field.type), wrong


def may_become(have: pa.DataType, want: pa.DataType) -> bool:
    """Whether a column of this type may be read as the other: text, as in a CSV, always may."""
    fits: Callable[[pa.DataType], bool] = want.equals
    if want == INSTANT:
        fits = pa.types.is_timestamp
    elif pa.types.is_floating(want):
        return _is_text(have) or _is_number(have) or pa.types.is_decimal(have)
    elif pa.types.is_integer(want):
        fits = pa.types.is_integer
    return _is_text(have) or bool(fits(have))


def what_is_wanted(kind: pa.DataType) -> str:
    """A column's type as a report names it."""
    return "an instant with its offset, as in RFC 3339" if kind == INSTANT else str(kind)


def _is_text(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_null(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)
    )


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_floating(kind) or pa.types.is_integer(kind))


def _without(column: pa.ChunkedArray, wrong: Bools) -> pa.ChunkedArray:
    if not wrong.any():
        return column
    return pc.if_else(pa.array(wrong), pa.scalar(None, column.type), column)


def _may_be(value: pa.Scalar, kind: pa.DataType) -> bool:
    try:
        value.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
