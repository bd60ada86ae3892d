"""What `features/derived/transaction.py` makes of a payment, by itself and relative to its subject.

And whom it says to follow: the payer and the payee known last, of `features/linked_records.py`.
"""

import pytest

from features.engine.columns import columns_of_records
from features.engine.string_table import STRING_TABLE
from features.event_sources import payments
from features.linked_records import latest_by_subject
from features.records import Transaction
from tests.features.derived.columns import check_of_linked
from tests.features.families.facts import (
    MISSING,
    USD_PER_EUR,
    Fact,
    Record,
    before,
    both,
    each,
    journey,
    payment,
    route,
    shipment,
    table,
)

METHODS = (
    "bank_transfer",
    "card",
    "cash",
    "money_service",
    "virtual_asset",
    "trade_credit",
    "netting",
)
ONE_BY_EACH = [
    payment(method=method, known_at=before(hours=24 - hour)) for hour, method in enumerate(METHODS)
]
PURPOSES = ("goods", "freight", "deposit", "release", "other", None)
ONE_FOR_EACH = [
    payment(purpose=purpose, known_at=before(hours=24 - hour))
    for hour, purpose in enumerate(PURPOSES)
]
PARTIES_OF_A_SHIPMENT = (
    "consignor_id",
    "consignee_id",
    "notify_party_id",
    "forwarder_id",
    "declarant_id",
)
COUNTRIES_OF_A_SHIPMENT = ("origin_country", "dispatch_country", "destination_country")


def cash(amount: float, currency: str = "EUR") -> Record:
    """A payment in cash."""
    return payment(amount=amount, currency=currency, method="cash")


def only(methods: set[str]) -> list[float]:
    """One for a payment by one of these methods, zero by any other."""
    return [float(method in methods) for method in METHODS]


def is_stranger(who: str) -> list[Fact]:
    """Whether one side of a payment is no party to a movement: `who` names the side."""
    other = {"payer_id": "payee_id", "payee_id": "payer_id"}[who]
    return [
        route("the carrier", [0.0], payment(**{who: "carrier"})),
        route("a carrier of another name", [0.0], payment(**{who: "A"}), carrier_id="A"),
        route("anyone else", [1.0], payment(**{who: "A"})),
        route("the conveyance is no party", [1.0], payment(**{who: "conveyance"})),
        route("the other side is the carrier", [1.0], payment(**{other: "carrier"})),
        *(
            shipment(f"the {party}", [0.0], payment(**{who: "A"}), **{party: "A"})
            for party in PARTIES_OF_A_SHIPMENT
        ),
        *(
            shipment(
                f"the other side is the {party}", [1.0], payment(**{other: "A"}), **{party: "A"}
            )
            for party in PARTIES_OF_A_SHIPMENT
        ),
        shipment("anyone else", [1.0], payment(**{who: "A"})),
        shipment(
            "the carrier of its journey",
            [0.0],
            journey(carrier_id="A"),
            payment(**{who: "A"}),
            journey_id="J",
        ),
        shipment(
            "anyone else, where every party is declared",
            [1.0],
            payment(**{who: "A"}),
            **dict.fromkeys(PARTIES_OF_A_SHIPMENT, "B"),
        ),
    ]


of_both = table(both, globals())
shipments = table(shipment, globals())

FACTS = {
    "subject_id": [
        route("its journey", ["J"], payment()),
        shipment("its shipment", ["S"], payment()),
    ],
    "record_id": [
        *of_both("""
            its own id | ["T-7"] | payment(transaction_id="T-7")
            none | []
            in the order in which they became known, not in which they were paid | ["T-b", "T-a"] |
                payment(transaction_id="T-a", known_at=before(hours=1), paid_at=before(days=9)),
                payment(transaction_id="T-b", known_at=before(hours=2))
            those known at once by their ids | ["T-a", "T-b"] | payment(transaction_id="T-b"),
                payment(transaction_id="T-a")
            a moment before | ["T-7"] | payment(transaction_id="T-7", known_at=DECLARED - MOMENT)
            not at the declaration itself | [] | payment(known_at=DECLARED)
            not what is known later | [] | payment(known_at=after(days=1))
            not of another | [] | payment(subject_id="another")
        """),
        route("not of a shipment called the same", [], payment(subject_kind="shipment")),
        shipment("not of a route called the same", [], payment(subject_kind="route")),
    ],
    "known_at": of_both("""
        when it became known | [before(hours=5)] | payment(known_at=before(hours=5))
    """),
    "payer_id": of_both("""
        who paid | ["A"] | payment(payer_id="A", payee_id="B")
    """),
    "payee_id": of_both("""
        who was paid | ["B"] | payment(payer_id="A", payee_id="B")
    """),
    "amount_eur_cents": of_both("""
        in euro | [123_456.0] | payment(amount=1_234.56)
        in dollars | [8_683.0] | payment(amount=100.0, currency="USD")
        in forints | [200.0] | payment(amount=2 * 402.078, currency="HUF")
        a little less than a cent more | [1_001.0] | payment(amount=10.006)
        a little more than a cent | [1_000.0] | payment(amount=10.004)
        nothing | [0.0] | payment(amount=0.0)
        in a currency without a rate | [MISSING] | payment(currency="XPF")
    """),
    "is_under_limit": of_both("""
        less than 80 % of it | [0.0] | cash(7_999.99)
        80 % of it | [1.0] | cash(8_000.0)
        a cent less than the limit | [1.0] | cash(9_999.99)
        the limit | [0.0] | cash(10_000.0)
        of its own currency: a million yen | [1.0] | cash(999_999.0, "JPY")
        less than 80 % of a million yen | [0.0] | cash(799_999.0, "JPY")
        fifteen thousand francs | [1.0] | cash(14_999.0, "CHF")
        of a currency without a limit | [0.0] | cash(9_000.0, "XPF")
        by another method than cash | [0.0] * (len(METHODS) - 1) |
            *(payment(amount=9_000.0, method=method) for method in METHODS if method != "cash")
    """),
    "is_money_service": of_both("""
        of each method | only({"money_service"}) | *ONE_BY_EACH
    """),
    "is_cash": of_both("""
        of each method | only({"cash"}) | *ONE_BY_EACH
    """),
    "is_virtual_asset": of_both("""
        of each method | only({"virtual_asset"}) | *ONE_BY_EACH
    """),
    "is_netting": of_both("""
        of each method | only({"netting"}) | *ONE_BY_EACH
    """),
    "is_held_money": [
        route("a deposit with a stranger", [0.0, 0.0, 1.0, 1.0, 0.0, 0.0], *ONE_FOR_EACH),
        shipment("a deposit with a stranger", [0.0, 0.0, 1.0, 1.0, 0.0, 0.0], *ONE_FOR_EACH),
        route("a deposit with the carrier", [0.0], payment(purpose="deposit", payee_id="carrier")),
        *shipments("""
            a deposit with the seller | [0.0] | payment(purpose="deposit", payee_id="consignor")
        """),
        *both("a release to anyone", [1.0], payment(purpose="release", payee_id="consignor")),
    ],
    "is_paid_in_10d": of_both("""
        ten days before | [1.0] | payment(paid_at=before(days=10))
        a minute more | [0.0] | payment(paid_at=before(days=10, minutes=1))
        at the declaration | [1.0] | payment(paid_at=DECLARED)
        agreed before and paid after | [0.0] | payment(paid_at=after(minutes=1))
    """),
    "is_of_goods": of_both("""
        for each purpose | [1.0, 0.0, 0.0, 0.0, 0.0, 0.0] | *ONE_FOR_EACH
    """),
    "is_of_freight": of_both("""
        for each purpose | [0.0, 1.0, 0.0, 0.0, 0.0, 0.0] | *ONE_FOR_EACH
    """),
    "is_of_goods_or_freight": of_both("""
        for each purpose | [1.0, 1.0, 0.0, 0.0, 0.0, 0.0] | *ONE_FOR_EACH
    """),
    "is_of_the_price": of_both("""
        for each purpose | [1.0, 0.0, 1.0, 1.0, 0.0, 1.0] | *ONE_FOR_EACH
        in a currency without a rate | [0.0] | payment(currency="XPF")
    """),
    **{
        f"{what}_eur_cents": [
            *both(
                "for each purpose",
                [123_456.0 if purpose in purposes else MISSING for purpose in PURPOSES],
                *ONE_FOR_EACH,
            ),
            *both(
                "at the rate of the month of the declaration",
                [10_000.0],
                payment(
                    purpose=what,
                    amount=100 * USD_PER_EUR,
                    currency="USD",
                    paid_at=before(days=150),
                ),
            ),
            *both("without a rate", [MISSING], payment(purpose=what, currency="XPF")),
        ]
        for what, purposes in (
            ("goods", ("goods", None)),
            ("freight", ("freight",)),
            ("deposit", ("deposit",)),
            ("release", ("release",)),
        )
    },
    "is_round_amount": of_both("""
        fifty | [1.0] | payment(amount=50.0)
        a hundred and fifty | [1.0] | payment(amount=150.0)
        a hundred and twenty-five | [0.0] | payment(amount=125.0)
        twenty-five | [0.0] | payment(amount=25.0)
        a cent more | [0.0] | payment(amount=50.01)
        nothing | [0.0] | payment(amount=0.0)
        fifty dollars | [1.0] | payment(amount=50.0, currency="USD")
        of a currency of small units | [0.0] | payment(amount=1_350.0, currency="JPY")
        five thousand yen | [1.0] | payment(amount=5_000.0, currency="JPY")
        an ordinary amount of won | [0.0] | payment(amount=1_234_500.0, currency="KRW")
        fifty thousand won | [1.0] | payment(amount=50_000.0, currency="KRW")
        half a million dong | [1.0] | payment(amount=500_000.0, currency="VND")
        fifty thousand dong | [0.0] | payment(amount=50_000.0, currency="VND")
        fifty pounds | [1.0] | payment(amount=50.0, currency="GBP")
        in a currency without a rate | [0.0] | payment(amount=50.0, currency="XPF")
    """),
    "is_iban_invalid": of_both("""
        it fails | [1.0] | payment(payer_iban_valid=False)
        it holds | [0.0] | payment(payer_iban_valid=True)
        it was not checked | [MISSING] | payment()
    """),
    "is_third_party_payer": is_stranger("payer_id"),
    "is_third_party_payee": [
        *is_stranger("payee_id"),
        *both("for fuel or a port", [0.0], payment(payee_id="A", purpose="other")),
        *both("of freight", [1.0], payment(payee_id="A", purpose="freight")),
    ],
    "is_payer_off_corridor": [
        route("from its start", [0.0], payment(payer_country="CN")),
        route("from its end", [0.0], payment(payer_country="NL")),
        route("from under its flag", [1.0], payment(payer_country="PA")),
        *shipments("""
            from where its journey begins or ends | [0.0, 0.0] |
                journey(origin="SGSIN", destination="BEANR"), payment(payer_country="SG"),
                payment(payer_country="BE"), journey_id="J"
        """),
        route("from anywhere else", [1.0], payment(payer_country="CH")),
        route("it has no flag", [1.0], payment(payer_country="PA"), registration_country=None),
        route("neither is stated", [MISSING], payment(), registration_country=None),
        *(
            shipment(f"from its {country}", [0.0], payment(payer_country="VN"), **{country: "VN"})
            for country in COUNTRIES_OF_A_SHIPMENT
        ),
        shipment("from anywhere else", [1.0], payment(payer_country="CH")),
        *of_both("""
            from nowhere that is stated | [MISSING] | payment()
            not by who is paid | [MISSING] | payment(payee_country="CH")
            nor is who is paid looked at | [0.0] | payment(payer_country="NL", payee_country="CH")
        """),
    ],
}


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_of_a_payment_is_what_its_facts_say(column: str, facts: list[Fact]) -> None:
    check_of_linked("transactions", column, facts)


def test_a_payment_by_itself_shows_what_it_shows_beside_a_subject() -> None:
    every = [Transaction(subject_kind="route", subject_id="J", **r.row) for r in ONE_BY_EACH]

    shown = payments(columns_of_records(every, Transaction))

    assert shown["is_cash"].tolist() == only({"cash"})
    assert STRING_TABLE.texts(shown["record_id"]).to_pylist() == [p.transaction_id for p in every]
    assert STRING_TABLE.texts(shown["payer_id"]).to_pylist() == ["payer"] * len(every)


def latest(*events: tuple[str, str | None]) -> list[str | None]:
    """The payer to follow of the subjects A, B and C, of events in the order of knowledge."""
    columns = {
        "subject_id": STRING_TABLE.codes([subject for subject, _ in events]),
        "payer_id": STRING_TABLE.codes([payer for _, payer in events]),
    }
    subjects = {"subject_id": STRING_TABLE.codes(["A", "B", "C"])}
    return STRING_TABLE.texts(latest_by_subject(subjects, columns, "payer_id")).to_pylist()


def test_the_payer_to_follow_is_the_one_known_last() -> None:
    assert latest(("A", "first"), ("B", "only"), ("A", "last")) == ["last", "only", None]


def test_a_payment_that_names_nobody_leaves_the_payer_to_follow_as_it_was() -> None:
    assert latest(("A", "first"), ("A", None), ("B", None)) == ["first", None, None]


def test_a_payment_for_nobody_that_is_asked_about_is_passed_over() -> None:
    assert latest(("D", "stranger"), ("C", "only"), ("D", "stranger")) == [None, None, "only"]
