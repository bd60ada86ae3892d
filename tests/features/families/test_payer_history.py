"""What the features of `features/families/payer_history.py` make of small stories."""

from itertools import chain
from typing import Any

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    after,
    before,
    both,
    check,
    each,
    payment,
    table,
)

NOT_FOLLOWED = [
    *both("no payment", MISSING),
    *both("no payment known before", MISSING, payment(known_at=DECLARED)),
    *both("only payments for others", MISSING, payment(subject_id="another")),
]


def elsewhere(**fields: Any) -> Record:
    """A payment of the same payer to the same payee for another movement, known a day before."""
    return payment(**{"subject_id": "another"} | fields)


def cash(**fields: Any) -> Record:
    """The same, paid in cash."""
    return elsewhere(method="cash", **fields)


def counts(days: int | None = None, **counted: Any) -> list[Fact]:
    """What a count must be in which one payment for this movement and one elsewhere are two.

    `counted` tells the one elsewhere from the own one, and `days` are those of the window.
    """

    def another(**fields: Any) -> Record:
        return elsewhere(**counted | fields)

    facts = [
        both("only its own payment", 1.0, payment()),
        both("one more for another movement", 2.0, payment(), another()),
        both("one more for a shipment", 2.0, payment(), another(subject_kind="shipment")),
        both("one more for a route", 2.0, payment(), another(subject_kind="route")),
        both("known a moment before", 2.0, payment(), another(known_at=DECLARED - MOMENT)),
        both("known at the declaration itself", 1.0, payment(), another(known_at=DECLARED)),
        both("paid before and known later", 1.0, payment(), another(known_at=after(days=1))),
        both("of others altogether", 1.0, payment(), elsewhere(payer_id="X", payee_id="Y")),
    ]
    return [*chain.from_iterable(facts), *_since(days, another), *NOT_FOLLOWED]


def _since(days: int | None, another: Any) -> list[Fact]:
    if days is None:
        return [*both("years ago", 2.0, payment(), another(known_at=before(days=2_000)))]
    edge = before(days=days)
    facts = [
        both("known as the window begins", 2.0, payment(), another(known_at=edge)),
        both("known a moment earlier", 1.0, payment(), another(known_at=edge - MOMENT)),
        both("paid before the window begins", 2.0, payment(), another(paid_at=edge - MOMENT)),
        both("its own payment is older", 0.0, payment(known_at=edge - MOMENT)),
    ]
    return [*chain.from_iterable(facts)]


of_both = table(both, globals())

OTHER_PAYERS = of_both("""
    the same payer again | 1.0 | payment(), elsewhere()
    two others | 3.0 | payment(), elsewhere(payer_id="A"), elsewhere(payer_id="B")
    another of another payee | 1.0 | payment(), elsewhere(payer_id="A", payee_id="B")
    who paid its payer | 1.0 | payment(), elsewhere(payer_id="A", payee_id="payer")
""")
OTHER_PAYEES = of_both("""
    the same payee again | 1.0 | payment(), elsewhere()
    two others | 3.0 | payment(), elsewhere(payee_id="A"), elsewhere(payee_id="B")
    another of another payer | 1.0 | payment(), elsewhere(payer_id="A", payee_id="B")
    whom its payee paid | 1.0 | payment(), elsewhere(payer_id="payee", payee_id="A")
""")

FACTS = {
    "payee_payers_30d": [
        *counts(30, payer_id="A"),
        *OTHER_PAYERS,
        *of_both("""
            of the payee known last, not paid last | 2.0 |
                payment(payee_id="former", known_at=before(days=3)),
                payment(payee_id="latter", paid_at=before(days=9)),
                elsewhere(payee_id="former", payer_id="A"),
                elsewhere(payee_id="former", payer_id="B"),
                elsewhere(payee_id="latter", payer_id="A")
            of two payees known at once that of the last id | 2.0 |
                payment(transaction_id="T-b", payee_id="latter"),
                payment(transaction_id="T-a", payee_id="former"),
                elsewhere(payee_id="latter", payer_id="A")
        """),
    ],
    "payee_payers_7d": [*counts(7, payer_id="A"), *OTHER_PAYERS],
    "payee_payers_180d": [*counts(180, payer_id="A"), *OTHER_PAYERS],
    "payer_payees_7d": [*counts(7, payee_id="A"), *OTHER_PAYEES],
    "payer_payees_180d": [*counts(180, payee_id="A"), *OTHER_PAYEES],
    "payer_payees_30d": [
        *counts(30, payee_id="A"),
        *OTHER_PAYEES,
        *of_both("""
            of the payer known last, not the one who paid last | 2.0 |
                payment(payer_id="former", known_at=before(days=3)),
                payment(payer_id="latter", paid_at=before(days=9)),
                elsewhere(payer_id="former", payee_id="A"),
                elsewhere(payer_id="former", payee_id="B"),
                elsewhere(payer_id="latter", payee_id="A")
            of two payers known at once that of the last id | 2.0 |
                payment(transaction_id="T-b", payer_id="latter"),
                payment(transaction_id="T-a", payer_id="former"),
                elsewhere(payer_id="latter", payee_id="A")
        """),
    ],
    "payer_days_since_first": [
        *of_both("""
            only its own payment | 1.0 | payment(known_at=before(days=1))
            half a day | 12 / 24 | payment(known_at=before(hours=12))
            a year less a day | 364.0 | payment(), elsewhere(known_at=before(days=364))
            years ago, capped | 365.0 | payment(), elsewhere(known_at=before(days=2_000))
            the first of two, to anyone | 50.0 | payment(),
                elsewhere(known_at=before(days=50), payee_id="A"),
                elsewhere(known_at=before(days=20))
            for a shipment | 50.0 | payment(),
                elsewhere(known_at=before(days=50), subject_kind="shipment")
            for a route | 50.0 | payment(),
                elsewhere(known_at=before(days=50), subject_kind="route")
            since it was known, not since it was paid | 50.0 | payment(),
                elsewhere(known_at=before(days=50), paid_at=before(days=60))
            another payer was known sooner | 1.0 | payment(),
                elsewhere(known_at=before(days=50), payer_id="A")
            it was paid before it paid | 1.0 | payment(),
                elsewhere(known_at=before(days=50), payer_id="A", payee_id="payer")
            of the payer known last | 1.0 | payment(payer_id="former", known_at=before(days=3)),
                payment(payer_id="latter")
        """),
        *NOT_FOLLOWED,
    ],
    "payer_cash_ratio_90d": [
        *of_both("""
            its own payment in cash | 1.0 | payment(method="cash")
            its own payment by bank | 0.0 | payment()
            one of four | 1 / 4 | payment(method="cash"), elsewhere(), elsewhere(payee_id="A"),
                elsewhere(subject_kind="route")
            three of four | 3 / 4 | payment(), cash(), cash(payee_id="A"),
                cash(subject_kind="shipment")
            by number, not by amount | 1 / 2 | payment(amount=9_000.0), cash(amount=1.0)
            a money service is not cash | 0.0 | payment(method="money_service")
            nor is a virtual asset | 0.0 | payment(method="virtual_asset")
            cash as the window begins | 1 / 2 | payment(), cash(known_at=before(days=90))
            cash a moment earlier | 0.0 | payment(), cash(known_at=before(days=90) - MOMENT)
            cash at the declaration itself | 0.0 | payment(), cash(known_at=DECLARED)
            cash known later | 0.0 | payment(), cash(known_at=after(days=1))
            cash of another payer | 0.0 | payment(), cash(payer_id="A")
            cash to its payer | 0.0 | payment(), cash(payer_id="A", payee_id="payer")
            a transfer as the window begins | 1 / 2 | payment(method="cash"),
                elsewhere(known_at=before(days=90))
            a transfer a moment earlier | 1.0 | payment(method="cash"),
                elsewhere(known_at=before(days=90) - MOMENT)
            a transfer of another payer | 1.0 | payment(method="cash"), elsewhere(payer_id="A")
            of the payer known last | 1.0 | payment(payer_id="former", known_at=before(days=3)),
                payment(payer_id="latter", method="cash")
            nothing in 90 days | MISSING | payment(known_at=before(days=90) - MOMENT)
        """),
        *NOT_FOLLOWED,
    ],
    "payer_payments": [
        *counts(payee_id="A"),
        *of_both("""
            two more, one to the same payee | 3.0 | payment(), elsewhere(), elsewhere(payee_id="A")
            another paid its payee | 1.0 | payment(), elsewhere(payer_id="A")
            another paid its payer | 1.0 | payment(), elsewhere(payer_id="A", payee_id="payer")
            of the payer known last | 1.0 | payment(payer_id="former", known_at=before(days=3)),
                payment(payer_id="latter"), elsewhere(payer_id="former")
        """),
    ],
    "payee_payments": [
        *counts(payer_id="A"),
        *of_both("""
            two more, one of the same payer | 3.0 | payment(), elsewhere(), elsewhere(payer_id="A")
            its payer paid another | 1.0 | payment(), elsewhere(payee_id="A")
            its payee paid another | 1.0 | payment(), elsewhere(payer_id="payee", payee_id="A")
            of the payee known last | 1.0 | payment(payee_id="former", known_at=before(days=3)),
                payment(payee_id="latter"), elsewhere(payee_id="former")
        """),
    ],
    "payee_passed_on_ratio_2d": [
        *both(
            "planted: nearly all of it goes on in a day",
            900 / 1_000,
            payment(amount=1_000.0),
            elsewhere(payer_id="payee", payee_id="A", amount=900.0),
        ),
        *both("innocent: it keeps what it received", 0.0, payment(amount=1_000.0)),
        *both(
            "innocent: what goes out is a tenth",
            0.1,
            payment(amount=1_000.0),
            elsewhere(payer_id="payee", payee_id="A", amount=100.0),
        ),
        *both(
            "from all who paid it, to all whom it paid",
            (300 + 500) / (1_000 + 600),
            payment(amount=1_000.0),
            elsewhere(payer_id="A", amount=600.0),
            elsewhere(payer_id="payee", payee_id="B", amount=300.0),
            elsewhere(payer_id="payee", payee_id="C", amount=500.0),
        ),
        *both(
            "paid out more than two days before",
            0.0,
            payment(amount=1_000.0),
            elsewhere(
                payer_id="payee", payee_id="A", amount=900.0, known_at=before(days=2) - MOMENT
            ),
        ),
        *both(
            "received more than two days before", MISSING, payment(known_at=before(days=2) - MOMENT)
        ),
        *both(
            "paid out at the declaration itself",
            0.0,
            payment(amount=1_000.0),
            elsewhere(payer_id="payee", payee_id="A", amount=900.0, known_at=DECLARED),
        ),
        *NOT_FOLLOWED,
    ],
    "payee_equal_amount_payers_30d": [
        *of_both("""
            planted: five who pay one account the same | 5.0 | payment(),
                *(elsewhere(payer_id=payer) for payer in "ABCD")
            innocent: a shop, where each pays another price | 1.0 | payment(),
                *(elsewhere(payer_id=payer, amount=700.0 + i) for i, payer in enumerate("ABCD"))
            innocent: four instalments of one payer | 1.0 | payment(),
                *(elsewhere(known_at=before(days=7 * week)) for week in (1, 2, 3))
        """),
        *counts(30, payer_id="A"),
        *of_both("""
            another of another payee | 1.0 | payment(), elsewhere(payer_id="A", payee_id="B")
            the same number of pounds | 1.0 | payment(), elsewhere(payer_id="A", currency="GBP")
            a cent more | 1.0 | payment(amount=90.0), elsewhere(payer_id="A", amount=90.01)
            the same dollars in a month of another rate | 2.0 | payment(currency="USD"),
                elsewhere(payer_id="A", currency="USD", paid_at=before(days=60))
            of the amount known last | 3.0 | payment(amount=70.0, known_at=before(days=3)),
                payment(amount=90.0, paid_at=before(days=9)), elsewhere(payer_id="A", amount=90.0),
                elsewhere(payer_id="B", amount=90.0),
                *(elsewhere(payer_id=payer, amount=70.0) for payer in "CDE")
        """),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
