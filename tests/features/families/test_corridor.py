"""What the features of `features/families/corridor.py` make of small stories."""

import pytest

from tests.features.families.facts import (
    Fact,
    Record,
    before,
    check,
    each,
    earlier_journey,
    earlier_shipment,
    route,
    shipment,
    table,
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


routes = table(route, globals())
of_shipments = table(shipment, globals())

FACTS = {
    "corridor_journeys_90d": routes("""
        a new corridor | 0
        three journeys | 3 | journeys(3)
        whoever goes, with whatever | 1 | journey_alike_in("origin", "destination", "mode")
        ninety days ago | 1 | journeys(1, declared_at=before(days=90))
        a microsecond more than ninety days ago | 0 |
            journeys(1, declared_at=before(days=90) - MOMENT)
        just before | 1 | journeys(1, declared_at=DECLARED - MOMENT)
        at the same instant | 0 | journeys(1, declared_at=DECLARED)
        later | 0 | journeys(1, declared_at=after(days=1))
        from another place | 0 | journeys(1, origin="SGSIN")
        to another place | 0 | journeys(1, destination="BEANR")
        by another mode | 0 | journeys(1, mode="air")
        the way back | 0 | journeys(1, origin="NLRTM", destination="CNSHA")
    """),
    "carrier_corridor_journeys": routes("""
        a new corridor | 0
        three journeys | 3 | journeys(3)
        by whatever mode, with whatever | 1 |
            journey_alike_in("carrier_id", "origin", "destination")
        years ago | 1 | journeys(1, declared_at=before(days=4_000))
        just before | 1 | journeys(1, declared_at=DECLARED - MOMENT)
        at the same instant | 0 | journeys(1, declared_at=DECLARED)
        later | 0 | journeys(1, declared_at=after(days=1))
        another carrier | 0 | journeys(1, carrier_id="other")
        from another place | 0 | journeys(1, origin="SGSIN")
        to another place | 0 | journeys(1, destination="BEANR")
    """),
    "destination_surge_ratio_7d": routes("""
        as many as in a usual week | (1 / 7) / (1 / 83) | now(1), then(1)
        twelve times the pace of before | (2 / 7) / (1 / 83) | now(2), then(1)
        none in this week | 0.0 | then(2)
        the week itself is not what is usual | (1 / 7) / (2 / 83) | now(1), then(2)
        all in this week, so nothing is usual | MISSING | now(2)
        whoever goes there, from wherever | (1 / 7) / (1 / 83) |
            journey_alike_in("destination", declared_at=before(days=1)),
            journey_alike_in("destination", declared_at=before(days=30))
        seven days ago is this week | (1 / 7) / (1 / 83) | journeys(1, declared_at=before(days=7)),
            then(1)
        a microsecond more is not | 0.0 | journeys(1, declared_at=before(days=7) - MOMENT)
        ninety days ago | 0.0 | journeys(1, declared_at=before(days=90))
        a microsecond more than ninety days ago | MISSING |
            journeys(1, declared_at=before(days=90) - MOMENT)
        just before | (1 / 7) / (1 / 83) | journeys(1, declared_at=DECLARED - MOMENT), then(1)
        at the same instant | 0.0 | journeys(1, declared_at=DECLARED), then(1)
        later | 0.0 | journeys(1, declared_at=after(days=1)), then(1)
        to another place | 0.0 | now(1, destination="BEANR"), then(1)
        to another place before | MISSING | now(1), then(1, destination="BEANR")
        nobody went there | MISSING
    """),
    "cargo_mass_to_corridor_ratio_365d": routes("""
        half the usual load | 500 / 1_000 | loaded(1_000.0), declared_cargo_mass_kg=500.0
        four times the usual load | 4_000 / 1_000 | loaded(1_000.0), declared_cargo_mass_kg=4_000.0
        the usual load is the mean | 600 / ((100 + 200 + 900) / 3) | loaded(100.0), loaded(200.0),
            loaded(900.0), declared_cargo_mass_kg=600.0
        nothing on board | 0.0 | loaded(1_000.0), declared_cargo_mass_kg=0.0
        a journey without a mass is not in the mean | 500 / 1_000 | loaded(1_000.0), loaded(None),
            declared_cargo_mass_kg=500.0
        an empty run is | 500 / ((1_000 + 0) / 2) | loaded(1_000.0), loaded(0.0),
            declared_cargo_mass_kg=500.0
        whoever goes, with whatever | 500 / 1_000 |
            journey_alike_in("origin", "destination", "mode", declared_cargo_mass_kg=1_000.0),
            declared_cargo_mass_kg=500.0
        a year ago | 5 / 10 | loaded(10.0, declared_at=before(days=365)), declared_cargo_mass_kg=5.0
        just before | 5 / 10 | loaded(10.0, declared_at=DECLARED - MOMENT),
            declared_cargo_mass_kg=5.0
        a microsecond more than a year ago | MISSING |
            loaded(10.0, declared_at=before(days=365) - MOMENT), declared_cargo_mass_kg=5.0
        at the same instant | MISSING | loaded(10.0, declared_at=DECLARED),
            declared_cargo_mass_kg=5.0
        later | MISSING | loaded(10.0, declared_at=after(days=1)), declared_cargo_mass_kg=5.0
        from another place | MISSING | loaded(10.0, origin="SGSIN"), declared_cargo_mass_kg=5.0
        to another place | MISSING | loaded(10.0, destination="BEANR"), declared_cargo_mass_kg=5.0
        by another mode | MISSING | loaded(10.0, mode="air"), declared_cargo_mass_kg=5.0
        nobody used the corridor | MISSING | declared_cargo_mass_kg=5.0
        nobody declared a mass | MISSING | loaded(None), declared_cargo_mass_kg=5.0
        everybody was empty | MISSING | loaded(0.0), declared_cargo_mass_kg=5.0
        no mass was declared | MISSING | loaded(10.0)
    """),
    "goods_lane_shipments_90d": of_shipments("""
        a new lane | 0
        three shipments | 3 | shipments(3)
        other goods of the same heading | 1 | shipments(1, hs_code="890399")
        whoever sends them, wherever they are made | 1 |
            shipment_alike_in("dispatch_country", "destination_country", hs_code="890399")
        ninety days ago | 1 | shipments(1, declared_at=before(days=90))
        a microsecond more than ninety days ago | 0 |
            shipments(1, declared_at=before(days=90) - MOMENT)
        just before | 1 | shipments(1, declared_at=DECLARED - MOMENT)
        at the same instant | 0 | shipments(1, declared_at=DECLARED)
        later | 0 | shipments(1, declared_at=after(days=1))
        another heading of the same chapter | 0 | shipments(1, hs_code="890110")
        sent from another country | 0 | shipments(1, dispatch_country="JP")
        sent to another country | 0 | shipments(1, destination_country="BE")
    """),
    "goods_origin_shipments_365d": of_shipments("""
        a new origin | 0
        three shipments | 3 | shipments(3)
        whoever sends them, on whatever way | 1 | shipment_alike_in("hs_code", "origin_country")
        a year ago | 1 | shipments(1, declared_at=before(days=365))
        a microsecond more than a year ago | 0 | shipments(1, declared_at=before(days=365) - MOMENT)
        just before | 1 | shipments(1, declared_at=DECLARED - MOMENT)
        at the same instant | 0 | shipments(1, declared_at=DECLARED)
        later | 0 | shipments(1, declared_at=after(days=1))
        other goods of the same heading | 0 | shipments(1, hs_code="890399")
        made in another country | 0 | shipments(1, origin_country="JP")
    """),
    "consignee_dispatch_shipments": of_shipments("""
        a new lane | 0
        three shipments | 3 | shipments(3)
        whatever it is, whoever sends it | 1 | shipment_alike_in("consignee_id", "dispatch_country")
        sent to another country | 1 | shipments(1, destination_country="BE")
        years ago | 1 | shipments(1, declared_at=before(days=4_000))
        just before | 1 | shipments(1, declared_at=DECLARED - MOMENT)
        at the same instant | 0 | shipments(1, declared_at=DECLARED)
        later | 0 | shipments(1, declared_at=after(days=1))
        another consignee | 0 | shipments(1, consignee_id="other")
        from another country | 0 | shipments(1, dispatch_country="JP")
    """),
    "origin_of_dispatch_ratio": of_shipments("""
        all from there were made there | 3 / 3 | shipments(3)
        one of four | 1 / 4 | shipments(1), shipments(3, origin_country="JP")
        three of four | 3 / 4 | shipments(3), shipments(1, origin_country="JP")
        none | 0.0 | shipments(2, origin_country="JP")
        made elsewhere as these are | 1 / 3 | shipments(1, origin_country="JP"), shipments(2),
            origin_country="JP"
        whoever sends them, to whomever | 1.0 |
            shipment_alike_in("hs_code", "dispatch_country", "origin_country")
        years ago | 1.0 | shipments(1, declared_at=before(days=4_000))
        just before | 1.0 | shipments(1, declared_at=DECLARED - MOMENT)
        at the same instant | MISSING | shipments(1, declared_at=DECLARED)
        later | MISSING | shipments(1, declared_at=after(days=1))
        other goods of the same heading | MISSING | shipments(1, hs_code="890399")
        such goods from another country | MISSING | shipments(1, dispatch_country="JP")
        other goods and another country do not count | 1 / 2 | shipments(1),
            shipments(1, origin_country="JP"), shipments(1, hs_code="890399"),
            shipments(1, dispatch_country="JP")
        no shipment before | MISSING
    """),
    "corridor_of_carrier_ratio": routes("""
        always the same way | 3 / 3 | journeys(3)
        one of four | 1 / 4 | journeys(1), journeys(3, destination="BEANR")
        three of four | 3 / 4 | journeys(3), journeys(1, origin="SGSIN")
        never this way | 0.0 | journeys(2, destination="BEANR")
        from another place | 0.0 | journeys(1, origin="SGSIN")
        by whatever mode, with whatever | 1.0 |
            journey_alike_in("carrier_id", "origin", "destination")
        years ago | 1.0 | journeys(1, declared_at=before(days=4_000))
        just before | 1.0 | journeys(1, declared_at=DECLARED - MOMENT)
        at the same instant | MISSING | journeys(1, declared_at=DECLARED)
        later | MISSING | journeys(1, declared_at=after(days=1))
        another carrier | MISSING | journeys(1, carrier_id="other")
        another carrier does not count | 1 / 2 | journeys(1), journeys(1, origin="SGSIN"),
            journeys(1, carrier_id="other")
        a new carrier | MISSING
    """),
    "corridor_carriers_365d": routes("""
        a new corridor | 0
        its own carrier, often | 1 | journeys(3)
        three carriers | 3 | *(journeys(2, carrier_id=carrier) for carrier in ("A", "B", "C"))
        whoever goes, with whatever | 1 | journey_alike_in("origin", "destination", "mode")
        a year ago | 1 | journeys(1, declared_at=before(days=365))
        a microsecond more than a year ago | 0 | journeys(1, declared_at=before(days=365) - MOMENT)
        just before | 1 | journeys(1, declared_at=DECLARED - MOMENT)
        at the same instant | 0 | journeys(1, declared_at=DECLARED)
        later | 0 | journeys(1, declared_at=after(days=1))
        from another place | 0 | journeys(1, origin="SGSIN")
        to another place | 0 | journeys(1, destination="BEANR")
        by another mode | 0 | journeys(1, mode="air")
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
