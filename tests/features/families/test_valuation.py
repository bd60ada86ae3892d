"""What the features of `features/families/valuation.py` make of small stories."""

from datetime import datetime
from functools import partial
from typing import Any

import pytest

from tests.features.families.facts import (
    MISSING,
    MOMENT,
    USD_PER_EUR,
    Fact,
    Record,
    Row,
    before,
    check,
    each,
    earlier_shipment,
    payment,
    shipment,
    table,
)
from tests.features.families.rates import facts_of_rate, inspection_of_shipment
from tests.features.families.windowed import facts_of_window, shipment_declared

GOODS = {"hs_code": "890310"}
OTHER_GOODS = {"goods code of that heading": {"hs_code": "890399"}}
MORE_THAN_A_YEAR_BEFORE = before(days=365) - MOMENT
EUR_1_000: Row = {"declared_value": 1_000.0, "currency": "EUR"}


def priced(eur_per_kg: float) -> Row:
    """The fields of a consignment of ten kilograms at such a price."""
    return {"declared_value": 10 * eur_per_kg, "currency": "EUR", "net_mass_kg": 10.0}


def price(eur_per_kg: float, **fields: Any) -> Record:
    """An earlier consignment of ten kilograms at such a price."""
    return earlier_shipment(**priced(eur_per_kg) | fields)


def other_price(eur_per_kg: float, **fields: Any) -> Record:
    """An earlier consignment of ten kilograms at such a price, to another consignee."""
    return price(eur_per_kg, **{"consignee_id": "another"} | fields)


def paid(amount: float, **fields: Any) -> Record:
    """A payment for the subject, in euro."""
    return payment(amount=amount, **fields)


def payment_known(at: datetime, **fields: Any) -> Record:
    """A payment of 300 EUR, known at an instant."""
    return paid(300.0, known_at=at, **fields)


def facts_of_mean_price(key: Row, others: dict[str, Row], never_seen: str) -> list[Fact]:
    """Of a price over the arithmetic mean of the year's prices of the same key."""
    return [
        shipment(
            "twice the mean of 2 and 6 EUR per kg",
            8 / ((2 + 6) / 2),
            price(2.0, **key),
            price(6.0, **key),
            **priced(8.0) | key,
        ),
        shipment("half of what is usual", 2 / 4, price(4.0, **key), **priced(2.0) | key),
        shipment(
            "by kilogram, whatever the masses are",
            8 / ((2 + 6) / 2),
            price(2.0, **key),
            price(6.0, **key, declared_value=600.0, net_mass_kg=100.0),
            **priced(8.0) | key,
        ),
        shipment(
            "by gross mass where net is not given",
            (1_000 / 50) / 4,
            price(4.0, **key),
            **EUR_1_000 | {"gross_mass_kg": 50.0} | key,
        ),
        shipment(
            "in another currency",
            (100 / 10) / 4,
            price(4.0, **key),
            **priced(8.0) | {"declared_value": 100 * USD_PER_EUR, "currency": "USD"} | key,
        ),
        shipment("declared at nothing", 0 / 4, price(4.0, **key), **priced(0.0) | key),
        shipment(
            "one without a mass has no part in the mean",
            8 / 4,
            price(4.0, **key),
            earlier_shipment(**EUR_1_000 | key),
            **priced(8.0) | key,
        ),
        *missing_prices(price(4.0, **key), key, never_seen),
        shipment("usually nothing", MISSING, price(0.0, **key), **priced(8.0) | key),
        *facts_of_window(
            8 / ((2 + 6) / 2),
            8 / 2,
            price(2.0, **key),
            days=365,
            key=key,
            others=others,
            event=partial(shipment_declared, **priced(6.0)),
            **priced(8.0),
        ),
    ]


def facts_of_typical_price(key: Row, others: dict[str, Row], never_seen: str) -> list[Fact]:
    """Of a price over the geometric mean of the year's prices of the same key."""
    return [
        shipment(
            "twice the geometric mean of 1 and 16 EUR per kg",
            8 / (1 * 16) ** 0.5,
            price(1.0, **key),
            price(16.0, **key),
            **priced(8.0) | key,
        ),
        shipment("half of what is typical", 2 / 4, price(4.0, **key), **priced(2.0) | key),
        shipment(
            "by kilogram, whatever the masses are",
            8 / (1 * 16) ** 0.5,
            price(1.0, **key),
            price(16.0, **key, declared_value=1_600.0, net_mass_kg=100.0),
            **priced(8.0) | key,
        ),
        shipment(
            "declared at nothing", 0 / 4, price(4.0, **key), **priced(0.0) | key, today=MISSING
        ),
        shipment(
            "one declared at nothing has no part in the mean",
            8 / 4,
            price(4.0, **key),
            price(0.0, **key),
            **priced(8.0) | key,
        ),
        *missing_prices(price(4.0, **key), key, never_seen),
        *facts_of_window(
            8 / (1 * 16) ** 0.5,
            8 / 1,
            price(1.0, **key),
            days=365,
            key=key,
            others=others,
            event=partial(shipment_declared, **priced(16.0)),
            **priced(8.0),
        ),
    ]


def missing_prices(earlier: Record, key: Row, never_seen: str) -> list[Fact]:
    """Where a price cannot be compared with earlier ones."""
    unpriced = shipment_declared(before(days=10), **key)
    long_ago = Record("shipments", earlier.row | {"declared_at": MORE_THAN_A_YEAR_BEFORE})
    own = priced(8.0) | key
    return [
        shipment("no value", MISSING, earlier, **own | {"declared_value": None}),
        shipment("no mass", MISSING, earlier, **own | {"net_mass_kg": None}),
        shipment("a mass of zero", MISSING, earlier, **own | {"net_mass_kg": 0.0}),
        shipment("no currency", MISSING, earlier, **own | {"currency": None}),
        shipment("a currency without a rate here", MISSING, earlier, **own | {"currency": "XPF"}),
        shipment(never_seen, MISSING, **own),
        shipment(f"{never_seen} with a price", MISSING, unpriced, **own),
        shipment(f"{never_seen} in a year", MISSING, long_ago, **own),
    ]


shipments = table(shipment, globals())

FACTS = {
    "declared_value_eur": shipments("""
        in euro | 1_000.0 | **EUR_1_000
        in dollars | 1_080 / USD_PER_EUR | declared_value=1_080.0, currency="USD"
        in a currency of small units | 164_000 / JPY_PER_EUR | declared_value=164e3, currency="JPY"
        to the cent | 1_234.56 | declared_value=1_234.56, currency="EUR"
        nothing | 0.0 | declared_value=0.0, currency="EUR"
        no value was declared | MISSING | currency="EUR"
        no currency | MISSING | declared_value=1_000.0
        a currency without a rate here | MISSING | declared_value=1e3, currency="XPF"
    """),
    "unit_value_eur_per_kg": shipments("""
        by net mass | 1_000 / 40 | **EUR_1_000, net_mass_kg=40.0, gross_mass_kg=50.0
        by gross mass where net is not given | 1_000 / 50 | **EUR_1_000, gross_mass_kg=50.0
        in dollars | 1_080 / USD_PER_EUR / 50 | declared_value=1_080.0, currency="USD",
            net_mass_kg=50.0
        less than a cent | 1_000 / 1e6 | **EUR_1_000, net_mass_kg=1e6
        declared at nothing | 0.0 | **priced(0.0)
        no value | MISSING | currency="EUR", net_mass_kg=40.0
        no currency | MISSING | declared_value=1_000.0, net_mass_kg=40.0
        no mass | MISSING | **EUR_1_000
        a mass of zero | MISSING | **EUR_1_000, net_mass_kg=0.0, gross_mass_kg=0.0
    """),
    "unit_value_to_goods_ratio_365d": facts_of_mean_price(GOODS, OTHER_GOODS, "goods never seen"),
    "unit_value_to_origin_ratio_365d": facts_of_mean_price(
        GOODS | {"origin_country": "CN"},
        OTHER_GOODS | {"origin": {"origin_country": "VN"}},
        "goods of this origin never seen",
    ),
    "unit_value_to_consignee_ratio_365d": facts_of_mean_price(
        GOODS | {"consignee_id": "consignee"},
        OTHER_GOODS | {"consignee": {"consignee_id": "another"}},
        "goods this consignee never received",
    ),
    "unit_value_to_typical_ratio_365d": facts_of_typical_price(
        GOODS, OTHER_GOODS, "goods never seen"
    ),
    "unit_value_to_source_ratio_365d": facts_of_typical_price(
        GOODS | {"consignee_id": "consignee", "dispatch_country": "CN"},
        OTHER_GOODS
        | {
            "consignee": {"consignee_id": "another"},
            "country of dispatch": {"dispatch_country": "VN"},
        },
        "goods this consignee never received from there",
    ),
    "paid_to_declared_ratio": [
        *shipments("""
            paid as declared | 1_000 / 1_000 | paid(1_000.0), **EUR_1_000
            a quarter was paid | 250 / 1_000 | paid(250.0), **EUR_1_000
            three payments add up | (1_000 + 1_000 + 500) / 1_000 | paid(1_000.0), paid(1_000.0),
                paid(500.0), **EUR_1_000
            in two currencies | (100 + 200) / 1_000 | paid(100 * USD_PER_EUR, currency="USD"),
                paid(200.0), **EUR_1_000
            freight and duties are no price | 1_000 / 1_000 | paid(1_000.0, purpose="goods"),
                paid(200.0, purpose="freight"), paid(100.0, purpose="other"), **EUR_1_000
            a deposit that is released was paid once | 1_000 / 1_000 |
                paid(1_000.0, purpose="deposit"), paid(1_000.0, purpose="release"), **EUR_1_000
            a deposit alone | 0.3 | paid(300.0, purpose="deposit"), **EUR_1_000
            a release alone | 0.3 | paid(300.0, purpose="release"), **EUR_1_000
            a deposit and the rest | (300 + 700) / 1_000 | paid(300.0, purpose="deposit"),
                paid(700.0, purpose="goods"), **EUR_1_000
            nothing but freight was paid | MISSING | paid(9.0, purpose="freight"), **EUR_1_000
            the same dollars half a year later | 1.0 |
                paid(1_000.0, currency="USD", paid_at=before(days=160)), declared_value=1_000.0,
                currency="USD"
            nothing was paid by a payment of zero | 0 / 1_000 | paid(0.0), **EUR_1_000
            an amount without a rate here | MISSING | paid(250.0, currency="XPF"), **EUR_1_000
            no payment is known | MISSING | **EUR_1_000
            what was paid for another is not paid for it | 250 / 1_000 | paid(250.0),
                earlier_shipment(shipment_id="S-other"),
                paid(300.0, subject_id="S-other", known_at=before(days=11)), **EUR_1_000
            a payment for another alone | MISSING | earlier_shipment(shipment_id="S-other"),
                paid(300.0, subject_id="S-other", known_at=before(days=11)), **EUR_1_000
            a document is no payment | MISSING | document(value=250.0), **EUR_1_000
            no value was declared | MISSING | paid(250.0), currency="EUR"
            no currency was declared | MISSING | paid(250.0), declared_value=1_000.0
            a value of zero | MISSING | paid(250.0), declared_value=0.0, currency="EUR"
            paid decades ago | 300 / 1_000 | payment_known(before(days=10_950)), **EUR_1_000
            known at the declaration only | MISSING | payment_known(DECLARED), **EUR_1_000
            agreed before and paid after | 250 / 1_000 | paid(250.0, paid_at=DECLARED + MOMENT),
                **EUR_1_000
        """),
        *facts_of_window(
            (250 + 300) / 1_000,
            250 / 1_000,
            paid(250.0),
            key={},
            others={
                "shipment": {"subject_id": "S-other"},
                "kind of subject": {"subject_kind": "route"},
            },
            event=payment_known,
            **EUR_1_000,
        ),
    ],
    "same_price_shipments_365d": [
        shipment("of the same consignee alone", 0.0, price(8.0), **priced(8.0)),
        shipment(
            "of the same consignee and of two others",
            2.0,
            price(8.0),
            other_price(8.0),
            other_price(8.0, consignee_id="yet-another"),
            **priced(8.0),
        ),
        shipment(
            "three of other masses and at the same price",
            3.0,
            other_price(8.0),
            other_price(8.0, declared_value=16.0, net_mass_kg=2.0),
            other_price(8.0, declared_value=800.0, net_mass_kg=100.0),
            **priced(8.0),
        ),
        shipment(
            "a third of a euro, divided in two ways",
            1.0,
            earlier_shipment(
                consignee_id="another", declared_value=2.0, currency="EUR", net_mass_kg=6.0
            ),
            declared_value=1.1,
            currency="EUR",
            net_mass_kg=3.3,
        ),
        shipment("no such price before", 0.0, **priced(8.0)),
        shipment("a cent more is another price", 0.0, other_price(8.01), **priced(8.0)),
        shipment("over a millionth more is another", 0.0, other_price(1.000_001_05), **priced(1.0)),
        shipment("under a millionth more is none", 1.0, other_price(1.000_000_85), **priced(1.0)),
        shipment("nothing, as before", 1.0, other_price(0.0), **priced(0.0)),
        shipment(
            "by gross mass where net is not given",
            1.0,
            other_price(8.0),
            **priced(8.0) | {"net_mass_kg": None, "gross_mass_kg": 10.0},
        ),
        shipment(
            "in a currency without a rate here",
            1.0,
            other_price(8.0, currency="XPF"),
            **priced(8.0) | {"currency": "XPF"},
        ),
        shipment("no value", MISSING, other_price(8.0), **priced(8.0) | {"declared_value": None}),
        shipment("no mass", MISSING, other_price(8.0), **priced(8.0) | {"net_mass_kg": None}),
        shipment("a mass of zero", MISSING, other_price(8.0), **priced(8.0) | {"net_mass_kg": 0.0}),
        shipment("no currency", MISSING, other_price(8.0), **priced(8.0) | {"currency": None}),
        shipment(
            "no price, as of the one before",
            MISSING,
            earlier_shipment(currency="EUR"),
            currency="EUR",
        ),
        *facts_of_window(
            2.0,
            1.0,
            other_price(8.0),
            days=365,
            key=GOODS | priced(8.0),
            event=partial(shipment_declared, consignee_id="another"),
            others=OTHER_GOODS
            | {"price": {"declared_value": 90.0}, "currency": {"currency": "USD"}},
        ),
    ],
    "same_price_confirmed_rate": facts_of_rate(
        inspection_of_shipment,
        key=GOODS | priced(8.0),
        others=OTHER_GOODS | {"price": {"declared_value": 90.0}, "currency": {"currency": "USD"}},
        missing={
            "no value": {"declared_value": None},
            "no mass": {"net_mass_kg": None},
            "a mass of zero": {"net_mass_kg": 0.0},
            "no currency": {"currency": None},
        },
    ),
    "freight_to_declared_ratio": shipments("""
        planted: twice its value | 2.0 | paid(2_000.0, purpose="freight"), **EUR_1_000
        innocent: a twentieth | 0.05 | paid(50.0, purpose="freight"), **EUR_1_000
        in two payments | (100 + 50) / 1_000 | paid(100.0, purpose="freight"),
            paid(50.0, purpose="freight"), **EUR_1_000
        what is paid for the goods is none | 0.05 | paid(900.0, purpose="goods"),
            paid(50.0, purpose="freight"), **EUR_1_000
        no freight is known | MISSING | paid(900.0, purpose="goods"), **EUR_1_000
        no value | MISSING | paid(50.0, purpose="freight"), currency="EUR"
        known at the declaration itself | MISSING |
            paid(50.0, purpose="freight", known_at=DECLARED), **EUR_1_000
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
