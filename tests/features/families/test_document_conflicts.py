"""What the features of `features/families/document_conflicts.py` make of small stories."""

from typing import Any

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    after,
    before,
    check,
    document,
    each,
    payment,
    shipment,
    value_of,
)


def differing(stated: str, declared: str, **measured: Any) -> list[Fact]:
    """What every feature must be that compares a number of documents with the declared one.

    `stated` and `declared` name the number, and `measured` what it is measured in.
    """

    def of(number: int, /, **fields: Any) -> Any:
        return document(**{stated: number}, **measured, **fields)

    own = {declared: 1_000, **measured}
    return [
        shipment("the same", 0.0, of(1_000), **own),
        shipment("a tenth more", 0.1, of(1_100), **own),
        shipment("a quarter less", 0.25, of(750), **own),
        shipment("twice as much", 1.0, of(2_000), **own),
        shipment("nothing at all", 1.0, of(0), **own),
        shipment("a millionth of it", 1 / 1_000_000, of(1_000_001), **own | {declared: 1_000_000}),
        shipment("the largest of three, not the last", 0.5, of(1_500), of(900), of(1_000), **own),
        shipment("more in one and less in another", 0.3, of(1_200), of(700), **own),
        shipment("of any kind", 0.1, of(1_100, kind="bill_of_lading"), **own),
        shipment("a version that is the only one", 0.1, of(1_100, version=2), **own),
        shipment("beside a document that does not state it", 0.1, of(1_100), document(), **own),
        shipment("years ago", 0.1, of(1_100, received_at=before(days=2_000)), **own),
        shipment("a moment before", 0.1, of(1_100, received_at=DECLARED - MOMENT), **own),
        shipment(
            "corrected by a later version",
            0.0,
            of(1_100, number="INV-1", received_at=before(days=3)),
            of(1_000, number="INV-1", version=2),
            **own,
            today=0.1,
        ),
        shipment("a thousandfold more", 1_000.0, of(1_001_000), **own),
        shipment("far over a thousandfold more", 2_000.0, of(2_001_000), **own, today=1_000.0),
        shipment("no document", MISSING, **own),
        shipment("not stated", MISSING, document(), **own),
        shipment("not declared", MISSING, of(1_000)),
        shipment("declared as zero", MISSING, of(1_000), **own | {declared: 0}),
        shipment("at the declaration itself", MISSING, of(1_100, received_at=DECLARED), **own),
        shipment("later", MISSING, of(1_100, received_at=after(days=1)), **own),
        shipment("of another", MISSING, of(1_100, subject_id="another"), **own),
        shipment("of a route", MISSING, of(1_100, subject_kind="route"), **own),
    ]


def stating_another(field: str, own: str, other: str) -> list[Fact]:
    """What every feature must be that counts documents that state another number than declared."""

    def of(number: str, /, **fields: Any) -> Any:
        return document(**{field: number}, **fields)

    declared: Any = {field: own}
    return [
        shipment("no document", 0.0, **declared),
        shipment("the same", 0.0, of(own), **declared),
        shipment("another", 1.0, of(other), **declared),
        shipment("two of three", 2.0, of(other), of(own), of("YET-ANOTHER"), **declared),
        shipment("not stated", 0.0, document(), **declared),
        shipment("of any kind", 1.0, of(other, kind="transit"), **declared),
        shipment("years ago", 1.0, of(other, received_at=before(days=2_000)), **declared),
        shipment("a moment before", 1.0, of(other, received_at=DECLARED - MOMENT), **declared),
        shipment("at the declaration itself", 0.0, of(other, received_at=DECLARED), **declared),
        shipment("later", 0.0, of(other, received_at=after(days=1)), **declared),
        shipment("of another shipment", 0.0, of(other, subject_id="another"), **declared),
        shipment(
            "two versions of one document",
            1.0,
            of(other, number="BL-1", received_at=before(days=3)),
            of(other, number="BL-1", version=2),
            **declared,
            today=2.0,
        ),
        shipment(
            "corrected by a later version",
            0.0,
            of(other, number="BL-1", received_at=before(days=3)),
            of(own, number="BL-1", version=2),
            **declared,
            today=1.0,
        ),
    ]


INVOICE = {"kind": "invoice", "value": 1_000.0, "currency": "EUR"}

FACTS = {
    "document_mass_difference_ratio": [
        *differing("gross_mass_kg", "gross_mass_kg"),
        shipment(
            "the gross mass, not the net one",
            0.25,
            document(gross_mass_kg=750.0),
            gross_mass_kg=1_000.0,
            net_mass_kg=750.0,
        ),
    ],
    "document_packages_difference_ratio": [
        *differing("packages", "packages"),
        shipment("one of three is lacking", 1 / 3, document(packages=2), packages=3),
    ],
    "document_value_difference_ratio": [
        *differing("value", "declared_value", currency="EUR"),
        shipment(
            "the same in another currency",
            0.0,
            document(value=1_080.0, currency="USD"),
            declared_value=1_000.0,
            currency="EUR",
        ),
        shipment(
            "the same number of another currency",
            (1_000 - 925.93) / 1_000,
            document(value=1_000.0, currency="USD"),
            declared_value=1_000.0,
            currency="EUR",
        ),
        shipment(
            "declared in another currency",
            0.5,
            document(value=150.0, currency="EUR"),
            declared_value=108.0,
            currency="USD",
        ),
        shipment(
            "stated without its currency",
            MISSING,
            document(value=1_000.0),
            declared_value=1_000.0,
            currency="EUR",
        ),
        shipment(
            "declared without its currency", MISSING, document(**INVOICE), declared_value=1_000.0
        ),
        shipment(
            "stated in a currency without a rate",
            MISSING,
            document(value=1_000.0, currency="ISK"),
            declared_value=1_000.0,
            currency="EUR",
        ),
        shipment(
            "declared in a currency without a rate",
            MISSING,
            document(value=1_000.0, currency="ISK"),
            declared_value=1_000.0,
            currency="ISK",
        ),
    ],
    "party_conflict_count": [
        *stating_another("consignor_id", "consignor", "someone"),
        *stating_another("consignee_id", "consignee", "someone"),
        shipment(
            "both parties are others: one document",
            1.0,
            document(consignor_id="someone", consignee_id="someone"),
        ),
        shipment(
            "consignor and consignee exchanged",
            1.0,
            document(consignor_id="consignee", consignee_id="consignor"),
        ),
        shipment(
            "the right consignor and another consignee",
            1.0,
            document(consignor_id="consignor", consignee_id="someone"),
        ),
        shipment(
            "another consignor and the right consignee",
            1.0,
            document(consignor_id="someone", consignee_id="consignee"),
        ),
        shipment(
            "both as declared", 0.0, document(consignor_id="consignor", consignee_id="consignee")
        ),
    ],
    "container_conflict_count": [
        *stating_another("container_number", "CSQU3054383", "MSKU9070323"),
        shipment("none is declared", 0.0, document(container_number="MSKU9070323")),
        shipment(
            "the same, written with blanks",
            0.0,
            document(container_number="CSQU 305438 3"),
            container_number="CSQU3054383",
            today=1.0,
        ),
        shipment(
            "not another seal",
            0.0,
            document(container_number="CSQU3054383", seal_number="B-2"),
            container_number="CSQU3054383",
            seal_number="A-1",
        ),
    ],
    "seal_conflict_count": [
        *stating_another("seal_number", "A-1", "B-2"),
        shipment("none is declared", 0.0, document(seal_number="B-2")),
        shipment(
            "not another container",
            0.0,
            document(container_number="MSKU9070323", seal_number="A-1"),
            container_number="CSQU3054383",
            seal_number="A-1",
        ),
    ],
    "paid_to_invoice_ratio": [
        shipment("nine tenths", 900 / 1_000, payment(amount=900.0), document(**INVOICE)),
        shipment("twice the invoice", 2.0, payment(amount=2_000.0), document(**INVOICE)),
        shipment(
            "in two payments",
            (400 + 500) / 1_000,
            payment(amount=400.0),
            payment(amount=500.0),
            document(**INVOICE),
        ),
        shipment("a payment of nothing", 0.0, payment(amount=0.0), document(**INVOICE)),
        shipment(
            "the newest invoice, though it is smaller",
            900 / 1_000,
            payment(amount=900.0),
            document(**INVOICE, received_at=before(hours=1)),
            document(**INVOICE | {"value": 2_000.0}, received_at=before(days=3)),
        ),
        shipment(
            "the newest invoice, though it is larger",
            900 / 2_000,
            payment(amount=900.0),
            document(**INVOICE | {"value": 2_000.0}, received_at=before(hours=1)),
            document(**INVOICE, received_at=before(days=3)),
        ),
        shipment(
            "of two at one instant that of the last id",
            900 / 1_000,
            payment(amount=900.0),
            document(**INVOICE, document_id="B"),
            document(**INVOICE | {"value": 2_000.0}, document_id="A"),
        ),
        shipment(
            "not a newer packing list's value",
            900 / 1_000,
            payment(amount=900.0),
            document(**INVOICE, received_at=before(days=3)),
            document("packing_list", value=2_000.0, currency="EUR"),
        ),
        shipment(
            "the newest invoice that states a value",
            900 / 1_000,
            payment(amount=900.0),
            document(**INVOICE, received_at=before(days=3)),
            document("invoice"),
            today=MISSING,
        ),
        shipment(
            "paid in dollars",
            500 / 1_000,
            payment(amount=540.0, currency="USD"),
            document(**INVOICE),
        ),
        shipment(
            "invoiced in dollars",
            500 / 1_000,
            payment(amount=500.0),
            document("invoice", value=1_080.0, currency="USD"),
        ),
        shipment(
            "paid years ago",
            1.0,
            payment(amount=1_000.0, known_at=before(days=2_000)),
            document(**INVOICE, received_at=before(days=2_000)),
        ),
        shipment(
            "a moment before",
            1.0,
            payment(amount=1_000.0, known_at=DECLARED - MOMENT),
            document(**INVOICE, received_at=DECLARED - MOMENT),
        ),
        shipment(
            "held by someone and released: paid once",
            1.0,
            payment(amount=1_000.0, purpose="deposit"),
            payment(amount=1_000.0, purpose="release"),
            document(**INVOICE),
            today=2.0,
        ),
        shipment(
            "another's payment and invoice do not count",
            900 / 1_000,
            payment(amount=900.0),
            payment(amount=50.0, subject_id="another"),
            document(**INVOICE),
            document(
                **INVOICE | {"value": 50.0}, subject_id="another", received_at=before(hours=1)
            ),
        ),
        shipment(
            "what comes at the declaration itself does not count",
            900 / 1_000,
            payment(amount=900.0),
            payment(amount=50.0, known_at=DECLARED),
            document(**INVOICE),
            document(**INVOICE | {"value": 50.0}, received_at=DECLARED),
        ),
        shipment("no document", MISSING, payment()),
        shipment("no invoice", MISSING, payment(), document("manifest", value=9.0, currency="EUR")),
        shipment("an invoice without a value", MISSING, payment(), document("invoice")),
        shipment(
            "an invoice without a currency", MISSING, payment(), document("invoice", value=9.0)
        ),
        shipment(
            "an invoice in a currency without a rate",
            MISSING,
            payment(),
            document("invoice", value=9.0, currency="ISK"),
        ),
        shipment("an invoice of zero", MISSING, payment(), document(**INVOICE | {"value": 0.0})),
        shipment("no payment", MISSING, document(**INVOICE), today=0.0),
        shipment(
            "a payment in a currency without a rate",
            MISSING,
            payment(currency="ISK"),
            document(**INVOICE),
            today=0.0,
        ),
    ],
}


@pytest.mark.parametrize(("feature", "fact"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, fact: Fact) -> None:
    check(feature, fact)


@pytest.mark.parametrize("stated", ["mass", "packages", "value"])
def test_a_difference_that_has_an_exact_value_is_exact(stated: str) -> None:
    feature = f"document_{stated}_difference_ratio"
    twice = next(fact for fact in FACTS[feature] if fact.says == "twice as much")

    assert value_of(feature, twice) == 1.0
