"""What the features of `features/families/corridor.py` make of small stories."""

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    after,
    before,
    check,
    each,
    earlier_journey,
    earlier_shipment,
    journey_alike_in,
    route,
    shipment,
    shipment_alike_in,
)


def journeys(count: int, **fields) -> list[Record]:
    """So many earlier journeys, alike in what is not named."""
    return [earlier_journey(**fields) for _ in range(count)]


def now(count: int, **fields) -> list[Record]:
    """So many journeys of this week."""
    return journeys(count, declared_at=before(days=1), **fields)


def then(count: int, **fields) -> list[Record]:
    """So many journeys of a month ago."""
    return journeys(count, declared_at=before(days=30), **fields)


def shipments(count: int, **fields) -> list[Record]:
    """So many earlier shipments, alike in what is not named."""
    return [earlier_shipment(**fields) for _ in range(count)]


def loaded(mass_kg: float | None, **fields) -> Record:
    """An earlier journey with so much cargo."""
    return earlier_journey(declared_cargo_mass_kg=mass_kg, **fields)


FACTS = {
    "corridor_journeys_90d": [
        route("a new corridor", 0),
        route("three journeys", 3, journeys(3)),
        route("whoever goes, with whatever", 1, journey_alike_in("origin", "destination", "mode")),
        route("ninety days ago", 1, journeys(1, declared_at=before(days=90))),
        route(
            "a microsecond more than ninety days ago",
            0,
            journeys(1, declared_at=before(days=90) - MOMENT),
        ),
        route("just before", 1, journeys(1, declared_at=DECLARED - MOMENT)),
        route("at the same instant", 0, journeys(1, declared_at=DECLARED)),
        route("later", 0, journeys(1, declared_at=after(days=1))),
        route("from another place", 0, journeys(1, origin="SGSIN")),
        route("to another place", 0, journeys(1, destination="BEANR")),
        route("by another mode", 0, journeys(1, mode="air")),
        route("the way back", 0, journeys(1, origin="NLRTM", destination="CNSHA")),
    ],
    "carrier_corridor_journeys": [
        route("a new corridor", 0),
        route("three journeys", 3, journeys(3)),
        route(
            "by whatever mode, with whatever",
            1,
            journey_alike_in("carrier_id", "origin", "destination"),
        ),
        route("years ago", 1, journeys(1, declared_at=before(days=4_000))),
        route("just before", 1, journeys(1, declared_at=DECLARED - MOMENT)),
        route("at the same instant", 0, journeys(1, declared_at=DECLARED)),
        route("later", 0, journeys(1, declared_at=after(days=1))),
        route("another carrier", 0, journeys(1, carrier_id="other")),
        route("from another place", 0, journeys(1, origin="SGSIN")),
        route("to another place", 0, journeys(1, destination="BEANR")),
    ],
    "destination_surge_ratio_7d": [
        route("as many as in a usual week", (1 / 7) / (1 / 83), now(1), then(1)),
        route("twelve times the pace of before", (2 / 7) / (1 / 83), now(2), then(1)),
        route("none in this week", 0.0, then(2)),
        route("the week itself is not what is usual", (1 / 7) / (2 / 83), now(1), then(2)),
        route("all in this week, so nothing is usual", MISSING, now(2)),
        route(
            "whoever goes there, from wherever",
            (1 / 7) / (1 / 83),
            journey_alike_in("destination", declared_at=before(days=1)),
            journey_alike_in("destination", declared_at=before(days=30)),
        ),
        route(
            "seven days ago is this week",
            (1 / 7) / (1 / 83),
            journeys(1, declared_at=before(days=7)),
            then(1),
        ),
        route("a microsecond more is not", 0.0, journeys(1, declared_at=before(days=7) - MOMENT)),
        route("ninety days ago", 0.0, journeys(1, declared_at=before(days=90))),
        route(
            "a microsecond more than ninety days ago",
            MISSING,
            journeys(1, declared_at=before(days=90) - MOMENT),
        ),
        route(
            "just before", (1 / 7) / (1 / 83), journeys(1, declared_at=DECLARED - MOMENT), then(1)
        ),
        route("at the same instant", 0.0, journeys(1, declared_at=DECLARED), then(1)),
        route("later", 0.0, journeys(1, declared_at=after(days=1)), then(1)),
        route("to another place", 0.0, now(1, destination="BEANR"), then(1)),
        route("to another place before", MISSING, now(1), then(1, destination="BEANR")),
        route("nobody went there", MISSING),
    ],
    "cargo_mass_to_corridor_ratio_365d": [
        route("half the usual load", 500 / 1_000, loaded(1_000.0), declared_cargo_mass_kg=500.0),
        route(
            "four times the usual load",
            4_000 / 1_000,
            loaded(1_000.0),
            declared_cargo_mass_kg=4_000.0,
        ),
        route(
            "the usual load is the mean",
            600 / ((100 + 200 + 900) / 3),
            loaded(100.0),
            loaded(200.0),
            loaded(900.0),
            declared_cargo_mass_kg=600.0,
        ),
        route("nothing on board", 0.0, loaded(1_000.0), declared_cargo_mass_kg=0.0),
        route(
            "a journey without a mass is not in the mean",
            500 / 1_000,
            loaded(1_000.0),
            loaded(None),
            declared_cargo_mass_kg=500.0,
        ),
        route(
            "an empty run is",
            500 / ((1_000 + 0) / 2),
            loaded(1_000.0),
            loaded(0.0),
            declared_cargo_mass_kg=500.0,
        ),
        route(
            "whoever goes, with whatever",
            500 / 1_000,
            journey_alike_in("origin", "destination", "mode", declared_cargo_mass_kg=1_000.0),
            declared_cargo_mass_kg=500.0,
        ),
        route(
            "a year ago",
            5 / 10,
            loaded(10.0, declared_at=before(days=365)),
            declared_cargo_mass_kg=5.0,
        ),
        route(
            "just before",
            5 / 10,
            loaded(10.0, declared_at=DECLARED - MOMENT),
            declared_cargo_mass_kg=5.0,
        ),
        route(
            "a microsecond more than a year ago",
            MISSING,
            loaded(10.0, declared_at=before(days=365) - MOMENT),
            declared_cargo_mass_kg=5.0,
        ),
        route(
            "at the same instant",
            MISSING,
            loaded(10.0, declared_at=DECLARED),
            declared_cargo_mass_kg=5.0,
        ),
        route(
            "later", MISSING, loaded(10.0, declared_at=after(days=1)), declared_cargo_mass_kg=5.0
        ),
        route(
            "from another place", MISSING, loaded(10.0, origin="SGSIN"), declared_cargo_mass_kg=5.0
        ),
        route(
            "to another place",
            MISSING,
            loaded(10.0, destination="BEANR"),
            declared_cargo_mass_kg=5.0,
        ),
        route("by another mode", MISSING, loaded(10.0, mode="air"), declared_cargo_mass_kg=5.0),
        route("nobody used the corridor", MISSING, declared_cargo_mass_kg=5.0),
        route("nobody declared a mass", MISSING, loaded(None), declared_cargo_mass_kg=5.0),
        route("everybody was empty", MISSING, loaded(0.0), declared_cargo_mass_kg=5.0),
        route("no mass was declared", MISSING, loaded(10.0)),
    ],
    "goods_lane_shipments_90d": [
        shipment("a new lane", 0),
        shipment("three shipments", 3, shipments(3)),
        shipment("other goods of the same heading", 1, shipments(1, hs_code="890399")),
        shipment(
            "whoever sends them, wherever they are made",
            1,
            shipment_alike_in("dispatch_country", "destination_country", hs_code="890399"),
        ),
        shipment("ninety days ago", 1, shipments(1, declared_at=before(days=90))),
        shipment(
            "a microsecond more than ninety days ago",
            0,
            shipments(1, declared_at=before(days=90) - MOMENT),
        ),
        shipment("just before", 1, shipments(1, declared_at=DECLARED - MOMENT)),
        shipment("at the same instant", 0, shipments(1, declared_at=DECLARED)),
        shipment("later", 0, shipments(1, declared_at=after(days=1))),
        shipment("another heading of the same chapter", 0, shipments(1, hs_code="890110")),
        shipment("sent from another country", 0, shipments(1, dispatch_country="JP")),
        shipment("sent to another country", 0, shipments(1, destination_country="BE")),
    ],
    "goods_origin_shipments_365d": [
        shipment("a new origin", 0),
        shipment("three shipments", 3, shipments(3)),
        shipment(
            "whoever sends them, on whatever way", 1, shipment_alike_in("hs_code", "origin_country")
        ),
        shipment("a year ago", 1, shipments(1, declared_at=before(days=365))),
        shipment(
            "a microsecond more than a year ago",
            0,
            shipments(1, declared_at=before(days=365) - MOMENT),
        ),
        shipment("just before", 1, shipments(1, declared_at=DECLARED - MOMENT)),
        shipment("at the same instant", 0, shipments(1, declared_at=DECLARED)),
        shipment("later", 0, shipments(1, declared_at=after(days=1))),
        shipment("other goods of the same heading", 0, shipments(1, hs_code="890399")),
        shipment("made in another country", 0, shipments(1, origin_country="JP")),
    ],
    "consignee_dispatch_shipments": [
        shipment("a new lane", 0),
        shipment("three shipments", 3, shipments(3)),
        shipment(
            "whatever it is, whoever sends it",
            1,
            shipment_alike_in("consignee_id", "dispatch_country"),
        ),
        shipment("sent to another country", 1, shipments(1, destination_country="BE")),
        shipment("years ago", 1, shipments(1, declared_at=before(days=4_000))),
        shipment("just before", 1, shipments(1, declared_at=DECLARED - MOMENT)),
        shipment("at the same instant", 0, shipments(1, declared_at=DECLARED)),
        shipment("later", 0, shipments(1, declared_at=after(days=1))),
        shipment("another consignee", 0, shipments(1, consignee_id="other")),
        shipment("from another country", 0, shipments(1, dispatch_country="JP")),
    ],
    "origin_of_dispatch_ratio": [
        shipment("all from there were made there", 3 / 3, shipments(3)),
        shipment("one of four", 1 / 4, shipments(1), shipments(3, origin_country="JP")),
        shipment("three of four", 3 / 4, shipments(3), shipments(1, origin_country="JP")),
        shipment("none", 0.0, shipments(2, origin_country="JP")),
        shipment(
            "made elsewhere as these are",
            1 / 3,
            shipments(1, origin_country="JP"),
            shipments(2),
            origin_country="JP",
        ),
        shipment(
            "whoever sends them, to whomever",
            1.0,
            shipment_alike_in("hs_code", "dispatch_country", "origin_country"),
        ),
        shipment("years ago", 1.0, shipments(1, declared_at=before(days=4_000))),
        shipment("just before", 1.0, shipments(1, declared_at=DECLARED - MOMENT)),
        shipment("at the same instant", MISSING, shipments(1, declared_at=DECLARED)),
        shipment("later", MISSING, shipments(1, declared_at=after(days=1))),
        shipment("other goods of the same heading", MISSING, shipments(1, hs_code="890399")),
        shipment("such goods from another country", MISSING, shipments(1, dispatch_country="JP")),
        shipment(
            "other goods and another country do not count",
            1 / 2,
            shipments(1),
            shipments(1, origin_country="JP"),
            shipments(1, hs_code="890399"),
            shipments(1, dispatch_country="JP"),
        ),
        shipment("no shipment before", MISSING),
    ],
    "corridor_of_carrier_ratio": [
        route("always the same way", 3 / 3, journeys(3)),
        route("one of four", 1 / 4, journeys(1), journeys(3, destination="BEANR")),
        route("three of four", 3 / 4, journeys(3), journeys(1, origin="SGSIN")),
        route("never this way", 0.0, journeys(2, destination="BEANR")),
        route("from another place", 0.0, journeys(1, origin="SGSIN")),
        route(
            "by whatever mode, with whatever",
            1.0,
            journey_alike_in("carrier_id", "origin", "destination"),
        ),
        route("years ago", 1.0, journeys(1, declared_at=before(days=4_000))),
        route("just before", 1.0, journeys(1, declared_at=DECLARED - MOMENT)),
        route("at the same instant", MISSING, journeys(1, declared_at=DECLARED)),
        route("later", MISSING, journeys(1, declared_at=after(days=1))),
        route("another carrier", MISSING, journeys(1, carrier_id="other")),
        route(
            "another carrier does not count",
            1 / 2,
            journeys(1),
            journeys(1, origin="SGSIN"),
            journeys(1, carrier_id="other"),
        ),
        route("a new carrier", MISSING),
    ],
    "corridor_carriers_365d": [
        route("a new corridor", 0),
        route("its own carrier, often", 1, journeys(3)),
        route(
            "three carriers", 3, *(journeys(2, carrier_id=carrier) for carrier in ("A", "B", "C"))
        ),
        route("whoever goes, with whatever", 1, journey_alike_in("origin", "destination", "mode")),
        route("a year ago", 1, journeys(1, declared_at=before(days=365))),
        route(
            "a microsecond more than a year ago",
            0,
            journeys(1, declared_at=before(days=365) - MOMENT),
        ),
        route("just before", 1, journeys(1, declared_at=DECLARED - MOMENT)),
        route("at the same instant", 0, journeys(1, declared_at=DECLARED)),
        route("later", 0, journeys(1, declared_at=after(days=1))),
        route("from another place", 0, journeys(1, origin="SGSIN")),
        route("to another place", 0, journeys(1, destination="BEANR")),
        route("by another mode", 0, journeys(1, mode="air")),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
