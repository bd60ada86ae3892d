"""What the features of `features/families/conveyance.py` make of small stories."""

from functools import partial
from math import exp, log
from statistics import fmean, pstdev

import pytest

from tests.features.families.facts import (
    MISSING,
    Fact,
    Record,
    check,
    each,
    earlier_journey,
    route,
    table,
)
from tests.features.families.globe import ALGECIRAS, LAS_PALMAS, TANGIER, km


def loaded(mass_kg: float | None, **fields) -> Record:
    """An earlier journey with so much cargo."""
    return earlier_journey(declared_cargo_mass_kg=mass_kg, **fields)


truck = partial(route, mode="road", conveyance_kind="truck")
boat = partial(route, conveyance_kind="small_craft", origin="ESALG", destination="MATNG")


def crossings(
    count: int, destination: str = "MATNG", kind: str = "small_craft", **fields
) -> list[Record]:
    """So many earlier crossings by such a craft from Algeciras."""
    fields = {"origin": "ESALG", "destination": destination} | fields
    return [earlier_journey(conveyance_kind=kind, **fields) for _ in range(count)]


SHORT_KM, LONG_KM = round(km(ALGECIRAS, TANGIER), 3), round(km(ALGECIRAS, LAS_PALMAS), 3)
LOG_SHORT, LOG_LONG = (round(1_000 * log(length)) for length in (SHORT_KM, LONG_KM))


def range_km(shorts: int, longs: int) -> float:
    """What 99 of 100 crossings keep to, after so many short and long ones: by mean and spread."""
    logs = [LOG_SHORT] * shorts + [LOG_LONG] * longs
    return exp((fmean(logs) + 2.326 * pstdev(logs)) / 1_000)


boats = table(boat, globals())
routes = table(route, globals())
trucks = table(truck, globals())

FACTS = {
    "distance_to_range_ratio_365d": boats("""
        to Las Palmas, where all cross the strait | LONG_KM / range_km(30, 0) | crossings(30),
            destination="ESLPA"
        over the strait as all do | SHORT_KM / range_km(30, 0) | crossings(30)
        over the strait, where some go far | SHORT_KM / range_km(27, 3) | crossings(27),
            crossings(3, "ESLPA")
        by ship it is no matter | LONG_KM / range_km(30, 0) | crossings(30),
            crossings(9, "ESLPA", kind="tanker"), destination="ESLPA"
        29 of its kind are too few | MISSING | crossings(29)
        a year ago is in time | SHORT_KM / range_km(30, 0) |
            crossings(30, declared_at=before(days=365))
        a microsecond more than a year ago is not | MISSING |
            crossings(30, declared_at=before(days=365) - MOMENT)
        at the same instant | MISSING | crossings(30, declared_at=DECLARED)
        a place that no table has | MISSING | crossings(30), destination="a beach"
        by another mode | MISSING | crossings(30, mode="inland_waterway")
        by road | MISSING | crossings(30, mode="road"), mode="road"
        none of its kind travelled | MISSING
    """),
    "conveyance_kind": routes("""
        a container ship | "container_ship"
        a van | "van" | conveyance_kind="van"
        whatever went before | "van" | earlier_journey(), conveyance_kind="van"
    """),
    "mode": routes("""
        by sea | "sea"
        by inland waterway | "inland_waterway" | mode="inland_waterway"
        whatever went before | "road" | earlier_journey(), mode="road"
    """),
    "certified_capacity_count": routes("""
        twelve | 12 | certified_capacity=12
        none | 0 | certified_capacity=0
        how many are on board is no matter | 12 | certified_capacity=12, persons_on_board=60
        no certificate | MISSING
        no certificate, but people on board | MISSING | persons_on_board=60
    """),
    "declared_cargo_mass_kg": routes("""
        twenty tonnes | 20_000.0 | declared_cargo_mass_kg=20_000.0
        in grams | 0.125 | declared_cargo_mass_kg=0.125
        nothing on board | 0.0 | declared_cargo_mass_kg=0.0
        no mass was declared | MISSING
        only on an earlier journey | MISSING | loaded(5_000.0)
    """),
    "cargo_mass_to_usual_ratio_365d": routes("""
        half its usual load | 500 / 1_000 | loaded(1_000.0), declared_cargo_mass_kg=500.0
        four times its usual load | 4_000 / 1_000 | loaded(1_000.0), declared_cargo_mass_kg=4_000.0
        the usual load is the mean | 600 / ((100 + 200 + 900) / 3) | loaded(100.0), loaded(200.0),
            loaded(900.0), declared_cargo_mass_kg=600.0
        nothing on board | 0.0 | loaded(1_000.0), declared_cargo_mass_kg=0.0
        a journey without a mass is not in the mean | 500 / 1_000 | loaded(1_000.0), loaded(None),
            declared_cargo_mass_kg=500.0
        an empty run is in the mean | 500 / ((1_000 + 0) / 2) | loaded(1_000.0), loaded(0.0),
            declared_cargo_mass_kg=500.0
        the same conveyance, whoever runs it and wherever it goes | 500 / 1_000 |
            journey_alike_in("conveyance_id", declared_cargo_mass_kg=1_000.0),
            declared_cargo_mass_kg=500.0
        a year ago | 5 / 10 | loaded(10.0, declared_at=before(days=365)), declared_cargo_mass_kg=5.0
        just before | 5 / 10 | loaded(10.0, declared_at=DECLARED - MOMENT),
            declared_cargo_mass_kg=5.0
        a microsecond more than a year ago | MISSING |
            loaded(10.0, declared_at=before(days=365) - MOMENT), declared_cargo_mass_kg=5.0
        at the same instant | MISSING | loaded(10.0, declared_at=DECLARED),
            declared_cargo_mass_kg=5.0
        later | MISSING | loaded(10.0, declared_at=after(days=1)), declared_cargo_mass_kg=5.0
        another conveyance | MISSING | loaded(10.0, conveyance_id="other"),
            declared_cargo_mass_kg=5.0
        it never travelled | MISSING | declared_cargo_mass_kg=5.0
        it never declared a mass | MISSING | loaded(None), declared_cargo_mass_kg=5.0
        it always travelled empty | MISSING | loaded(0.0), declared_cargo_mass_kg=5.0
        no mass was declared | MISSING | loaded(10.0)
    """),
    "is_registered_elsewhere": [
        *trucks("""
            where it comes from | 0 | registration_country="CN"
            where it goes to | 0 | registration_country="NL"
            at both ends | 0 | registration_country="NL", origin="NLAMS"
            in a third country | 1 | registration_country="PL"
            in a third country, within one | 1 | registration_country="PL", origin="NLAMS"
            no registration is known | MISSING | registration_country=None
            an origin that no table has | MISSING | origin="nowhere"
            a destination that no table has | MISSING | destination="nowhere"
            an origin that no table has, registered where it goes to | MISSING | origin="nowhere",
                registration_country="NL"
            nothing is known | MISSING | registration_country=None, origin="x", destination="y"
        """),
        route("a flag of convenience at sea is usual", MISSING, registration_country="PA"),
        route("an aircraft", MISSING, registration_country="IE", mode="air"),
    ],
    "is_hire_returned_abroad": routes("""
        to be returned where it set out | 0 | hire_return_location="CNSHA"
        to be returned in the same country | 0 | hire_return_location="CNNGB"
        to be returned where it goes | 1 | hire_return_location="NLRTM"
        to be returned in a third country | 1 | hire_return_location="BEANR"
        set out there | 0 | hire_return_location="BEANR", origin="BEANR"
        not hired | MISSING
        hired, but nobody says where it returns | MISSING | hire_started_at=before(days=1)
        to be returned at a place in no table | MISSING | hire_return_location="nowhere"
        set out at a place in no table | MISSING | hire_return_location="x", origin="y"
    """),
    "hired_before_hours": routes("""
        two days | 48.0 | hire_started_at=before(days=2)
        ninety minutes | 1.5 | hire_started_at=before(minutes=90)
        as it is declared | 0.0 | hire_started_at=DECLARED
        a hire that is yet to start | -3.0 | hire_started_at=after(hours=3)
        it left before it was declared | 24.0 | hire_started_at=before(days=3),
            departed_at=before(days=2)
        it leaves after it was declared, which a request could not tell | 48.0 |
            hire_started_at=before(days=2), departed_at=after(days=1)
        not hired | MISSING
        hired, but nobody says since when | MISSING | hire_return_location="CNSHA"
    """),
    "cargo_mass_to_kind_ratio_365d": routes("""
        half of what is typical | 500 / 1_000 | loaded(1_000.0), declared_cargo_mass_kg=500.0
        four times | 4_000 / 1_000 | loaded(1_000.0), declared_cargo_mass_kg=4_000.0
        typical is the geometric mean | 300 / (100 * 10_000) ** (1 / 2) | loaded(100.0),
            loaded(10_000.0), declared_cargo_mass_kg=300.0
        of three | 60 / (10 * 20 * 40) ** (1 / 3) | loaded(10.0), loaded(20.0), loaded(40.0),
            declared_cargo_mass_kg=60.0
        an empty run is none of what is typical | 0.0 | loaded(10.0), declared_cargo_mass_kg=0.0
        empty, as others of its kind always are | MISSING | loaded(0.0), declared_cargo_mass_kg=0.0
        a journey without a mass, or an empty one, is not in the mean | 500 / 1_000 |
            loaded(1_000.0), loaded(None), loaded(0.0), declared_cargo_mass_kg=500.0
        the same kind, whoever runs it and wherever it goes | 500 / 1_000 |
            journey_alike_in("conveyance_kind", declared_cargo_mass_kg=1_000.0),
            declared_cargo_mass_kg=500.0
        a year ago | 5 / 10 | loaded(10.0, declared_at=before(days=365)), declared_cargo_mass_kg=5.0
        just before | 5 / 10 | loaded(10.0, declared_at=DECLARED - MOMENT),
            declared_cargo_mass_kg=5.0
        a microsecond more than a year ago | MISSING |
            loaded(10.0, declared_at=before(days=365) - MOMENT), declared_cargo_mass_kg=5.0
        at the same instant | MISSING | loaded(10.0, declared_at=DECLARED),
            declared_cargo_mass_kg=5.0
        later | MISSING | loaded(10.0, declared_at=after(days=1)), declared_cargo_mass_kg=5.0
        another kind | MISSING | loaded(10.0, conveyance_kind="van"), declared_cargo_mass_kg=5.0
        nothing of its kind travelled | MISSING | declared_cargo_mass_kg=5.0
        nothing of its kind declared a mass | MISSING | loaded(None), declared_cargo_mass_kg=5.0
        no mass was declared | MISSING | loaded(10.0)
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
