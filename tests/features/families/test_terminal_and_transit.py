"""What the features of `features/families/terminal_and_transit.py` make of small stories."""

from datetime import timedelta
from typing import Any

import pytest

from tests.features.families.facts import (
    Fact,
    Record,
    before,
    both,
    check,
    each,
    event,
    shipment,
    table,
)


def happened(kind: str, days: float, **fields: Any) -> Record:
    """An event so many days before the declaration, known an hour later."""
    at = before(days=days)
    return event(kind, **{"occurred_at": at, "known_at": at + timedelta(hours=1)} | fields)


def opened(days: float, limit_days: float, **fields: Any) -> Record:
    """A transit that opened so many days before, with a limit so many days before."""
    return happened("transit_opened", days, time_limit_at=before(days=limit_days), **fields)


of_both = table(both, globals())
shipments = table(shipment, globals())

FACTS = {
    "terminal_dwell_days": shipments("""
        planted: three weeks | 21.0 | happened("discharged", 22), happened("gate_out", 1)
        innocent: half a day | 0.5 | happened("discharged", 2), happened("gate_out", 1.5)
        out as it was discharged | 0.0 | happened("discharged", 2), happened("gate_out", 2)
        still there | MISSING | happened("discharged", 22)
        its discharge is not known | MISSING | happened("gate_out", 1)
        nothing is known | MISSING
        out before it | MISSING | happened("discharged", 1), happened("gate_out", 2)
        out of the gate is known too late | MISSING | happened("discharged", 22),
            happened("gate_out", 1, known_at=DECLARED)
        in again and out again | 4.0 | happened("discharged", 9), happened("gate_out", 5),
            happened("gate_in", 4), happened("gate_out", 1)
        discharged on the way, too | 1.0 | happened("discharged", 30, place="SGSIN"),
            happened("gate_out", 28, place="SGSIN"), happened("discharged", 3, place="NLRTM"),
            happened("gate_out", 2, place="NLRTM")
        another box of the terminal | MISSING |
            happened("discharged", 9, container_number="MSKU9070323"),
            happened("gate_out", 1, container_number="CSQU3054383"), container_number="CSQU3054383"
    """),
    "gate_out_before_arrival_hours": shipments("""
        planted: a day before its ship was there | 24.0 | happened("gate_out", 3),
            happened("arrived", 2), happened("discharged", 1.5)
        innocent: arrived, discharged, out | 0.0 | happened("arrived", 3),
            happened("discharged", 2), happened("gate_out", 1)
        before its discharge | 12.0 | happened("gate_out", 2), happened("discharged", 1.5)
        no arrival is known | MISSING | happened("gate_out", 3)
        it is still there | MISSING | happened("arrived", 3)
        nothing is known | MISSING
        an arrival that is only announced | MISSING | happened("gate_out", 3),
            event("arrived", occurred_at=after(days=2), known_at=before(days=1))
        out of a gate where it came from | MISSING | happened("gate_out", 30, place="CNSHA"),
            happened("arrived", 3, place="NLRTM")
    """),
    "transit_overdue_days": of_both("""
        planted: a week over its limit, and open | 7.0 | opened(15, 7)
        planted: discharged four days late | 4.0 | opened(15, 7), happened("transit_discharged", 3)
        innocent: discharged a day before its limit | 0.0 | opened(15, 7),
            happened("transit_discharged", 8)
        innocent: its limit is to come | 0.0 | opened(5, -3)
        no transit | MISSING
        no limit is known | MISSING | happened("transit_opened", 15)
        discharged, and never opened | MISSING | happened("transit_discharged", 3)
        its discharge is known too late | 7.0 | opened(15, 7),
            happened("transit_discharged", 8, known_at=DECLARED)
        one was discharged, the next is open | 2.0 | opened(30, 25),
            happened("transit_discharged", 26), opened(9, 2)
        one was never discharged, the next was | 0.0 | opened(30, 25), opened(9, 2),
            happened("transit_discharged", 3)
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
