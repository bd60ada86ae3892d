"""The contract of a table of records, checked column by column; every fault with its rows.

The limits come off the record that requests are validated with, so that a file and a body obey one
schema; a second schema in a library of its own would be one more place to keep right. A fault shows
numbers, instants, words of closed lists and what looks like a code of a list as they stand, and of
any other text its shape alone (a for a letter, 9 for a digit): ids and free text don't belong in a
report.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import get_args

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT, Limits, as_arrow_reads, limits
from features.errors import Example, Fault
from features.field_kinds import Identifier, Money, kinds_of_fields
from features.field_types import EARLIEST_YEAR, LARGEST_EXACT, LATEST_YEAR, PRINTED, RFC_3339
from features.outcome_contradictions import FIELDS, NEVER_SELECTED, contradiction
from features.records import AMENDED_WHEN, RECORD_FILES, VERSION_FIELDS, Result

Bools = npt.NDArray[np.bool_]

# An amount says nothing without its currency.
# The field with the currency of each amount, by record type.
CURRENCY_OF: dict[str, dict[str, str]] = {
    name: {
        amount: kind.currency_field
        for amount, kind in kinds_of_fields(record).items()
        if isinstance(kind, Money)
    }
    for name, record in RECORD_FILES.items()
}


# What is wrong with a text that a pattern does not fit, where the pattern says it to nobody.
_UNLIKE = {
    as_arrow_reads(PRINTED): "has a line break, a tab or another character that is not printed"
}

QuickLook = Callable[[pa.ChunkedArray, Limits], bool]

# What is wrong with a record whose unique fields an earlier one has.
REPEATED = "stands in an earlier row already"

MAX_EXAMPLES = 3
_MAX_SHOWN_LENGTH = 40
# So many values are tried one by one: parting them further would cost more.
_FEW = 64
YEARS = (datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC), datetime(LATEST_YEAR + 1, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class Broken:
    """Rows of a column that break the contract in one way."""

    column: str
    what: str
    rows: Bools

    def but(self, named: Bools) -> "Broken":
        """The same without rows that were named already."""
        return Broken(self.column, self.what, self.rows & ~named)

    def fault(self, file: str, values: pa.ChunkedArray | None, limit: Limits | None) -> Fault:
        """The fault with its first rows, from 1, and what stands there."""
        at = np.flatnonzero(self.rows)
        examples = tuple(
            Example(
                int(row) + 1,
                None if values is None else value_for_report(values[row].as_py(), limit),
            )
            for row in at[:MAX_EXAMPLES].tolist()
        )
        return Fault(file, self.column, self.what, len(at), examples)


def value_for_report(value: object, limit: Limits | None) -> str | None:
    """A value as a report shows it, where a field of this limit was to be.

    >>> value_for_report("Jane Roe, 41", None), value_for_report(-1.0, None)
    ('Aaaa Aaa, 99', '-1.0')
    >>> of_countries = limits(RECORD_FILES["shipments"])["origin_country"]
    >>> value_for_report("UK", of_countries), value_for_report("Jane Roe", of_countries)
    ('UK', 'Aaaa Aaa')
    """
    if value is None:
        return None
    text = value.isoformat() if isinstance(value, datetime) else str(value)
    if isinstance(value, str) and not (limit and _is_word_of_a_list(value, limit)):
        text = re.sub(r"[A-Z]", "A", re.sub(r"[^\W\dA-Z_]", "a", re.sub(r"\d", "9", text)))
    return text[:_MAX_SHOWN_LENGTH]


def _is_word_of_a_list(text: str, limit: Limits) -> bool:
    """Return whether a text describes nobody: a field of closed words, or the form of a code of a
    list.
    """
    is_code = limit.codes is not None and re.fullmatch(limit.pattern or "", text) is not None
    return limit.choices is not None or is_code


def broken_rows(table: pa.Table, name: str) -> Iterator[Broken]:
    """Everything wrong in a table of typed columns of the record type `name`."""
    yield from broken_alone(table, name)
    if unique_fields := RECORD_FILES[name].unique_fields:
        repeated = table.select(unique_fields).to_pandas().duplicated().to_numpy()
        if repeated.any():
            yield Broken(*repeated_in(name), repeated)


def repeated_in(name: str) -> tuple[str, str]:
    """The column that a repeated record is named by, which is its subject's, and what is wrong."""
    unique = RECORD_FILES[name].unique_fields
    kinds = kinds_of_fields(RECORD_FILES[name])
    column = next((each for each in unique if isinstance(kinds.get(each), Identifier)), unique[0])
    others = [each for each in unique if each != column]
    return column, REPEATED + (f", with the same {', '.join(others)}" if others else "")


def broken_alone(
    table: pa.Table, name: str, is_surely_sound: QuickLook = lambda column, limit: False
) -> Iterator[Broken]:
    """Yield what is wrong in a row whatever the others hold; a quick look may spare a column."""
    for column, limit in limits(RECORD_FILES[name]).items():
        if is_surely_sound(table[column], limit):
            continue
        for what, flags in broken_values(table[column], limit):
            yield from _where(column, what, flags)
    for amount, currency in CURRENCY_OF[name].items():
        alone = pc.and_(pc.is_valid(table[amount]), pc.is_null(table[currency]))
        yield from _where(currency, f"is missing beside {amount}", alone)
    if RECORD_FILES[name].model_fields.keys() >= VERSION_FIELDS:
        is_later = pc.or_(pc.greater(table["version"], 1), table["withdrawn"])
        yield from _where(
            "known_at", AMENDED_WHEN, pc.and_(is_later, pc.is_null(table["known_at"]))
        )
    if name == "outcomes":
        yield from _contradictions(table)


def _contradictions(table: pa.Table) -> Iterator[Broken]:
    """Outcomes that contradict themselves; each way of saying it is looked at once."""
    is_never = pc.equal(table["selection_probability"], 0)
    yield from _where("selection_probability", NEVER_SELECTED, is_never)
    result, offences, examination, *found = (table[name].to_pylist() for name in FIELDS)
    in_rows = [*zip(result, offences, examination, zip(*found, strict=True), strict=True)]
    wrong = {said: contradiction(*said) for said in {*in_rows} if said[0] in get_args(Result)}
    for broken in sorted({*filter(None, wrong.values())}):
        at = [wrong.get(said) == broken for said in in_rows]
        yield Broken(*broken, np.array(at, np.bool_))


def _where(column: str, what: str, flags: pa.ChunkedArray) -> Iterator[Broken]:
    if pc.any(flags).as_py():
        yield Broken(column, what, _mask(flags))


def broken_values(column: pa.ChunkedArray, limit: Limits) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Yield what is wrong in a column of values, and flags of the rows where it is."""
    if limit.required:
        yield "is required", pc.is_null(column)
    if column.type == INSTANT:
        begins, ends = (pa.scalar(year, INSTANT) for year in YEARS)
        outside = pc.or_(pc.less(column, begins), pc.greater_equal(column, ends))
        yield f"is not in the years {EARLIEST_YEAR} to {LATEST_YEAR}", outside
    elif pa.types.is_string(column.type):
        yield from _broken_text(column, limit)
    else:
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
        yield (
            _UNLIKE.get(limit.pattern, f"does not look like {limit.pattern}"),
            pc.invert(does_match),
        )
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
    return np.asarray(pc.fill_null(flags, False))


def typed(column: pa.ChunkedArray, field: pa.Field) -> tuple[pa.ChunkedArray, Bools | None]:
    """The column as its record types it, with null where a value cannot be; and where that is."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    wrong = np.zeros(len(column), dtype=np.bool_)
    if field.type == INSTANT and _is_text(column.type):
        wrong = _mask(pc.invert(pc.match_substring_regex(column, RFC_3339)))
    elif pa.types.is_integer(field.type) and _is_text(column.type):
        column = without_point(column)
    elif pa.types.is_integer(field.type) and pa.types.is_floating(column.type):
        wrong = _mask(pc.greater(pc.abs(column.cast(pa.float64())), LARGEST_EXACT))
    try:
        return _without(column, wrong).cast(field.type), wrong if wrong.any() else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        wrong |= _uncastable(column, field.type)
        return _without(column, wrong).cast(field.type), wrong


def may_become(have: pa.DataType, want: pa.DataType) -> bool:
    """Return whether a column of this type may be read as the other: text, as in a CSV,
    always may.
    """
    fits: Callable[[pa.DataType], bool] = want.equals
    if want == INSTANT:
        fits = pa.types.is_timestamp
    elif pa.types.is_floating(want) or pa.types.is_integer(want):
        return _is_text(have) or _is_number(have) or pa.types.is_decimal(have)
    return _is_text(have) or bool(fits(have))


def what_is_wanted(kind: pa.DataType) -> str:
    """A column's type as a report names it."""
    if kind == INSTANT:
        return "an instant with its offset, as in RFC 3339"
    return "a whole number" if pa.types.is_integer(kind) else str(kind)


def without_point(text: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Whole numbers as pandas writes them where one is missing: 12.0 is 12."""
    if pa.types.is_null(text.type) or not pc.any(pc.match_substring(text, ".")).as_py():
        return text
    return pc.replace_substring_regex(text, r"^([+-]?\d+)\.0+$", r"\1")


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


def _uncastable(column: pa.ChunkedArray, kind: pa.DataType) -> Bools:
    """Return which values cannot be cast, by halves: whatever has none of them is cast at once."""
    try:
        column.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        if len(column) <= _FEW:
            return np.array([not _may_be(value, kind) for value in column])
        half = len(column) // 2
        return np.append(_uncastable(column[:half], kind), _uncastable(column[half:], kind))
    return np.zeros(len(column), np.bool_)


def _may_be(value: pa.Scalar, kind: pa.DataType) -> bool:
    try:
        value.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return False
    return True
