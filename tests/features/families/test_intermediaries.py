"""What the features of `features/families/intermediaries.py` make of small stories."""

import pytest

from tests.features.families.facts import Fact, both, check, each, payment, route, table
from tests.features.families.payment_facts import (
    counts_of_payments,
    other_methods,
    shares_of_payments,
)

of_both = table(both, globals())

FACTS = {
    "money_service_ratio": [
        *shares_of_payments({"method": "money_service"}, {}),
        *of_both("""
            one of two, the other in cash | 1 / 2 | payment(method="money_service"),
                payment(method="cash")
        """),
        *other_methods(0.0, "card", "cash", "virtual_asset", "trade_credit", "netting"),
    ],
    "third_party_payee_count": [
        *counts_of_payments({"payee_id": "broker"}, ("route",)),
        route("of freight", 1.0, payment(payee_id="A", purpose="freight")),
        route("of fuel or a port", 0.0, payment(payee_id="A", purpose="other")),
        route("to the carrier", 0.0, payment(payee_id="carrier")),
        route("by the carrier to another", 1.0, payment(payer_id="carrier", payee_id="broker")),
        route("two of three", 2.0, *(payment(payee_id=to) for to in ("broker", "carrier", "A"))),
        route("to the carrier by another name", 0.0, payment(payee_id="A"), carrier_id="A"),
        route("to who ran another journey", 1.0, payment(payee_id="carrier"), carrier_id="A"),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
