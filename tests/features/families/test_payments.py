"""What the features of `features/families/payments.py` make of small stories."""

from datetime import datetime

import pytest

from tests.features.families.facts import (
    Fact,
    Record,
    both,
    check,
    each,
    payment,
    route,
    shipment,
    table,
)
from tests.features.families.payment_facts import (
    counts_of_payments,
    other_methods,
    shares_of_payments,
)


def cash(amount: float, currency: str = "EUR") -> Record:
    """A payment in cash."""
    return payment(amount=amount, currency=currency, method="cash")


def goods(payer_id: str) -> Record:
    """A payment for the goods."""
    return payment(payer_id=payer_id, purpose="goods")


def freight(payer_id: str) -> Record:
    """A payment for the freight."""
    return payment(payer_id=payer_id, purpose="freight")


def on(at: datetime) -> Record:
    """A payment that was made and known at once."""
    return payment(paid_at=at, known_at=at)


of_both = table(both, globals())
routes = table(route, globals())
shipments = table(shipment, globals())

FACTS = {
    "payment_count": [
        *counts_of_payments({}),
        *both("of every kind", 3.0, payment(method="cash"), payment(amount=0.0), payment()),
        route("of a shipment that is called the same", 0.0, payment(subject_kind="shipment")),
        shipment("of a route that is called the same", 0.0, payment(subject_kind="route")),
    ],
    "third_party_payer_ratio": [
        *shares_of_payments({"payer_id": "stranger"}, {"payer_id": "consignee"}, ("shipment",)),
        *shipments("""
            the consignor | 0.0 | payment(payer_id="consignor")
            the consignee | 0.0 | payment(payer_id="consignee")
            who is notified | 0.0 | payment(payer_id="A"), notify_party_id="A"
            the forwarder | 0.0 | payment(payer_id="A"), forwarder_id="A"
            the declarant | 0.0 | payment(payer_id="A"), declarant_id="A"
            its carrier | 0.0 | journey(), payment(payer_id="carrier"), journey_id="J"
            by who pays, not who is paid | 1.0 | payment(payee_id="consignor")
            whom a document alone names as consignee | 1.0 | payment(payer_id="buyer"),
                document("invoice", consignee_id="buyer")
        """),
    ],
    "off_corridor_payer_ratio": [
        *shares_of_payments({"payer_country": "CH"}, {"payer_country": "NL"}),
        *both("from its start", 0.0, payment(payer_country="CN")),
        *both("from its end", 0.0, payment(payer_country="NL")),
        *both("from nowhere that is stated", 0.0, payment()),
        *both("by the country of who pays, not who is paid", 0.0, payment(payee_country="CH")),
        *routes("""
            from where it only passes | 1.0 | leg(1, destination="SGSIN"), leg(2, origin="SGSIN"),
                payment(payer_country="SG")
        """),
        *shipments("""
            from where its journey begins | 0.0 | journey(origin="SGSIN"),
                payment(payer_country="SG"), journey_id="J"
        """),
        route("from under its flag", 1.0, payment(payer_country="PA")),
        route("from under another flag", 1.0, payment(payer_country="LR")),
        *shipments("""
            from where the goods were made | 0.0 | payment(payer_country="VN"), origin_country="VN"
            from where they were sent | 0.0 | payment(payer_country="DE"), dispatch_country="DE"
        """),
    ],
    "cash_payment_ratio": [
        *shares_of_payments({"method": "cash"}, {}),
        *other_methods(0.0, "card", "money_service", "virtual_asset", "trade_credit", "netting"),
    ],
    "virtual_asset_ratio": [
        *shares_of_payments({"method": "virtual_asset"}, {}),
        *other_methods(0.0, "card", "cash", "money_service", "trade_credit", "netting"),
    ],
    "netting_ratio": [
        *shares_of_payments({"method": "netting"}, {}),
        *other_methods(0.0, "card", "cash", "money_service", "virtual_asset", "trade_credit"),
    ],
    "round_payment_ratio": [
        *shares_of_payments({"amount": 150.0}, {"amount": 160.0}),
        *both("fifty", 1.0, payment(amount=50.0)),
        *both("a thousand", 1.0, payment(amount=1_000.0)),
        *both("half of fifty", 0.0, payment(amount=25.0)),
        *both("a hundred and a half of fifty", 0.0, payment(amount=125.0)),
        *both("a cent more", 0.0, payment(amount=1_000.01)),
        *both("a cent less", 0.0, payment(amount=999.99)),
        *both("nothing was paid", 0.0, payment(amount=0.0)),
        *both("of its own currency", 1.0, payment(amount=100.0, currency="USD")),
        *both("in euro it would be fifty", 0.0, payment(amount=54.0, currency="USD")),
        *both("ordinary yen are not round", 0.0, payment(amount=1_350.0, currency="JPY")),
        *both("in a currency without a rate", 0.0, payment(amount=100.0, currency="XPF")),
    ],
    "payer_count": of_both("""
        no payment | 0.0
        one who paid twice | 1.0 | payment(payer_id="A"), payment(payer_id="A")
        three who paid four times | 3.0 |
            *(payment(payer_id=payer) for payer in ("A", "B", "A", "C"))
        one who paid two | 1.0 | payment(payee_id="A"), payment(payee_id="B")
        years ago | 2.0 | payment(payer_id="A", known_at=LONG_AGO), payment(payer_id="B")
        a moment before | 1.0 | payment(known_at=DECLARED - MOMENT)
        at the declaration itself | 1.0 | payment(), payment(payer_id="A", known_at=DECLARED)
        known later | 1.0 | payment(), payment(payer_id="A", known_at=after(days=1))
        of another | 1.0 | payment(), payment(payer_id="A", subject_id="another")
    """),
    "held_money_count": [
        *counts_of_payments({"purpose": "deposit"}),
        *counts_of_payments({"purpose": "release"}),
        route("a deposit with the carrier", 0.0, payment(purpose="deposit", payee_id="carrier")),
        shipment("a tenth ahead", 0.0, payment(purpose="deposit", payee_id="consignor")),
        *of_both("""
            three deposits and a release | 3.0 + 1.0 |
                *(payment(purpose=what) for what in ("deposit", "deposit", "release", "deposit"))
            for goods | 0.0 | payment(purpose="goods")
            for freight | 0.0 | payment(purpose="freight")
            for something else | 0.0 | payment(purpose="other")
            nobody says what for | 0.0 | payment()
        """),
    ],
    "invalid_iban_count": [
        *counts_of_payments({"payer_iban_valid": False}),
        *of_both("""
            it holds | 0.0 | payment(payer_iban_valid=True)
            it was not checked | 0.0 | payment()
            one of each | 1.0 |
                *(payment(payer_iban_valid=is_valid) for is_valid in (True, False, None))
        """),
    ],
    "late_payment_count": of_both("""
        no payment | 0.0
        three | 3.0 | payment(), payment(), payment()
        made and known ten days before | 1.0 | on(before(days=10))
        made and known an hour earlier | 0.0 | on(before(days=10, hours=1))
        known a moment before | 1.0 | payment(known_at=DECLARED - MOMENT)
        known at the declaration itself | 0.0 | payment(known_at=DECLARED)
        known later | 0.0 | payment(known_at=after(days=1))
        paid long before it was known | 0.0 | payment(paid_at=before(days=90))
        paid after the declaration | 0.0 | payment(paid_at=after(days=1))
        of another | 0.0 | payment(subject_id="another")
    """),
    "largest_payment_eur": of_both("""
        a single one | 1_234.56 | payment(amount=1_234.56)
        the largest of three, neither first nor last | 900.0 | payment(amount=300.0),
            payment(amount=900.0), payment(amount=500.0)
        nothing | 0.0 | payment(amount=0.0)
        in dollars | 500.0 | payment(amount=500 * USD_PER_EUR, currency="USD")
        to a cent | 86.83 | payment(amount=100.0, currency="USD")
        the largest in euro, not by its number | 600.0 | payment(amount=600.0),
            payment(amount=640.0, currency="USD")
        of those with a rate | 600.0 | payment(amount=600.0),
            payment(amount=90_000.0, currency="XPF")
        years ago | 700.0 | payment(amount=700.0, known_at=LONG_AGO), payment(amount=600.0)
        a moment before | 700.0 | payment(amount=700.0, known_at=DECLARED - MOMENT)
        no payment | MISSING
        at the declaration itself | MISSING | payment(known_at=DECLARED)
        known later | MISSING | payment(known_at=after(days=1))
        of another | MISSING | payment(subject_id="another")
        in a currency without a rate | MISSING | payment(currency="XPF")
    """),
    "under_limit_count": [
        *counts_of_payments({"amount": 9_000.0, "method": "cash"}),
        *both("by bank", 0.0, payment(amount=9_000.0)),
        *both("less than 80 %", 0.0, cash(7_999.99)),
        *both("80 %", 1.0, cash(8_000.0)),
        *both("a cent less than the limit", 1.0, cash(9_999.99)),
        *both("the limit", 0.0, cash(10_000.0)),
        *both("of another currency", 1.0, cash(800_000.0, "JPY")),
        *both("the limit of another currency", 0.0, cash(1_000_000.0, "JPY")),
        *both("in a currency without a limit", 0.0, cash(9_000.0, "XPF")),
    ],
    "freight_only_payer_count": shipments("""
        planted: a stranger pays the freight | 1.0 | goods("buyer"), freight("stranger")
        planted: two of them | 2.0 | goods("buyer"), freight("A"), freight("B")
        innocent: the buyer pays for both | 0.0 | goods("buyer"), freight("buyer")
        innocent: one of two buyers | 0.0 | goods("A"), goods("B"), freight("B")
        a duty is neither | 0.0 | goods("A"), freight("A"), payment(purpose="other")
        no freight is known | MISSING | goods("A")
        no payment for goods is known | MISSING | freight("A")
        no payment | MISSING
        known at the declaration itself | 0.0 | goods("A"), freight("A"),
            payment(payer_id="B", purpose="freight", known_at=DECLARED)
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
