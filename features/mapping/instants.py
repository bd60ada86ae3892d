"""Convert instants of own tables to UTC: formats, local time and changes of the clock."""

import re

import pyarrow as pa
import pyarrow.compute as pc

from features.arrow_schema import INSTANT
from features.errors import TidegateError
from features.field_types import RFC_3339
from features.ingest.contract import typed

NAIVE = pa.timestamp("us")
# Formats of numbers since 1970, with the microseconds per unit.
UNIX_FORMATS = {"unix": 1_000_000, "unix_ms": 1_000, "unix_us": 1}

_DIRECTIVES = {
    **{"%Y": r"\d{4}", "%y": r"\d{2}", "%m": r"\d{1,2}", "%d": r"(?P<day>\d{1,2})"},
    **{"%H": r"\d{1,2}", "%I": r"\d{1,2}", "%M": r"\d{1,2}", "%S": r"\d{1,2}"},
    **{"%b": r"\pL+", "%B": r"\pL+", "%p": r"[AaPp][Mm]"},
}
_DIRECTIVE = re.compile("%.")
_LAST_OVERFLOWN_DAY = 3  # strptime reads 31 February as 3 March, the largest such overflow

# Error texts, each with flags of the affected rows.
Broken = list[tuple[str, pa.Array]]


def unknown_directives(form: str) -> list[str]:
    """Return the directives of a format that are not supported."""
    return [found for found in _DIRECTIVE.findall(form) if found not in _DIRECTIVES]


def instants_of(
    column: pa.Array, form: str | None, zone: str | None, at_clock_change: str
) -> tuple[pa.Array, Broken]:
    """Return a column as instants, null where unreadable, and the errors by row.

    Text without a format is read as ISO 8601; with an offset it needs no zone.
    """
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        return column.cast(INSTANT, safe=False), []
    if form in UNIX_FORMATS:
        return _unix(column, UNIX_FORMATS[form])
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        naive: pa.Array = column.cast(NAIVE, safe=False)
        broken: Broken = []
    elif form is not None:
        naive, broken = _in_format(column, form)
    elif zone is None:
        return _with_offset(column)
    else:
        has_offset = pc.fill_null(pc.match_substring_regex(column, RFC_3339), False)
        if pc.any(has_offset).as_py():
            nothing = pa.scalar(None, column.type)
            instants, bad = _with_offset(pc.if_else(has_offset, column, nothing))
            local, worse = instants_of(
                pc.if_else(has_offset, nothing, column), form, zone, at_clock_change
            )
            return pc.coalesce(instants, local), bad + worse
        naive, broken = _converted(column, NAIVE, "is no instant as in ISO 8601")
    if zone is None:
        raise TidegateError("time stamps without an offset; give their column a zone")
    instants, ambiguous = _in_zone(naive, zone, at_clock_change)
    return instants, broken + ambiguous


def _with_offset(column: pa.Array) -> tuple[pa.Array, Broken]:
    return _converted(column, INSTANT, "is no instant with its offset, as in RFC 3339")


def _converted(column: pa.Array, kind: pa.DataType, what: str) -> tuple[pa.Array, Broken]:
    values, wrong = typed(column, pa.field("", kind))
    return values, [] if wrong is None else [(what, pa.array(wrong))]


def _unix(column: pa.Array, microseconds: int) -> tuple[pa.Array, Broken]:
    numbers, broken = _converted(column, pa.float64(), "is no number of seconds since 1970")
    whole = pc.round(pc.multiply(numbers, float(microseconds)))
    return whole.cast(pa.int64(), safe=False).cast(INSTANT), broken


def _in_format(column: pa.Array, form: str) -> tuple[pa.Array, Broken]:
    """Parse text of one format; refuse impossible days, which C's `strptime` would shift."""
    text = column.cast(pa.string())
    naive = pc.strptime(text, format=form, unit="us", error_is_null=True)
    if "%d" in form:
        naive = _without_overflown(text, naive, form)
    unread = pc.and_(pc.is_valid(text), pc.is_null(naive))
    return naive, [(f"is no instant as in {form}", unread)] if pc.any(unread).as_py() else []


def _without_overflown(text: pa.Array, naive: pa.Array, form: str) -> pa.Array:
    is_early = pc.fill_null(pc.less_equal(pc.day(naive), _LAST_OVERFLOWN_DAY), False)
    rows = pc.indices_nonzero(is_early)
    if not len(rows):
        return naive
    found = pc.extract_regex(text.take(rows), _as_pattern(form))
    days = pc.struct_field(found, "day")
    is_that_day = pc.equal(pc.day(naive.take(rows)), _number(days))
    return pc.replace_with_mask(
        naive,
        is_early,
        pc.if_else(pc.fill_null(is_that_day, False), naive.take(rows), pa.scalar(None, naive.type)),
    )


def _number(digits: pa.Array) -> pa.Array:
    return pc.if_else(pc.equal(digits, ""), pa.scalar(None, pa.string()), digits).cast(pa.int64())


def _as_pattern(form: str) -> str:
    parts = re.split("(%.)", form)
    return "^" + "".join(_DIRECTIVES.get(part) or re.escape(part) for part in parts) + "$"


def _in_zone(naive: pa.Array, zone: str, at_clock_change: str) -> tuple[pa.Array, Broken]:
    """Convert local time to UTC.

    Times in a repeated or skipped hour are refused or read by rule.
    """
    rule = "latest" if at_clock_change == "later" else "earliest"
    instants = _assumed(naive, zone, rule)
    if at_clock_change != "refuse" or zone == "UTC":
        return instants, []
    # Both rules agree unless the time occurs twice; `nonexistent` reveals skipped times likewise.
    unsure = pc.not_equal(instants, _assumed(naive, zone, "latest"))
    never = pc.not_equal(
        instants, pc.assume_timezone(naive, zone, ambiguous="earliest", nonexistent="earliest")
    )
    broken = [
        ("is in an hour that comes twice, when clocks go back", unsure),
        ("is in an hour that never comes, when clocks go forward", never),
    ]
    broken = [(what, flags) for what, flags in broken if pc.any(flags).as_py()]
    for _, flags in broken:
        instants = pc.if_else(pc.fill_null(flags, False), pa.scalar(None, INSTANT), instants)
    return instants, broken


def _assumed(naive: pa.Array, zone: str, rule: str) -> pa.Array:
    """Convert local time by a rule; a skipped time becomes the instant of the change."""
    assumed = pc.assume_timezone(naive, zone, ambiguous=rule, nonexistent="latest")
    return assumed.cast(INSTANT)
