"""What the features of `features/families/goods_norms.py` make of small stories."""

from functools import partial
from typing import Any

import pytest

from tests.features.families.facts import (
    MOMENT,
    Fact,
    Record,
    before,
    check,
    each,
    earlier_shipment,
    shipment,
    table,
)
from tests.features.families.windowed import facts_of_window, shipment_declared

GOODS = {"hs_code": "890310"}
OTHER_GOODS = {"goods code of that heading": {"hs_code": "890399"}}
BOATS = {"goods_description": "inflatable boats"}
MORE_THAN_A_YEAR_BEFORE = before(days=365) - MOMENT


def dense(kg_per_m3: float, **fields: Any) -> Record:
    """An earlier consignment of two cubic metres and so dense."""
    return earlier_shipment(gross_mass_kg=2 * kg_per_m3, volume_m3=2.0, **fields)


def packed(net_of_10_kg: float, **fields: Any) -> Record:
    """An earlier consignment of ten kilograms, so many of them net."""
    return earlier_shipment(gross_mass_kg=10.0, net_mass_kg=net_of_10_kg, **fields)


def in_packages(kg: float, **fields: Any) -> Record:
    """An earlier consignment in three packages, each of so many kilograms."""
    return earlier_shipment(gross_mass_kg=3 * kg, packages=3, **fields)


def of_mass(kg: float, **fields: Any) -> Record:
    """An earlier consignment of so many kilograms net."""
    return earlier_shipment(net_mass_kg=kg, **fields)


shipments = table(shipment, globals())

FACTS = {
    "description_of_code_ratio": [
        *shipments("""
            three of four so described had this code | 3 / 4 |
                *(earlier_shipment(**BOATS) for _ in range(3)),
                earlier_shipment(**BOATS, hs_code="890399"), **BOATS
            none had this code | 0 / 1 | earlier_shipment(**BOATS, hs_code="890399"), **BOATS
            all had this code | 1 / 1 | earlier_shipment(**BOATS), **BOATS
            in capitals it is the same description | 1 / 1 |
                earlier_shipment(goods_description="INFLATABLE BOATS"), **BOATS
            no description was given | MISSING | earlier_shipment()
            no description was seen before | MISSING | earlier_shipment(), **BOATS
        """),
        *facts_of_window(
            2 / 3,
            1 / 2,
            earlier_shipment(**BOATS),
            earlier_shipment(**BOATS, hs_code="890399"),
            key=BOATS,
            others={"description": {"goods_description": "life vests"}},
        ),
        *facts_of_window(
            1 / 2,
            1 / 1,
            earlier_shipment(**BOATS),
            key=BOATS,
            others={"description": {"goods_description": "life vests"}},
            event=partial(shipment_declared, hs_code="890399"),
            named="one of another goods code of that heading",
        ),
    ],
    "density_to_goods_ratio_365d": [
        *shipments("""
            twice the mean of 200 and 600 | 800 / ((200 + 600) / 2) | dense(200.0), dense(600.0),
                gross_mass_kg=800.0, volume_m3=1.0
            half of what is usual | 100 / 200 | dense(200.0), gross_mass_kg=300.0,
                net_mass_kg=150.0, volume_m3=3.0
            nothing weighs nothing | 0 / 200 | dense(200.0), gross_mass_kg=0.0, volume_m3=3.0
            no mass | MISSING | dense(200.0), volume_m3=1.0
            no gross mass | MISSING | dense(200.0), net_mass_kg=800.0, volume_m3=1.0
            no volume | MISSING | dense(200.0), gross_mass_kg=800.0
            a volume of zero | MISSING | dense(200.0), gross_mass_kg=800.0, volume_m3=0.0
            goods never seen | MISSING | gross_mass_kg=800.0, volume_m3=1.0
            goods not seen in a year | MISSING | dense(200.0, declared_at=MORE_THAN_A_YEAR_BEFORE),
                gross_mass_kg=800.0, volume_m3=1.0
            those without a volume have no part in the mean | 800 / 200 | dense(200.0),
                earlier_shipment(gross_mass_kg=900.0), gross_mass_kg=800.0, volume_m3=1.0
            what is usual is zero | MISSING | dense(0.0), gross_mass_kg=800.0, volume_m3=1.0
        """),
        *facts_of_window(
            800 / ((200 + 600) / 2),
            800 / 200,
            dense(200.0),
            days=365,
            key=GOODS,
            others=OTHER_GOODS,
            event=partial(shipment_declared, gross_mass_kg=600.0, volume_m3=1.0),
            gross_mass_kg=800.0,
            volume_m3=1.0,
        ),
    ],
    "net_share_to_goods_ratio_365d": [
        *shipments("""
            nine tenths, where a half and a tenth are usual | 0.9 / ((0.5 + 0.1) / 2) | packed(5.0),
                packed(1.0), gross_mass_kg=1_000.0, net_mass_kg=900.0
            half of what is usual | 0.4 / 0.8 | packed(8.0), gross_mass_kg=1_000.0,
                net_mass_kg=400.0
            all packing | 0 / 0.8 | packed(8.0), gross_mass_kg=1_000.0, net_mass_kg=0.0
            no gross mass | MISSING | packed(8.0), net_mass_kg=900.0
            no net mass | MISSING | packed(8.0), gross_mass_kg=1_000.0
            a gross mass of zero | MISSING | packed(8.0), gross_mass_kg=0.0, net_mass_kg=9.0
            goods never seen | MISSING | gross_mass_kg=1_000.0, net_mass_kg=900.0
            goods not seen in a year | MISSING | packed(8.0, declared_at=MORE_THAN_A_YEAR_BEFORE),
                gross_mass_kg=1_000.0, net_mass_kg=900.0
            those without a net mass have no part in the mean | 0.4 / 0.8 | packed(8.0),
                earlier_shipment(gross_mass_kg=10.0), gross_mass_kg=1_000.0, net_mass_kg=400.0
            usually all packing | MISSING | packed(0.0), gross_mass_kg=1_000.0, net_mass_kg=400.0
        """),
        *facts_of_window(
            0.9 / ((0.5 + 0.1) / 2),
            0.9 / 0.5,
            packed(5.0),
            days=365,
            key=GOODS,
            others=OTHER_GOODS,
            event=partial(shipment_declared, gross_mass_kg=10.0, net_mass_kg=1.0),
            gross_mass_kg=1_000.0,
            net_mass_kg=900.0,
        ),
    ],
    "package_mass_to_goods_ratio_365d": [
        *shipments("""
            50 kg a package, where 10 and 30 are usual | (1_000 / 20) / ((10 + 30) / 2) |
                in_packages(10.0), in_packages(30.0), gross_mass_kg=1_000.0, packages=20
            half of what is usual | (1_000 / 200) / 10 | in_packages(10.0), gross_mass_kg=1_000.0,
                net_mass_kg=500.0, packages=200
            nothing in them | 0 / 10 | in_packages(10.0), gross_mass_kg=0.0, packages=20
            no mass | MISSING | in_packages(10.0), packages=20
            no gross mass | MISSING | in_packages(10.0), net_mass_kg=900.0, packages=20
            no number of packages | MISSING | in_packages(10.0), gross_mass_kg=1_000.0
            no packages | MISSING | in_packages(10.0), gross_mass_kg=1_000.0, packages=0
            goods never seen | MISSING | gross_mass_kg=1_000.0, packages=20
            goods not seen in a year | MISSING |
                in_packages(10.0, declared_at=MORE_THAN_A_YEAR_BEFORE), gross_mass_kg=1_000.0,
                packages=20
            those without packages have no part in the mean | (1_000 / 20) / 10 | in_packages(10.0),
                earlier_shipment(gross_mass_kg=900.0, packages=0), gross_mass_kg=1_000.0,
                packages=20
            what is usual is zero | MISSING | in_packages(0.0), gross_mass_kg=1_000.0, packages=20
        """),
        *facts_of_window(
            (1_000 / 20) / ((10 + 30) / 2),
            (1_000 / 20) / 10,
            in_packages(10.0),
            days=365,
            key=GOODS,
            others=OTHER_GOODS,
            event=partial(shipment_declared, gross_mass_kg=60.0, packages=2),
            gross_mass_kg=1_000.0,
            packages=20,
        ),
    ],
    "mass_to_goods_ratio_365d": [
        *shipments("""
            twice the geometric mean of 100 and 1,600 kg | 800 / (100 * 1_600) ** 0.5 |
                of_mass(100.0), of_mass(1_600.0), net_mass_kg=800.0
            of net masses, a quarter of what is typical | 25 / 100 |
                of_mass(100.0, gross_mass_kg=120.0), net_mass_kg=25.0, gross_mass_kg=30.0
            of gross masses where net is not given | 30 / 120 |
                earlier_shipment(gross_mass_kg=120.0), gross_mass_kg=30.0
            nothing is none of what is typical | 0 / 100 | of_mass(100.0), gross_mass_kg=0.0,
                today=MISSING
            beyond all sense it stops | e**50 | of_mass(1e-15), net_mass_kg=1e10
            no mass was declared | MISSING | of_mass(100.0)
            goods never seen | MISSING | net_mass_kg=800.0
            goods not seen in a year | MISSING |
                of_mass(100.0, declared_at=MORE_THAN_A_YEAR_BEFORE), net_mass_kg=800.0
            those without a mass have no part in the mean | 800 / 100 | of_mass(100.0),
                earlier_shipment(), net_mass_kg=800.0
        """),
        *facts_of_window(
            800 / (100 * 1_600) ** 0.5,
            800 / 100,
            of_mass(100.0),
            days=365,
            key=GOODS,
            others=OTHER_GOODS,
            event=partial(shipment_declared, net_mass_kg=1_600.0),
            net_mass_kg=800.0,
        ),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
