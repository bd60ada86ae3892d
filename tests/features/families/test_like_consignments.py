"""What the features of `features/families/like_consignments.py` make of small stories."""

import pytest

from tests.features.families.facts import USD_PER_EUR, Fact, Row, check, each, shipment
from tests.features.families.rates import facts_of_rate, inspection_of_shipment

SIZE: Row = {
    "hs_code": "890310",
    "declared_value": 1_000.0,
    "currency": "EUR",
    "net_mass_kg": 100.0,
}
LIKE: Row = SIZE | {
    "origin_country": "CN",
    "dispatch_country": "CN",
    "tax_type": "11",
    "tax_rate": 1.7,
}
OTHER_SIZES: dict[str, Row] = {
    "goods code of that heading": {"hs_code": "890399"},
    "price per kg": {"declared_value": 1_100.0},
    "mass at the same price": {"net_mass_kg": 130.0, "declared_value": 1_300.0},
    "currency, and so another price": {"currency": "GBP"},
}
NO_SIZE: dict[str, Row] = {
    "no value": {"declared_value": None},
    "no currency": {"currency": None},
    "a currency without a rate here": {"currency": "XPF"},
    "no mass": {"net_mass_kg": None},
    "a mass of zero": {"net_mass_kg": 0.0},
}


def facts_of_nearness(key: Row) -> list[Fact]:
    """How near price and mass are to count as nearly the same, beside another that is no finding.

    A price of 10 EUR per kg is in the band from 9.75 to 10.25 (steps of a half from 8 to 16); a
    mass of 100 kg in that from 88 to 104 (steps of 16 from 64 to 128).
    """
    counted, ignored = (1 + 8 * 1 / 2) / (2 + 8), (0 + 8 * 1 / 2) / (1 + 8)
    no = inspection_of_shipment("not_confirmed", **key)

    def rate(says: str, expected: float, **fields: float | str) -> Fact:
        return shipment(says, expected, no, inspection_of_shipment(**key | fields), **key)

    return [
        rate("a price at the lower end of the band", counted, declared_value=976.0),
        rate("a price at the upper end of the band", counted, declared_value=1_024.0),
        rate("a price under the band", ignored, declared_value=974.0),
        rate("a price over the band", ignored, declared_value=1_026.0),
        rate("a mass at the lower end", counted, net_mass_kg=88.1, declared_value=881.0),
        rate("a mass at the upper end", counted, net_mass_kg=103.9, declared_value=1_039.0),
        rate("a mass under the band", ignored, net_mass_kg=87.9, declared_value=879.0),
        rate("a mass over the band", ignored, net_mass_kg=104.1, declared_value=1_041.0),
        rate(
            "the same price in dollars", counted, currency="USD", declared_value=1_000 * USD_PER_EUR
        ),
        rate("of other parties", counted, consignee_id="another", consignor_id="another"),
    ]


FACTS = {
    "like_consignment_confirmed_rate": [
        *facts_of_rate(
            inspection_of_shipment,
            key=LIKE,
            others=OTHER_SIZES
            | {
                "origin": {"origin_country": "VN"},
                "country of dispatch": {"dispatch_country": "VN"},
                "kind of duty": {"tax_type": "12"},
                "rate of duty": {"tax_rate": 0.0},
            },
            missing=NO_SIZE
            | {
                "no kind of duty": {"tax_type": None},
                "no rate of duty": {"tax_rate": None},
            },
        ),
        *facts_of_nearness(LIKE),
    ],
    "goods_size_confirmed_rate": [
        *facts_of_rate(
            inspection_of_shipment,
            key=SIZE,
            others=OTHER_SIZES,
            missing=NO_SIZE,
        ),
        *facts_of_nearness(SIZE),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
