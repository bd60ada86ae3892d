"""Facts that every window over earlier records has in common: which count, by instant and key."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from tests.features.families.facts import (
    DECLARED,
    MOMENT,
    Fact,
    Record,
    Row,
    Value,
    after,
    before,
    earlier_shipment,
    shipment,
)

DECADES = timedelta(days=30 * 365)
"""As long ago as no limited window reaches."""


def shipment_declared(at: datetime, **fields: Any) -> Record:
    """A consignment declared at an instant: the event of most windows."""
    return earlier_shipment(declared_at=at, **fields)


def facts_of_window(
    counted: Value,
    ignored: Value,
    *around: Record | Sequence[Record],
    days: int | None = None,
    key: Row,
    others: Mapping[str, Row],
    event: Callable[..., Record | Sequence[Record]] = shipment_declared,
    fact: Callable[..., Fact] = shipment,
    named: str = "one",
    **own: Any,
) -> list[Fact]:
    """What a feature is with one event more of its own `key` at each edge of its window.

    It is `counted` where the window holds the event, else `ignored`: what it is without it. `event`
    makes the event known at an instant; `others` name, for each column of the key, an event that
    differs in it alone. `own` are further fields of the subject.
    """

    def fact_at(says: str, expected: Value, at: datetime, **fields: Any) -> Fact:
        return fact(f"{named} {says}", expected, event(at, **key | fields), *around, **key | own)

    return [
        *(fact_at(says, expected, at) for says, at, expected in _instants(days, counted, ignored)),
        *(
            fact_at(f"of another {name}", ignored, before(days=1), **f)
            for name, f in others.items()
        ),
    ]


def _instants(
    days: int | None, counted: Value, ignored: Value
) -> list[tuple[str, datetime, Value]]:
    near = [
        ("a moment before the declaration", DECLARED - MOMENT, counted),
        ("at the instant of the declaration", DECLARED, ignored),
        ("a moment after the declaration", DECLARED + MOMENT, ignored),
        ("a day after the declaration", after(days=1), ignored),
    ]
    if days is None:
        return [*near, ("decades before", DECLARED - DECADES, counted)]
    return [
        *near,
        (f"{days} days before, to the moment", before(days=days), counted),
        (f"a moment more than {days} days before", before(days=days) - MOMENT, ignored),
    ]
