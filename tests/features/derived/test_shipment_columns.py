"""What `features/derived/subjects.py` makes of the record of a shipment."""

from datetime import UTC, datetime
from math import log

import pytest

from tests.features.derived.columns import check_of_subject, column_of_subject
from tests.features.families.facts import (
    JPY_PER_EUR,
    MISSING,
    USD_PER_EUR,
    Fact,
    Row,
    each,
    shipment,
    table,
)

EUR_1_000: Row = {"declared_value": 1_000.0, "currency": "EUR"}
KG_40_OF_50: Row = {"net_mass_kg": 40.0, "gross_mass_kg": 50.0}

# Dollars per euro in three months, averages of the ECB's reference rates.
JUNE_2024, JANUARY_2025, JUNE_2025 = 1.0759, 1.03537, 1.15162


def priced(value: float, kg: float, currency: str = "EUR") -> Row:
    """The fields of a consignment of such a value and net mass."""
    return {"declared_value": value, "currency": currency, "net_mass_kg": kg}


def not_priced() -> list[Fact]:
    """Where there is no price per kilogram, in whatever unit."""
    return [
        shipment("no value", MISSING, currency="EUR", net_mass_kg=40.0),
        shipment("no mass", MISSING, **EUR_1_000),
        shipment("a mass of zero", MISSING, **priced(1_000.0, 0.0)),
    ]


def not_in_euro() -> list[Fact]:
    """Where there is no amount in euro either."""
    return [
        shipment("no currency", MISSING, declared_value=1_000.0, net_mass_kg=40.0),
        shipment("a currency without a rate", MISSING, **priced(1_000.0, 40.0, "XPF")),
    ]


shipments = table(shipment, globals())

FACTS = {
    "subject_id": shipments("""
        its own id | "S" | earlier_shipment()
        on a journey | "S" | journey(), journey_id="J"
    """),
    "known_at": shipments("""
        as it is declared | DECLARED | journey(), journey_id="J"
        declared a day earlier | before(days=1) | declared_at=before(days=1)
    """),
    "mass_kg": shipments("""
        net where both are given | 40.0 | **KG_40_OF_50
        net alone | 40.0 | net_mass_kg=40.0
        gross where net is not given | 50.0 | gross_mass_kg=50.0
        gross where net is zero | 50.0 | gross_mass_kg=50.0, net_mass_kg=0.0
        net of less than a gram | 0.000_5 | gross_mass_kg=50.0, net_mass_kg=0.000_5
        no mass | MISSING
    """),
    "mass_g": shipments("""
        net where both are given | 40_000.0 | **KG_40_OF_50
        gross where net is not given | 50_000.0 | gross_mass_kg=50.0
        down to the nearest gram | 1.0 | net_mass_kg=0.001_4
        up to the nearest gram | 2.0 | net_mass_kg=0.001_6
        nothing | 0.0 | gross_mass_kg=0.0
        no mass | MISSING
    """),
    "declared_value_eur_cents": [
        shipment("in euro", 10_000.0, **priced(100.0, 1.0)),
        *(
            shipment(
                f"a hundred dollars in {at:%B %Y}",
                round(10_000 / rate),
                **priced(100.0, 1.0, "USD"),
                declared_at=at,
            )
            for at, rate in (
                (datetime(2024, 6, 1, tzinfo=UTC), JUNE_2024),
                (datetime(2025, 1, 31, 23, 59, 59, 999_999, tzinfo=UTC), JANUARY_2025),
                (datetime(2025, 6, 30, 12, tzinfo=UTC), JUNE_2025),
            )
        ),
        shipment("in yen", 10_000.0, **priced(100 * JPY_PER_EUR, 1.0, "JPY")),
        shipment("down to the nearest cent", 123.0, declared_value=1.234, currency="EUR"),
        shipment("up to the nearest cent", 124.0, declared_value=1.236, currency="EUR"),
        shipment("rounded in euro", 87.0, declared_value=1.0, currency="USD"),
        shipment("nothing", 0.0, declared_value=0.0, currency="EUR"),
        shipment("no value", MISSING, currency="EUR"),
        *not_in_euro(),
    ],
    "declared_value_eur": [
        shipment("in euro", 1_000.0, **EUR_1_000),
        shipment("in dollars, 173.668 and more", 173.67, declared_value=200.0, currency="USD"),
        shipment("in whole cents", 1.23, declared_value=1.234, currency="EUR"),
        shipment("nothing", 0.0, declared_value=0.0, currency="EUR"),
        shipment("no value", MISSING, currency="EUR"),
        *not_in_euro(),
    ],
    "unit_value_eur_per_kg": [
        shipment("by net mass", 1_000 / 40, **EUR_1_000, **KG_40_OF_50),
        shipment("by gross mass", 1_000 / 50, **EUR_1_000, gross_mass_kg=50.0),
        shipment("of the value in euro", 100 / 40, **priced(100 * USD_PER_EUR, 40.0, "USD")),
        shipment("of the value in whole cents", 1.23 / 40, **priced(1.234, 40.0)),
        shipment("declared at nothing", 0.0, **priced(0.0, 40.0)),
        *not_priced(),
        *not_in_euro(),
    ],
    "unit_value_micro_eur_per_kg": [
        shipment("by net mass", 1_000 / 40 * 1e6, **EUR_1_000, **KG_40_OF_50),
        shipment("down to the nearest millionth", 1.0, **priced(1.0, 1e6 / 1.4)),
        shipment("up to the nearest millionth", 2.0, **priced(1.0, 1e6 / 1.6)),
        shipment("just what the cap lets through", 9.9e8 * 1e6, **priced(9.9e8, 1.0)),
        shipment("at most a milliard euro", 1e9 * 1e6, **priced(1.1e9, 1.0)),
        shipment("declared at nothing", 0.0, **priced(0.0, 40.0)),
        *not_priced(),
        *not_in_euro(),
    ],
    "unit_value_log_micro": [
        shipment("25 EUR per kg", log(25) * 1e6, **EUR_1_000, **KG_40_OF_50),
        shipment("under a euro per kg", log(0.01) * 1e6, **priced(1.0, 100.0)),
        shipment("a euro per kg", 0.0, **priced(100.0, 100.0)),
        shipment("down to the nearest millionth", 1.0, **priced(1_000_001.4, 1e6)),
        shipment("up to the nearest millionth", 2.0, **priced(1_000_001.6, 1e6)),
        shipment("nothing has no logarithm", MISSING, **priced(0.0, 40.0)),
        *not_priced(),
        *not_in_euro(),
    ],
    "rounded_unit_value": [
        shipment("by net mass", 1_000 / 40, **EUR_1_000, **KG_40_OF_50),
        shipment("in the currency of the declaration", 108 / 40, **priced(108.0, 40.0, "USD")),
        shipment("without a rate", 1_000 / 40, **priced(1_000.0, 40.0, "XPF")),
        shipment("without a currency", 1_000 / 40, declared_value=1_000.0, net_mass_kg=40.0),
        shipment("less than a cent", 0.003 / 40, **priced(0.003, 40.0)),
        # From 1 to 2 the steps of twenty binary digits are a part in 2**19.
        shipment("two steps over one", 1 + 2 / 2**19, **priced(1 + 1.6 / 2**19, 1.0)),
        shipment("declared at nothing", 0.0, **priced(0.0, 40.0)),
        *not_priced(),
    ],
    "unit_value_band": [
        # From 16 to 32 the steps of five binary digits are 1, from 8 to 16 a half.
        shipment("by net mass", 25.0, **EUR_1_000, **KG_40_OF_50),
        shipment("rounded down", 25.0, **priced(25.4, 1.0)),
        shipment("rounded up", 26.0, **priced(25.6, 1.0)),
        shipment("half-way, to the even step below", 24.0, **priced(24.5, 1.0)),
        shipment("half-way, to the even step above", 26.0, **priced(25.5, 1.0)),
        shipment("by halves under 16", 10.5, **priced(10.3, 1.0)),
        shipment("by twos over 32", 34.0, **priced(33.5, 1.0)),
        shipment("in euro", 10.5, **priced(10.3 * USD_PER_EUR, 1.0, "USD")),
        shipment("declared at nothing", 0.0, **priced(0.0, 40.0)),
        *not_priced(),
        *not_in_euro(),
    ],
    "mass_log_micro": shipments("""
        40 kg net | log(40) * 1e6 | **KG_40_OF_50
        50 kg gross alone | log(50) * 1e6 | gross_mass_kg=50.0
        under a kilogram | log(0.01) * 1e6 | net_mass_kg=0.01
        a kilogram | 0.0 | net_mass_kg=1.0
        down to the nearest millionth | 1.0 | net_mass_kg=1.000_001_4
        up to the nearest millionth | 2.0 | net_mass_kg=1.000_001_6
        nothing has no logarithm | MISSING | gross_mass_kg=0.0
        no mass | MISSING
    """),
    "mass_band": shipments("""
        of 40 kg net | 40.0 | **KG_40_OF_50
        of 50 kg gross alone | 48.0 | gross_mass_kg=50.0
        rounded down | 40.0 | net_mass_kg=43.9
        rounded up | 48.0 | net_mass_kg=44.1
        half-way, to the even step below | 32.0 | net_mass_kg=36.0
        half-way, to the even step above | 48.0 | net_mass_kg=44.0
        by sixteens over 64 | 96.0 | net_mass_kg=100.0
        nothing | 0.0 | gross_mass_kg=0.0
        no mass | MISSING
    """),
    "density_g_per_m3": shipments("""
        50 kg gross in 4 cubic metres | 50_000 / 4 | **KG_40_OF_50, volume_m3=4.0
        down to the nearest gram | 333.0 | gross_mass_kg=1.0, volume_m3=3.0
        up to the nearest gram | 667.0 | gross_mass_kg=2.0, volume_m3=3.0
        nothing | 0.0 | gross_mass_kg=0.0, volume_m3=3.0
        no gross mass | MISSING | net_mass_kg=40.0, volume_m3=4.0
        no volume | MISSING | **KG_40_OF_50
        a volume of zero | MISSING | **KG_40_OF_50, volume_m3=0.0
    """),
    "package_mass_g": shipments("""
        50 kg gross in 4 packages | 50_000 / 4 | **KG_40_OF_50, packages=4
        down to the nearest gram | 333.0 | gross_mass_kg=1.0, packages=3
        up to the nearest gram | 667.0 | gross_mass_kg=2.0, packages=3
        nothing | 0.0 | gross_mass_kg=0.0, packages=3
        no gross mass | MISSING | net_mass_kg=40.0, packages=4
        no number of packages | MISSING | **KG_40_OF_50
        no packages | MISSING | **KG_40_OF_50, packages=0
    """),
    "net_share_ppm": shipments("""
        four fifths | 0.8 * 1e6 | **KG_40_OF_50
        net above gross | 1.25 * 1e6 | net_mass_kg=50.0, gross_mass_kg=40.0
        down to the nearest millionth | 1.0 | net_mass_kg=1.4, gross_mass_kg=1e6
        up to the nearest millionth | 2.0 | net_mass_kg=1.6, gross_mass_kg=1e6
        just what the cap lets through | 990e6 | net_mass_kg=990.0, gross_mass_kg=1.0
        at most a thousandfold | 1_000e6 | net_mass_kg=1_100.0, gross_mass_kg=1.0
        all packing | 0.0 | net_mass_kg=0.0, gross_mass_kg=50.0
        no net mass | MISSING | gross_mass_kg=50.0
        no gross mass | MISSING | net_mass_kg=40.0
        a gross mass of zero | MISSING | net_mass_kg=40.0, gross_mass_kg=0.0
    """),
    "boat_equipment_kind": shipments("""
        a rubber boat | "craft" | hs_code="890310"
        an outboard engine | "engine" | hs_code="840721"
        a marine diesel | "engine" | hs_code="840810"
        life jackets | "vest" | hs_code="630720"
        other made-up textiles | MISSING | hs_code="630790"
        a pump for air | "pump" | hs_code="841420"
        rice | MISSING | hs_code="100630"
    """),
    "is_boat_equipment": shipments("""
        a rubber boat | 1.0 | hs_code="890310"
        life jackets | 1.0 | hs_code="630720"
        a floating crane | 0.0 | hs_code="890520"
    """),
    "is_just_under_de_minimis": shipments("""
        149.99 euro to the union | 1.0 | **priced(149.99, 1.0)
        the limit | 0.0 | **priced(150.0, 1.0)
        seven tenths of it | 1.0 | **priced(105.0, 1.0)
        less | 0.0 | **priced(104.99, 1.0)
        in dollars | 1.0 | **priced(149 * USD_PER_EUR, 1.0, "USD")
        no longer a limit | MISSING | **priced(149.0, 1.0), destination_country="US"
        no limit is known | MISSING | **priced(149.0, 1.0), destination_country="EG"
        no value | MISSING
    """),
    "description_key": shipments("""
        as it is written | "inflatable boats" | goods_description="inflatable boats"
        in capitals | "inflatable boats" | goods_description="INFLATABLE  Boats "
        with signs between | "boats 2 5 m used" | goods_description="Boats (2.5 m), used"
        of full width | "boats 12" | goods_description="ＢＯＡＴＳ １２"
        in another script | "不锈钢厨房用具" | goods_description="不锈钢厨房用具"
        no letter | MISSING | goods_description=" - "
        no description | MISSING
    """),
    "hs_chapter": shipments("""
        the first two digits | "89" | hs_code="890310"
        with a leading zero | "01" | hs_code="010121"
    """),
    "hs_heading": shipments("""
        the first four digits | "8903" | hs_code="890310"
        with a leading zero | "0101" | hs_code="010121"
    """),
    "is_container_number_valid": shipments("""
        the right check digit | 1.0 | container_number="CSQU3054383"
        ten is written as zero | 1.0 | container_number="AKLU1000020"
        of equipment | 1.0 | container_number="UVZJ1000000"
        of a trailer | 1.0 | container_number="BICZ1000010"
        a wrong check digit | 0.0 | container_number="CSQU3054384"
        two letters changed places | 0.0 | container_number="SCQU3054383"
        two digits changed places | 0.0 | container_number="CSQU3045383"
        as it is written on a box | 1.0 | container_number="CSQU 305438 3"
        in small letters | 1.0 | container_number="csqu3054383"
        a wrong digit, written so | 0.0 | container_number="csqu 305438 4"
        a digit too many | 0.0 | container_number="CSQU30543830"
        a digit too few | 0.0 | container_number="CSQU305438"
        another category | 0.0 | container_number="CSQA3054383"
        no number of a container at all | 0.0 | container_number="PALLET 7"
        no container | MISSING
    """),
}


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_of_a_shipment_is_what_its_facts_say(column: str, facts: list[Fact]) -> None:
    check_of_subject(column, facts)


def test_a_price_is_rounded_to_twenty_binary_digits_exactly() -> None:
    between = shipment("", MISSING, **priced(1 + 1.4 / 2**19, 1.0))

    assert column_of_subject("shipment", "rounded_unit_value", *between.records) == 1 + 1 / 2**19


@pytest.mark.parametrize(
    ("column", "expected"),
    [
        ("mass_g", 40_000),
        ("declared_value_eur_cents", 100_000),
        ("unit_value_micro_eur_per_kg", 25_000_000),
        ("net_share_ppm", 800_000),
    ],
)
def test_what_is_counted_in_small_units_is_exact(column: str, expected: int) -> None:
    priced_at_25 = shipment("", MISSING, **EUR_1_000, **KG_40_OF_50)

    assert column_of_subject("shipment", column, *priced_at_25.records) == expected
