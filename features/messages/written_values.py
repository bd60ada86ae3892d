"""Parse numbers, dates and times as messages write them."""

import math
import re
from datetime import UTC, datetime, timedelta, tzinfo

from features.field_types import EARLIEST_YEAR, LATEST_YEAR

# Limits on digits, so that no text can take long to convert.
_DECIMAL = re.compile(r"[+-]?(\d{1,30}(\.\d{0,30})?|\.\d{1,30})", re.ASCII)
_JSON_DECIMAL = re.compile(r"-?\d{1,30}(\.\d{1,30})?([eE][+-]?\d{1,2})?", re.ASCII)
_INSTANT = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)"
    r"(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.\d{1,12})?)?)?"
    r"(Z|[+-]\d\d:\d\d)?",
    re.ASCII,
)
_DIGITS = {
    "2": "%d%m%y",
    "101": "%y%m%d",
    "102": "%Y%m%d",
    "201": "%y%m%d%H%M",
    "203": "%Y%m%d%H%M",
    "204": "%Y%m%d%H%M%S",
}
_WITH_OFFSET = ("205", "303", "304")
_OFFSET = re.compile(r"(\d{12}(?:\d\d)?)(?:([+-])(\d\d):?(\d\d)?|UTC|GMT|Z)", re.ASCII)
# The formats of UNTDID 2379 that are supported.
FORMATS_OF_TIME = (*_DIGITS, *_WITH_OFFSET)


def has_usual_year(when: datetime) -> bool:
    """Return whether the year is in the range of records; 9999-12-31 often means "no end"."""
    return EARLIEST_YEAR <= when.year <= LATEST_YEAR


def decimal_of(text: str) -> float | None:
    """Return a number as XML or JSON writes it; None for anything else.

    >>> decimal_of("1042.0"), decimal_of("1e3"), decimal_of("12,5"), decimal_of("nan")
    (1042.0, 1000.0, None, None)
    """
    if not (_DECIMAL.fullmatch(text) or _JSON_DECIMAL.fullmatch(text)):
        return None
    number = float(text)
    return number if math.isfinite(number) else None


def instant_of(text: str, zone: tzinfo) -> tuple[datetime, bool] | None:
    """Return a date or date and time in the form of XML Schema, and whether it had a zone.

    None if it is invalid; without a zone, `zone` applies.

    >>> instant_of("2021-03-10T11:00:00+01:00", UTC)
    (datetime.datetime(2021, 3, 10, 10, 0, tzinfo=datetime.timezone.utc), True)
    >>> instant_of("2021-02-30", UTC) is instant_of("2021-03-10T11:00:99Z", UTC) is None
    True
    """
    found = _INSTANT.fullmatch(text)
    if found is None:
        return None
    year, month, day, hour, minute, second = (int(part or 0) for part in found.groups()[:6])
    # XML Schema allows 24:00:00 for the end of a day.
    is_end_of_day = (hour, minute, second) == (24, 0, 0)
    return _instant(
        (year, month, day, 0 if is_end_of_day else hour, minute, second),
        found[7],
        zone,
        days_later=int(is_end_of_day),
    )


def day_of(text: str, written_as: str, zone: tzinfo) -> tuple[datetime, bool] | None:
    """Return a date and time by the format code of UNTDID 2379, and whether it had a zone.

    None if it is invalid.

    >>> day_of("202103101100", "203", UTC)
    (datetime.datetime(2021, 3, 10, 11, 0, tzinfo=datetime.timezone.utc), False)
    """
    pattern = _DIGITS.get(written_as)
    if written_as in _WITH_OFFSET:
        return _with_offset(text, zone)
    if pattern is None or not re.fullmatch(r"[0-9]+", text):
        return None
    try:
        when = datetime.strptime(text, pattern)  # noqa: DTZ007  # the zone is stated separately
    except ValueError:
        return None
    # `%d` also accepts a single digit, which would shift the digits that follow.
    if when.strftime(pattern) != text:
        return None
    if not has_usual_year(when):
        return when.replace(tzinfo=UTC), False
    return when.replace(tzinfo=zone).astimezone(UTC), False


def _with_offset(text: str, zone: tzinfo) -> tuple[datetime, bool] | None:
    """Return a date and time CCYYMMDDHHMM[SS] with an offset such as +0100, +01 or UTC."""
    found = _OFFSET.fullmatch(text)
    if found is None:
        return None
    when = day_of(found[1], "204" if len(found[1]) == 14 else "203", UTC)
    ahead = timedelta(hours=int(found[3] or 0), minutes=int(found[4] or 0))
    ahead *= -1 if found[2] == "-" else 1
    if when is None:
        return None
    return (when[0] - ahead if has_usual_year(when[0]) else when[0]), True


def _instant(
    parts: tuple[int, ...], offset: str | None, zone: tzinfo, *, days_later: int
) -> tuple[datetime, bool] | None:
    year, month, day, hour, minute, second = parts
    try:
        own = datetime.fromisoformat(f"2000-01-01T00:00:00{offset}").tzinfo if offset else zone
        counted = 59 if second == 60 else second  # a leap second, which datetime cannot hold
        when = datetime(year, month, day, hour, minute, counted, tzinfo=own)
    except ValueError:
        return None
    if not has_usual_year(when):
        # At the ends of the calendar a conversion to UTC could overflow.
        return when.replace(tzinfo=UTC), offset is not None
    return (when + timedelta(days=days_later)).astimezone(UTC), offset is not None
