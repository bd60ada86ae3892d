"""Check a table of records column by column, and report every fault with its rows.

The limits derive from the record model that also validates requests, so that files and requests
follow one schema. A fault shows numbers, instants, words of closed lists and possible list codes
unchanged; of any other text it shows only the shape (a for a letter, 9 for a digit), because ids
and free text do not belong in a report.
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
from features.field_types import EARLIEST_YEAR, LATEST_YEAR, MAX_EXACT, PRINTED, RFC_3339
from features.outcome_contradictions import FIELDS, NEVER_SELECTED, contradiction
from features.records import AMENDED_WHEN, RECORD_FILES, VERSION_FIELDS, Result

Bools = npt.NDArray[np.bool_]

# The currency field of each amount, by record type. An amount without a currency is meaningless.
CURRENCY_OF: dict[str, dict[str, str]] = {
    name: {
        amount: kind.currency_field
        for amount, kind in kinds_of_fields(record).items()
        if isinstance(kind, Money)
    }
    for name, record in RECORD_FILES.items()
}


# Readable descriptions of patterns that would mean nothing to users.
_UNLIKE = {
    as_arrow_reads(PRINTED): "has a line break, a tab or another character that is not printed"
}

QuickLook = Callable[[pa.ChunkedArray, Limits], bool]

# The error for a record with the unique key of an earlier one.
REPEATED = "stands in an earlier row already"

MAX_EXAMPLES = 3
_MAX_SHOWN_LENGTH = 40
# Up to this many values are tried one by one, which is cheaper than halving further.
_FEW = 64
YEARS = (datetime(EARLIEST_YEAR, 1, 1, tzinfo=UTC), datetime(LATEST_YEAR + 1, 1, 1, tzinfo=UTC))


@dataclass(frozen=True)
class BrokenRows:
    """Rows of a column that violate the contract in one way."""

    column: str
    what: str
    rows: Bools

    def but(self, named: Bools) -> "BrokenRows":
        """Return the same fault without rows that already have another one."""
        return BrokenRows(self.column, self.what, self.rows & ~named)

    def fault(self, file: str, values: pa.ChunkedArray | None, limit: Limits | None) -> Fault:
        """Return the fault with its first rows, counted from 1, and their values."""
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
    """Return a value as a report shows it, given the limits of its field.

    Texts other than words or codes of a list are reduced to their shape.

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
    """Return whether a text cannot describe a person: a word, or the form of a code, of a list."""
    is_code = limit.codes is not None and re.fullmatch(limit.pattern or "", text) is not None
    return limit.choices is not None or is_code


def broken_rows(table: pa.Table, name: str) -> Iterator[BrokenRows]:
    """Yield every fault in a table of typed columns of the record type `name`."""
    yield from broken_alone(table, name)
    if unique_fields := RECORD_FILES[name].unique_fields:
        repeated = table.select(unique_fields).to_pandas().duplicated().to_numpy()
        if repeated.any():
            yield BrokenRows(*repeated_in(name), repeated)


def repeated_in(name: str) -> tuple[str, str]:
    """Return the column under which a repetition is reported (the id), and the error text."""
    unique = RECORD_FILES[name].unique_fields
    kinds = kinds_of_fields(RECORD_FILES[name])
    column = next((each for each in unique if isinstance(kinds.get(each), Identifier)), unique[0])
    others = [each for each in unique if each != column]
    return column, REPEATED + (f", with the same {', '.join(others)}" if others else "")


def broken_alone(
    table: pa.Table, name: str, is_surely_sound: QuickLook = lambda column, limit: False
) -> Iterator[BrokenRows]:
    """Yield the faults of single rows; columns that pass `is_surely_sound` are skipped."""
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


def _contradictions(table: pa.Table) -> Iterator[BrokenRows]:
    """Yield outcomes that contradict themselves; each combination of values is checked once."""
    is_never = pc.equal(table["selection_probability"], 0)
    yield from _where("selection_probability", NEVER_SELECTED, is_never)
    result, offences, examination, *found = (table[name].to_pylist() for name in FIELDS)
    in_rows = [*zip(result, offences, examination, zip(*found, strict=True), strict=True)]
    wrong = {said: contradiction(*said) for said in {*in_rows} if said[0] in get_args(Result)}
    for broken in sorted({*filter(None, wrong.values())}):
        at = [wrong.get(said) == broken for said in in_rows]
        yield BrokenRows(*broken, np.array(at, np.bool_))


def _where(column: str, what: str, flags: pa.ChunkedArray) -> Iterator[BrokenRows]:
    if pc.any(flags).as_py():
        yield BrokenRows(column, what, _mask(flags))


def broken_values(column: pa.ChunkedArray, limit: Limits) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Yield each fault in a column of values, with flags of the affected rows."""
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
            # Non-finite values are reported once, not also as out of range.
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
    """Return the column as the type of its record, and flags of rows that could not be converted.

    Values that cannot be converted become null.
    """
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    wrong = np.zeros(len(column), dtype=np.bool_)
    if field.type == INSTANT and _is_text(column.type):
        wrong = _mask(pc.invert(pc.match_substring_regex(column, RFC_3339)))
    elif pa.types.is_integer(field.type) and _is_text(column.type):
        column = without_point(column)
    elif pa.types.is_integer(field.type) and pa.types.is_floating(column.type):
        # Larger doubles may stand for another whole number than was meant.
        wrong = _mask(pc.greater(pc.abs(column.cast(pa.float64())), MAX_EXACT))
    try:
        return _without(column, wrong).cast(field.type), wrong if wrong.any() else None
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        wrong |= _uncastable(column, field.type)
        return _without(column, wrong).cast(field.type), wrong


def may_become(have: pa.DataType, want: pa.DataType) -> bool:
    """Return whether a column of one type may be read as another; text may be read as any."""
    fits: Callable[[pa.DataType], bool] = want.equals
    if want == INSTANT:
        fits = pa.types.is_timestamp
    elif pa.types.is_floating(want) or pa.types.is_integer(want):
        return _is_text(have) or _is_number(have) or pa.types.is_decimal(have)
    return _is_text(have) or bool(fits(have))


def what_is_wanted(kind: pa.DataType) -> str:
    """Return the name of a column's type in a report."""
    if kind == INSTANT:
        return "an instant with its offset, as in RFC 3339"
    return "a whole number" if pa.types.is_integer(kind) else str(kind)


def without_point(text: pa.ChunkedArray | pa.Array) -> pa.ChunkedArray | pa.Array:
    """Return whole numbers without `.0`, which pandas adds in columns with missing values."""
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
    """Return flags of values that cannot be cast, found by halving.

    A half without such values is cast in one step.
    """
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
