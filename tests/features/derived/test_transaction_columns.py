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
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    after,
    before,
    both,
    each,
    payment,
    route,
    shipment,
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
            "anyone else, where every party is declared",
            [1.0],
            payment(**{who: "A"}),
            **dict.fromkeys(PARTIES_OF_A_SHIPMENT, "B"),
        ),
    ]


FACTS = {
    "subject_id": [
        route("its journey", ["J"], payment()),
        shipment("its shipment", ["S"], payment()),
    ],
    "record_id": [
        *both("its own id", ["T-7"], payment(transaction_id="T-7")),
        *both("none", []),
        *both(
            "in the order in which they became known, not in which they were paid",
            ["T-b", "T-a"],
            payment(transaction_id="T-a", known_at=before(hours=1), paid_at=before(days=9)),
            payment(transaction_id="T-b", known_at=before(hours=2)),
        ),
        *both(
            "those known at once by their ids",
            ["T-a", "T-b"],
            payment(transaction_id="T-b"),
            payment(transaction_id="T-a"),
        ),
        *both(
            "a moment before", ["T-7"], payment(transaction_id="T-7", known_at=DECLARED - MOMENT)
        ),
        *both("not at the declaration itself", [], payment(known_at=DECLARED)),
        *both("not what is known later", [], payment(known_at=after(days=1))),
        *both("not of another", [], payment(subject_id="another")),
        route("not of a shipment called the same", [], payment(subject_kind="shipment")),
        shipment("not of a route called the same", [], payment(subject_kind="route")),
    ],
    "known_at": [
        *both("when it became known", [before(hours=5)], payment(known_at=before(hours=5)))
    ],
    "payer_id": [*both("who paid", ["A"], payment(payer_id="A", payee_id="B"))],
    "payee_id": [*both("who was paid", ["B"], payment(payer_id="A", payee_id="B"))],
    "amount_eur_cents": [
        *both("in euro", [123_456.0], payment(amount=1_234.56)),
        *both("in dollars", [9_259.0], payment(amount=100.0, currency="USD")),
        *both("in forints", [200.0], payment(amount=790.0, currency="HUF")),
        *both("a little less than a cent more", [1_001.0], payment(amount=10.006)),
        *both("a little more than a cent", [1_000.0], payment(amount=10.004)),
        *both("nothing", [0.0], payment(amount=0.0)),
        *both("in a currency without a rate", [MISSING], payment(currency="ISK")),
    ],
    "is_under_limit": [
        *both("less than 80 % of it", [0.0], payment(amount=7_999.99)),
        *both("80 % of it", [1.0], payment(amount=8_000.0)),
        *both("a cent less than the limit", [1.0], payment(amount=9_999.99)),
        *both("the limit", [0.0], payment(amount=10_000.0)),
        *both("by its euro", [1.0], payment(amount=9_000 * 164.0, currency="JPY")),
        *both("not by its number", [0.0], payment(amount=9_000.0, currency="JPY")),
        *both("in a currency without a rate", [0.0], payment(amount=9_000.0, currency="ISK")),
    ],
    "is_money_service": [*both("of each method", only({"money_service"}), *ONE_BY_EACH)],
    "is_cash": [
        *both(
            "of each method", only({"cash"}), *ONE_BY_EACH, today=only({"cash", "money_service"})
        ),
    ],
    "is_virtual_asset": [*both("of each method", only({"virtual_asset"}), *ONE_BY_EACH)],
    "is_netting": [*both("of each method", only({"netting"}), *ONE_BY_EACH)],
    "is_deposit": [*both("for each purpose", [0.0, 0.0, 1.0, 0.0, 0.0, 0.0], *ONE_FOR_EACH)],
    "is_release": [*both("for each purpose", [0.0, 0.0, 0.0, 1.0, 0.0, 0.0], *ONE_FOR_EACH)],
    "is_round_amount": [
        *both("fifty", [1.0], payment(amount=50.0)),
        *both("a hundred and fifty", [1.0], payment(amount=150.0)),
        *both("a hundred and twenty-five", [0.0], payment(amount=125.0)),
        *both("twenty-five", [0.0], payment(amount=25.0)),
        *both("a cent more", [0.0], payment(amount=50.01)),
        *both("nothing", [0.0], payment(amount=0.0)),
        *both("of its own currency", [1.0], payment(amount=50.0, currency="JPY")),
        *both("in a currency without a rate", [1.0], payment(amount=50.0, currency="ISK")),
    ],
    "is_iban_invalid": [
        *both("it fails", [1.0], payment(payer_iban_valid=False)),
        *both("it holds", [0.0], payment(payer_iban_valid=True)),
        *both("it was not checked", [MISSING], payment()),
    ],
    "is_third_party_payer": is_stranger("payer_id"),
    "is_third_party_payee": is_stranger("payee_id"),
    "is_payer_off_corridor": [
        route("from its start", [0.0], payment(payer_country="CN")),
        route("from its end", [0.0], payment(payer_country="NL")),
        route("from under its flag", [1.0], payment(payer_country="PA"), today=[0.0]),
        route("from anywhere else", [1.0], payment(payer_country="CH")),
        route("it has no flag", [1.0], payment(payer_country="PA"), registration_country=None),
        route("neither is stated", [MISSING], payment(), registration_country=None),
        *(
            shipment(f"from its {country}", [0.0], payment(payer_country="VN"), **{country: "VN"})
            for country in COUNTRIES_OF_A_SHIPMENT
        ),
        shipment("from anywhere else", [1.0], payment(payer_country="CH")),
        *both("from nowhere that is stated", [MISSING], payment()),
        *both("not by who is paid", [MISSING], payment(payee_country="CH")),
        *both(
            "nor is who is paid looked at", [0.0], payment(payer_country="NL", payee_country="CH")
        ),
    ],
}


@pytest.mark.parametrize(("column", "fact"), each(FACTS))
def test_a_column_of_a_payment_is_what_its_facts_say(column: str, fact: Fact) -> None:
    check_of_linked("transactions", column, fact)


def test_a_payment_by_itself_shows_what_it_shows_beside_a_subject() -> None:
    every = [Transaction(subject_kind="route", subject_id="J", **r.row) for r in ONE_BY_EACH]

    shown = payments(columns_of_records(every, Transaction))

    # By its name `is_cash` should leave out what went through a money service.
    assert shown["is_cash"].tolist() == only({"cash", "money_service"})
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
