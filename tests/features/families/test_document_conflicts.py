"""What the features of `features/families/document_conflicts.py` make of small stories."""

from typing import Any

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    USD_PER_EUR,
    Fact,
    after,
    before,
    check,
    document,
    each,
    shipment,
    table,
    value_of,
)


def differing(stated: str, declared: str, side: str, **measured: Any) -> list[Fact]:
    """What every feature must be that compares a number of documents with the declared one.

    `stated` and `declared` name the number, `side` says whether more counts or less, and `measured`
    what it is measured in.
    """

    def of(number: int, /, **fields: Any) -> Any:
        return document(**{stated: number}, **measured, **fields)

    def fact(says: str, more: float, less: float, *around: Any, **own: Any) -> Fact:
        return shipment(says, more if side == "excess" else less, *around, **own)

    own = {declared: 1_000, **measured}
    return [
        fact("the same", 0.0, 0.0, of(1_000), **own),
        fact("a tenth more", 0.1, 0.0, of(1_100), **own),
        fact("a quarter less", 0.0, 0.25, of(750), **own),
        fact("twice as much", 1.0, 0.0, of(2_000), **own),
        fact("nothing at all", 0.0, 1.0, of(0), **own),
        fact("a millionth", 1 / 1e6, 0.0, of(1_000_001), **own | {declared: 1_000_000}),
        fact("the largest of three, not the last", 0.5, 0.1, of(1_500), of(900), of(1_000), **own),
        fact("more in one and less in another", 0.2, 0.3, of(1_200), of(700), **own),
        fact("of any kind", 0.1, 0.0, of(1_100, kind="bill_of_lading"), **own),
        fact("a version that is the only one", 0.1, 0.0, of(1_100, version=2), **own),
        fact("beside a document that does not state it", 0.1, 0.0, of(1_100), document(), **own),
        fact("years ago", 0.1, 0.0, of(1_100, received_at=before(days=2_000)), **own),
        fact("a moment before", 0.0, 0.1, of(900, received_at=DECLARED - MOMENT), **own),
        fact(
            "corrected by a later version",
            0.0,
            0.0,
            of(1_100, number="INV-1", received_at=before(days=3)),
            of(1_000, number="INV-1", version=2),
            **own,
        ),
        fact(
            "in a later version alone",
            0.0,
            0.2,
            of(1_000, number="INV-1", received_at=before(days=3)),
            of(800, number="INV-1", version=2),
            **own,
        ),
        fact("a thousandfold more", 1_000.0, 0.0, of(1_001_000), **own),
        fact("at most a thousandfold", 1_000.0, 0.0, of(2_001_000), **own),
        shipment(
            "a master bill covers more than this consignment",
            MISSING,
            of(5_000, kind="bill_of_lading", consignee_id="agent"),
            **own,
            forwarder_id="agent",
        ),
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
        ),
        shipment(
            "corrected by a later version",
            0.0,
            of(other, number="BL-1", received_at=before(days=3)),
            of(own, number="BL-1", version=2),
            **declared,
        ),
    ]


def values_in_currencies(side: str) -> list[Fact]:
    """What a difference of values must be where currencies come in."""

    def fact(says: str, more: float, less: float, *around: Any, **own: Any) -> Fact:
        return shipment(says, more if side == "excess" else less, *around, **own)

    eur = {"declared_value": 1_000.0, "currency": "EUR"}
    usd_100 = {"declared_value": 100 * USD_PER_EUR, "currency": "USD"}
    usd = document(value=1_000 * USD_PER_EUR, currency="USD")
    long_ago = document(value=100 * USD_PER_EUR, currency="USD", issued_at=before(days=160))
    return [
        fact("the same in another currency", 0.0, 0.0, usd, **eur),
        fact(
            "the same number of another currency",
            0.0,
            (1_000 - 868.34) / 1_000,
            document(value=1_000.0, currency="USD"),
            **eur,
        ),
        fact(
            "declared in another currency",
            0.5,
            0.0,
            document(value=150.0, currency="EUR"),
            **usd_100,
        ),
        fact("issued while the rate was another", 0.0, 0.0, long_ago, **usd_100),
        shipment("stated without its currency", MISSING, document(value=1_000.0), **eur),
        shipment(
            "declared without its currency", MISSING, document(**INVOICE), declared_value=1_000.0
        ),
        shipment(
            "stated in a currency without a rate",
            MISSING,
            document(value=1_000.0, currency="XPF"),
            **eur,
        ),
        shipment(
            "declared in a currency without a rate",
            MISSING,
            document(value=1_000.0, currency="XPF"),
            declared_value=1_000.0,
            currency="XPF",
        ),
    ]


SIDES = ("excess", "shortfall")
INVOICE = {"kind": "invoice", "value": 1_000.0, "currency": "EUR"}

shipments = table(shipment, globals())

FACTS = {
    **{
        f"document_mass_{side}_ratio": [
            *differing("gross_mass_kg", "gross_mass_kg", side),
            shipment(
                "the gross mass, not the net one",
                0.25 if side == "shortfall" else 0.0,
                document(gross_mass_kg=750.0),
                gross_mass_kg=1_000.0,
                net_mass_kg=750.0,
            ),
        ]
        for side in SIDES
    },
    **{
        f"document_packages_{side}_ratio": [
            *differing("packages", "packages", side),
            shipment(
                "one of three is lacking",
                1 / 3 if side == "shortfall" else 0.0,
                document(packages=2),
                packages=3,
            ),
        ]
        for side in SIDES
    },
    **{
        f"document_value_{side}_ratio": [
            *differing("value", "declared_value", side, currency="EUR"),
            *values_in_currencies(side),
        ]
        for side in SIDES
    },
    "party_conflict_count": [
        *stating_another("consignor_id", "consignor", "someone"),
        *stating_another("consignee_id", "consignee", "someone"),
        *shipments("""
            both parties are others: one document | 1.0 |
                document(consignor_id="someone", consignee_id="someone")
            consignor and consignee exchanged | 1.0 |
                document(consignor_id="consignee", consignee_id="consignor")
            the right consignor and another consignee | 1.0 |
                document(consignor_id="consignor", consignee_id="someone")
            another consignor and the right consignee | 1.0 |
                document(consignor_id="someone", consignee_id="consignee")
            both as declared | 0.0 | document(consignor_id="consignor", consignee_id="consignee")
            a master bill between forwarders beside a house bill | 0.0 |
                document("bill_of_lading", number="M-1", consignor_id="nvocc", issuer_id="nvocc"),
                document("bill_of_lading", number="H-1", consignor_id="consignor")
            an invoice to a forwarder | 1.0 | document("invoice", consignee_id="agent"),
                forwarder_id="agent"
        """),
    ],
    "container_conflict_count": [
        *stating_another("container_number", "CSQU3054383", "MSKU9070323"),
        *shipments("""
            none is declared | 0.0 | document(container_number="MSKU9070323")
            the same, written with blanks | 0.0 | document(container_number="CSQU 305438 3"),
                container_number="CSQU3054383", today=1.0
            not another seal | 0.0 | document(container_number="CSQU3054383", seal_number="B-2"),
                container_number="CSQU3054383", seal_number="A-1"
        """),
    ],
    "seal_conflict_count": [
        *stating_another("seal_number", "A-1", "B-2"),
        *shipments("""
            none is declared | 0.0 | document(seal_number="B-2")
            not another container | 0.0 |
                document(container_number="MSKU9070323", seal_number="A-1"),
                container_number="CSQU3054383", seal_number="A-1"
        """),
    ],
    "paid_to_invoice_ratio": shipments("""
        nine tenths | 900 / 1_000 | payment(amount=900.0), document(**INVOICE)
        twice the invoice | 2.0 | payment(amount=2_000.0), document(**INVOICE)
        in two payments | (400 + 500) / 1_000 | payment(amount=400.0), payment(amount=500.0),
            document(**INVOICE)
        a payment of nothing | 0.0 | payment(amount=0.0), document(**INVOICE)
        the newest invoice, though it is smaller | 900 / 1_000 | payment(amount=900.0),
            document(**INVOICE, received_at=before(hours=1)),
            document(**INVOICE | {"value": 2_000.0}, received_at=before(days=3))
        the newest invoice, though it is larger | 900 / 2_000 | payment(amount=900.0),
            document(**INVOICE | {"value": 2_000.0}, received_at=before(hours=1)),
            document(**INVOICE, received_at=before(days=3))
        of two at one instant that of the last id | 900 / 1_000 | payment(amount=900.0),
            document(**INVOICE, document_id="B"),
            document(**INVOICE | {"value": 2_000.0}, document_id="A")
        not a newer packing list's value | 900 / 1_000 | payment(amount=900.0),
            document(**INVOICE, received_at=before(days=3)),
            document("packing_list", value=2_000.0, currency="EUR")
        the newest invoice that states a value | 900 / 1_000 | payment(amount=900.0),
            document(**INVOICE, received_at=before(days=3)), document("invoice")
        paid in dollars | 500 / 1_000 | payment(amount=500 * USD_PER_EUR, currency="USD"),
            document(**INVOICE)
        invoiced in dollars | 500 / 1_000 | payment(amount=500.0),
            document("invoice", value=1_000 * USD_PER_EUR, currency="USD")
        paid years ago | 1.0 | payment(amount=1_000.0, known_at=before(days=2_000)),
            document(**INVOICE, received_at=before(days=2_000))
        a moment before | 1.0 | payment(amount=1_000.0, known_at=DECLARED - MOMENT),
            document(**INVOICE, received_at=DECLARED - MOMENT)
        held by someone and released: paid once | 1.0 | payment(amount=1_000.0, purpose="deposit"),
            payment(amount=1_000.0, purpose="release"), document(**INVOICE)
        another's payment and invoice do not count | 900 / 1_000 | payment(amount=900.0),
            payment(amount=50.0, subject_id="another"), document(**INVOICE),
            document(**INVOICE | {"value": 50.0}, subject_id="another", received_at=before(hours=1))
        what comes at the declaration itself does not count | 900 / 1_000 | payment(amount=900.0),
            payment(amount=50.0, known_at=DECLARED), document(**INVOICE),
            document(**INVOICE | {"value": 50.0}, received_at=DECLARED)
        freight and duties are not paid for the goods | 0.9 |
            payment(amount=900.0, purpose="goods"), payment(amount=300.0, purpose="freight"),
            payment(amount=200.0, purpose="other"), document(**INVOICE)
        nothing but freight was paid | MISSING | payment(purpose="freight"), document(**INVOICE)
        no document | MISSING | payment()
        no invoice | MISSING | payment(), document("manifest", value=9.0, currency="EUR")
        an invoice without a value | MISSING | payment(), document("invoice")
        an invoice without a currency | MISSING | payment(), document("invoice", value=9.0)
        an invoice in a currency without a rate | MISSING | payment(),
            document("invoice", value=9.0, currency="XPF")
        an invoice of zero | MISSING | payment(), document(**INVOICE | {"value": 0.0})
        no payment | MISSING | document(**INVOICE)
        a payment in a currency without a rate | MISSING | payment(currency="XPF"),
            document(**INVOICE)
    """),
    "seal_change_count": shipments("""
        planted: sealed anew on the way | 2.0 |
            document(number="N", seal_number="A", received_at=before(days=3)),
            document(number="N", version=2, seal_number="B", received_at=before(days=2)),
            document(number="N", version=3, seal_number="C")
        innocent: amended, under the same seal | 0.0 |
            document(number="N", seal_number="A", packages=3, received_at=before(days=3)),
            document(number="N", version=2, seal_number="A", packages=4)
        innocent: the seal is stated first by the second version | 0.0 |
            document(number="N", received_at=before(days=3)),
            document(number="N", version=2, seal_number="A")
        another paper of another container | 0.0 |
            document(number="N", seal_number="A", received_at=before(days=3)),
            document(number="M", version=2, seal_number="B")
        no document | 0.0
        known at the declaration itself | 0.0 |
            document(number="N", seal_number="A", received_at=before(days=3)),
            document(number="N", version=2, seal_number="B", received_at=DECLARED)
    """),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)


@pytest.mark.parametrize("stated", ["mass", "packages", "value"])
def test_a_difference_that_has_an_exact_value_is_exact(stated: str) -> None:
    feature = f"document_{stated}_excess_ratio"
    twice = next(fact for fact in FACTS[feature] if fact.says == "twice as much")

    assert value_of(feature, twice) == 1.0
