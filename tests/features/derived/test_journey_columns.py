"""The columns of a journey, as a subject and as that of a shipment."""

from datetime import datetime
from typing import Any

import pytest

from tests.features.derived.columns import check_of_subject
from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    after,
    before,
    each,
    earlier_journey,
    journey,
    route,
    shipment,
    table,
)


def joined(expected: Any, **fields: Any) -> list[Fact]:
    """Facts about a column of a shipment's journey: what it is, and when it is known."""

    def declared(at: datetime) -> Record:
        return journey(declared_at=at, **fields)

    return [
        shipment("of its journey", expected, journey(**fields), OTHER, journey_id="J"),
        shipment("declared years before", expected, declared(before(days=4_000)), journey_id="J"),
        shipment("declared just before", expected, declared(DECLARED - MOMENT), journey_id="J"),
        shipment("declared at the same instant", MISSING, declared(DECLARED), journey_id="J"),
        shipment("declared after it", MISSING, declared(after(days=1)), journey_id="J"),
        shipment("of a journey that is not there", MISSING, OTHER, journey_id="J"),
        shipment("of no journey", MISSING, journey(**fields)),
    ]


def may_be_missing(field: str, value: Any) -> list[Fact]:
    """Facts about a column of a shipment's journey that the journey may leave out."""
    without = shipment(
        "its journey leaves it out", MISSING, journey(**{field: None}), journey_id="J"
    )
    return [*joined(value, **{field: value}), without]


OTHER = earlier_journey()

routes = table(route, globals())
shipments = table(shipment, globals())

OF_SUBJECT = {
    "carrier_id": routes("""
        as its record says | "carrier"
        another | "own" | carrier_id="own"
    """),
    "subject_id": routes("""
        its id | "J"
        among others | "J" | earlier_journey()
    """),
    "known_at": routes("""
        as it is declared | DECLARED
        a day earlier | before(days=1) | declared_at=before(days=1)
        whenever it departed | DECLARED | departed_at=before(days=3), booked_at=before(days=9)
    """),
    "direct_distance_km": routes("""
        from Shanghai to Rotterdam | round(km(SHANGHAI, ROTTERDAM), 3)
        from Shanghai to Antwerp | round(km(SHANGHAI, ANTWERP), 3) | destination="BEANR"
        the way back | round(km(ROTTERDAM, SHANGHAI), 3) | origin="NLRTM", destination="CNSHA"
        in whole metres | round(km(ANTWERP, ROTTERDAM), 3) | origin="BEANR"
        to where it starts | 0.0 | destination="CNSHA"
        an origin that no table has | MISSING | origin="nowhere"
        a destination that no table has | MISSING | destination="nowhere"
    """),
    "hire_return_country": routes("""
        to Ningbo | "CN" | hire_return_location="CNNGB"
        to Antwerp | "BE" | hire_return_location="BEANR"
        to a place that no table has | MISSING | hire_return_location="nowhere"
        not hired | MISSING
    """),
    "distance_log_milli": routes("""
        to Rotterdam | float(round(1_000 * log(km(SHANGHAI, ROTTERDAM))))
        from Antwerp | float(round(1_000 * log(km(ANTWERP, ROTTERDAM)))) | origin="BEANR"
        to where it starts | MISSING | destination="CNSHA"
        an origin that no table has | MISSING | origin="nowhere"
    """),
    "squared_distance_log_milli": routes("""
        to Rotterdam | float(round(1_000 * log(km(SHANGHAI, ROTTERDAM))) ** 2)
        from Antwerp | float(round(1_000 * log(km(ANTWERP, ROTTERDAM))) ** 2) | origin="BEANR"
        to where it starts | MISSING | destination="CNSHA"
    """),
    "origin_country": routes("""
        Shanghai | "CN"
        Rotterdam | "NL" | origin="NLRTM", destination="CNSHA"
        of the two at a crossing the one that its table names first | "TR" | origin="BG-TR/KAPIKULE"
        a place that no table has | MISSING | origin="nowhere"
    """),
    "destination_country": routes("""
        Rotterdam | "NL"
        Shanghai | "CN" | origin="NLRTM", destination="CNSHA"
        of the two at a crossing the one that its table names first | "TR" |
            destination="BG-TR/KAPIKULE"
        a place that no table has | MISSING | destination="nowhere"
    """),
    "declared_cargo_mass_g": routes("""
        twenty tonnes | 20_000_000.0 | declared_cargo_mass_kg=20_000.0
        nothing on board | 0.0 | declared_cargo_mass_kg=0.0
        most of a gram is one | 1.0 | declared_cargo_mass_kg=0.0006
        less than half a gram is none | 0.0 | declared_cargo_mass_kg=0.0004
        not declared | MISSING
    """),
    "declared_cargo_mass_log_micro": routes("""
        a tonne | round(log(1_000) * 1e6) | declared_cargo_mass_kg=1_000.0
        a kilogram | 0.0 | declared_cargo_mass_kg=1.0
        half a kilogram | round(log(0.5) * 1e6) | declared_cargo_mass_kg=0.5
        in whole millionths | 1.0 | declared_cargo_mass_kg=1.000_001_4
        nothing on board has no logarithm | MISSING | declared_cargo_mass_kg=0.0
        not declared | MISSING
    """),
}
"""Of a journey that is scored itself."""

OF_SHIPMENT = {
    "journey_id": shipments("""
        its journey | "J" | journey(), journey_id="J"
        even one declared after it | "J" | journey(declared_at=after(days=1)), journey_id="J"
        even one that is not there | "J" | journey_id="J"
        none | MISSING | journey()
    """),
    "journey_journey_id": joined("J"),
    "journey_mode": joined("road", mode="road"),
    "journey_carrier_id": joined("own", carrier_id="own"),
    "journey_conveyance_id": joined("own", conveyance_id="own"),
    "journey_conveyance_kind": joined("van", conveyance_kind="van"),
    "journey_registration_country": may_be_missing("registration_country", "BG"),
    "journey_imo_number": may_be_missing("imo_number", "9074729"),
    "journey_mmsi": may_be_missing("mmsi", "211331640"),
    "journey_call_sign": may_be_missing("call_sign", "DABC"),
    "journey_plate_number": may_be_missing("plate_number", "B-TG 112"),
    "journey_cargo_unit": may_be_missing("cargo_unit", "reefer"),
    "journey_origin": joined("SGSIN", origin="SGSIN"),
    "journey_destination": joined("BEANR", destination="BEANR"),
    "journey_booked_at": may_be_missing("booked_at", before(days=9)),
    "journey_declared_at": shipments("""
        an hour before it | before(hours=1) | journey(), OTHER, journey_id="J"
        just before it | DECLARED - MOMENT | journey(declared_at=DECLARED - MOMENT), journey_id="J"
        at the same instant | MISSING | journey(declared_at=DECLARED), journey_id="J"
        after it | MISSING | journey(declared_at=after(days=1)), journey_id="J"
        of a journey that is not there | MISSING | OTHER, journey_id="J"
        of no journey | MISSING | journey()
    """),
    "journey_departed_at": may_be_missing("departed_at", before(days=3)),
    "journey_due_at": joined(after(days=3), due_at=after(days=3)),
    "journey_certified_capacity": may_be_missing("certified_capacity", 12),
    "journey_persons_on_board": may_be_missing("persons_on_board", 3),
    "journey_declared_cargo_mass_kg": may_be_missing("declared_cargo_mass_kg", 20_000.0),
    "journey_hire_started_at": may_be_missing("hire_started_at", before(days=2)),
    "journey_hire_return_location": may_be_missing("hire_return_location", "BEANR"),
}
"""Of a shipment, by the journey that carries it."""

FACTS = OF_SUBJECT | OF_SHIPMENT


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_of_a_journey_is_what_its_facts_say(column: str, facts: list[Fact]) -> None:
    check_of_subject(column, facts)
