"""The periods of figures: the last days, and months."""

from collections.abc import Iterator
from datetime import date, timedelta

# A year to look back on, and the month that has begun.
MONTHS = 13

LATELY_DAYS = (30, 90)


def spans(today: date) -> Iterator[tuple[str, date, date]]:
    """Yield each period's name, first day and last day.

    >>> [name for name, *_ in spans(date(2026, 3, 31))][:4]
    ['30 days', '90 days', '2026-03', '2026-02']
    """
    for days in LATELY_DAYS:
        name = f"{days} days"
        yield name, *span_of(name, today)
    last = today
    for _ in range(MONTHS):
        name = f"{last:%Y-%m}"
        yield name, *span_of(name, today)
        last = last.replace(day=1) - timedelta(days=1)


def span_of(name: str, today: date) -> tuple[date, date]:
    """Return the first and last day of a period; the current month ends today.

    >>> span_of("2026-02", date(2026, 3, 31)), span_of("30 days", date(2026, 3, 31))
    ((datetime.date(2026, 2, 1), datetime.date(2026, 2, 28)),\
 (datetime.date(2026, 3, 2), datetime.date(2026, 3, 31)))
    """
    if name.endswith(" days"):
        return today - timedelta(days=int(name.removesuffix(" days")) - 1), today
    first = date.fromisoformat(f"{name}-01")
    end = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    return first, max(min(end, today), first)
