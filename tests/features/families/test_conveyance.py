"""What the features of `features/families/conveyance.py` make of small stories."""

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
    journey_alike_in,
    route,
)


def loaded(mass_kg: float | None, **fields) -> Record:
    """An earlier journey with so much cargo."""
    return earlier_journey(declared_cargo_mass_kg=mass_kg, **fields)


FACTS = {
    "conveyance_kind": [
        route("a container ship", "container_ship"),
        route("a van", "van", conveyance_kind="van"),
        route("whatever went before", "van", earlier_journey(), conveyance_kind="van"),
    ],
    "mode": [
        route("by sea", "sea"),
        route("by inland waterway", "inland_waterway", mode="inland_waterway"),
        route("whatever went before", "road", earlier_journey(), mode="road"),
    ],
    "certified_capacity_count": [
        route("twelve", 12, certified_capacity=12),
        route("none", 0, certified_capacity=0),
        route("how many are on board is no matter", 12, certified_capacity=12, persons_on_board=60),
        route("no certificate", MISSING),
        route("no certificate, but people on board", MISSING, persons_on_board=60),
    ],
    "declared_cargo_mass_kg": [
        route("twenty tonnes", 20_000.0, declared_cargo_mass_kg=20_000.0),
        route("in grams", 0.125, declared_cargo_mass_kg=0.125),
        route("nothing on board", 0.0, declared_cargo_mass_kg=0.0),
        route("no mass was declared", MISSING),
        route("only on an earlier journey", MISSING, loaded(5_000.0)),
    ],
    "cargo_mass_to_usual_ratio_365d": [
        route("half its usual load", 500 / 1_000, loaded(1_000.0), declared_cargo_mass_kg=500.0),
        route(
            "four times its usual load",
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
            "an empty run is in the mean",
            500 / ((1_000 + 0) / 2),
            loaded(1_000.0),
            loaded(0.0),
            declared_cargo_mass_kg=500.0,
        ),
        route(
            "the same conveyance, whoever runs it and wherever it goes",
            500 / 1_000,
            journey_alike_in("conveyance_id", declared_cargo_mass_kg=1_000.0),
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
            "another conveyance",
            MISSING,
            loaded(10.0, conveyance_id="other"),
            declared_cargo_mass_kg=5.0,
        ),
        route("it never travelled", MISSING, declared_cargo_mass_kg=5.0),
        route("it never declared a mass", MISSING, loaded(None), declared_cargo_mass_kg=5.0),
        route("it always travelled empty", MISSING, loaded(0.0), declared_cargo_mass_kg=5.0),
        route("no mass was declared", MISSING, loaded(10.0)),
    ],
    "is_registered_elsewhere": [
        route("where it comes from", 0, registration_country="CN"),
        route("where it goes to", 0, registration_country="NL"),
        route("at both ends", 0, registration_country="NL", origin="NLAMS"),
        route("in a third country", 1, registration_country="PA"),
        route("in a third country, within one", 1, registration_country="PL", origin="NLAMS"),
        route("no registration is known", MISSING, registration_country=None),
        route("an origin that no table has", MISSING, origin="nowhere"),
        route("a destination that no table has", MISSING, destination="nowhere"),
        route(
            "an origin that no table has, registered where it goes to",
            MISSING,
            origin="nowhere",
            registration_country="NL",
        ),
        route("nothing is known", MISSING, registration_country=None, origin="x", destination="y"),
    ],
    "is_one_way_hire": [
        route("to be returned where it set out", 0, hire_return_location="CNSHA"),
        route("to be returned where it goes", 1, hire_return_location="NLRTM"),
        route("to be returned in a third place", 1, hire_return_location="BEANR"),
        route("set out elsewhere", 0, hire_return_location="BEANR", origin="BEANR"),
        route("not hired", MISSING),
        route("hired, but nobody says where it returns", MISSING, hire_started_at=before(days=1)),
    ],
    "hired_before_hours": [
        route("two days", 48.0, hire_started_at=before(days=2)),
        route("ninety minutes", 1.5, hire_started_at=before(minutes=90)),
        route("as it is declared", 0.0, hire_started_at=DECLARED),
        route("a hire that is yet to start", -3.0, hire_started_at=after(hours=3)),
        route("not hired", MISSING),
        route("hired, but nobody says since when", MISSING, hire_return_location="CNSHA"),
    ],
    "cargo_mass_to_kind_ratio_365d": [
        route(
            "half of what is typical", 500 / 1_000, loaded(1_000.0), declared_cargo_mass_kg=500.0
        ),
        route("four times", 4_000 / 1_000, loaded(1_000.0), declared_cargo_mass_kg=4_000.0),
        route(
            "typical is the geometric mean",
            300 / (100 * 10_000) ** (1 / 2),
            loaded(100.0),
            loaded(10_000.0),
            declared_cargo_mass_kg=300.0,
        ),
        route(
            "of three",
            60 / (10 * 20 * 40) ** (1 / 3),
            loaded(10.0),
            loaded(20.0),
            loaded(40.0),
            declared_cargo_mass_kg=60.0,
        ),
        route(
            "an empty run is none of what is typical",
            0.0,
            loaded(10.0),
            declared_cargo_mass_kg=0.0,
            today=MISSING,
        ),
        route(
            "a journey without a mass, or an empty one, is not in the mean",
            500 / 1_000,
            loaded(1_000.0),
            loaded(None),
            loaded(0.0),
            declared_cargo_mass_kg=500.0,
        ),
        route(
            "the same kind, whoever runs it and wherever it goes",
            500 / 1_000,
            journey_alike_in("conveyance_kind", declared_cargo_mass_kg=1_000.0),
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
            "another kind", MISSING, loaded(10.0, conveyance_kind="van"), declared_cargo_mass_kg=5.0
        ),
        route("nothing of its kind travelled", MISSING, declared_cargo_mass_kg=5.0),
        route(
            "nothing of its kind declared a mass", MISSING, loaded(None), declared_cargo_mass_kg=5.0
        ),
        route("no mass was declared", MISSING, loaded(10.0)),
    ],
}


@pytest.mark.parametrize(("feature", "fact"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, fact: Fact) -> None:
    check(feature, fact)
