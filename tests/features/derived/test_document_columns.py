"""What `features/derived/document.py` makes of a document and its subject."""

from typing import Any

import pytest

from tests.features.derived.columns import check_of_linked, columns_of_linked
from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    after,
    before,
    both,
    document,
    each,
    route,
    shipment,
)

KINDS = (
    "manifest",
    "bill_of_lading",
    "air_waybill",
    "invoice",
    "packing_list",
    "certificate_of_origin",
    "permit",
    "transit",
    "security_checklist",
)
ONE_OF_EACH = [
    document(kind, received_at=before(hours=24 - hour)) for hour, kind in enumerate(KINDS)
]
DUE = after(days=10)
"""When the journey of every story is due."""


def only(kind: str) -> list[Fact]:
    """The flag of a kind is set for that kind alone."""
    return [*both("of each kind", [float(kind == other) for other in KINDS], *ONE_OF_EACH)]


def difference(stated: str, declared: str, **measured: Any) -> list[Fact]:
    """What a difference must be, in millionths of a number that was declared."""

    def of(number: int) -> Any:
        return document(**{stated: number}, **measured)

    def declaring(number: int) -> Any:
        return {declared: number, **measured}

    return [
        shipment("none", [0.0], of(1_000), **declaring(1_000)),
        shipment("more", [100 / 1_000 * 1e6], of(1_100), **declaring(1_000)),
        shipment("less", [250 / 1_000 * 1e6], of(750), **declaring(1_000)),
        shipment("of what is declared, not of what is stated", [1e6], of(200), **declaring(100)),
        shipment("zero is stated", [1e6], of(0), **declaring(1_000)),
        shipment("two thirds of a millionth", [1.0], of(3_000_002), **declaring(3_000_000)),
        shipment("a third of a millionth", [0.0], of(3_000_001), **declaring(3_000_000)),
        shipment("a thousandfold", [1_000 * 1e6], of(1_001), **declaring(1)),
        shipment("less than a thousandfold", [999 * 1e6], of(1_000), **declaring(1)),
        shipment("at most a thousandfold", [1_000 * 1e6], of(1_003), **declaring(1)),
        shipment("for one that is declared", [0.5 * 1e6], of(3), **declaring(2)),
        shipment("nothing is stated", [MISSING], document(), **declaring(1_000)),
        shipment("nothing is declared", [MISSING], of(1_000)),
        shipment("zero is declared", [MISSING], of(1_000), **declaring(0)),
        shipment("zero is declared and stated", [MISSING], of(0), **declaring(0)),
    ]


def conflict(field: str) -> list[Fact]:
    """Whether a document states another number than was declared."""
    declared: Any = {field: "A-1"}
    return [
        shipment("the same", [0.0], document(**{field: "A-1"}), **declared),
        shipment("another", [1.0], document(**{field: "B-2"}), **declared),
        shipment("none is stated", [MISSING], document(), **declared),
        shipment("none is declared", [MISSING], document(**{field: "B-2"})),
        shipment("none is stated nor declared", [MISSING], document()),
    ]


FACTS = {
    "subject_id": [
        route("its journey", ["J"], document()),
        shipment("its shipment", ["S"], document()),
    ],
    "record_id": [
        *both("its own id", ["D-7"], document(document_id="D-7")),
        *both("none", []),
        *both(
            "in the order of receipt",
            ["D-b", "D-a"],
            document(document_id="D-a", received_at=before(hours=1)),
            document(document_id="D-b", received_at=before(hours=2)),
        ),
        *both(
            "those received at once by their ids",
            ["D-a", "D-b"],
            document(document_id="D-b"),
            document(document_id="D-a"),
        ),
        *both(
            "a moment before", ["D-7"], document(document_id="D-7", received_at=DECLARED - MOMENT)
        ),
        *both("not at the declaration itself", [], document(received_at=DECLARED)),
        *both("not later", [], document(received_at=after(days=1))),
        *both("not of another", [], document(subject_id="another")),
        route("not of a shipment called the same", [], document(subject_kind="shipment")),
        shipment("not of a route called the same", [], document(subject_kind="route")),
    ],
    "known_at": [*both("its receipt", [before(hours=5)], document(received_at=before(hours=5)))],
    "is_amendment": [
        *both("the first version", [0.0], document(version=1)),
        *both("the second version", [1.0], document(version=2)),
        *both("the third version", [1.0], document(version=3)),
    ],
    "is_expired": [
        *both("it ended before the declaration", [1.0], document(expires_at=before(days=1))),
        *both("it ends when all is over", [0.0], document(expires_at=after(days=11))),
        *both("nothing says when it ends", [MISSING], document()),
        route("a moment before it is due", [1.0], document(expires_at=DUE - MOMENT)),
        route("when it is due", [0.0], document(expires_at=DUE)),
        route("due sooner", [0.0], document(expires_at=DUE - MOMENT), due_at=after(days=1)),
        shipment("a moment before the declaration", [1.0], document(expires_at=DECLARED - MOMENT)),
        shipment("at the declaration", [0.0], document(expires_at=DECLARED)),
    ],
    "lead_minutes": [
        *both("an hour and a half", [90.0], document(received_at=before(minutes=90))),
        *both("less than half a minute", [0.0], document(received_at=before(seconds=29))),
        *both("more than half a minute", [1.0], document(received_at=before(seconds=31))),
        *both(
            "since it was received, not issued",
            [60.0],
            document(received_at=before(hours=1), issued_at=before(days=1)),
        ),
    ],
    "value_eur_cents": [
        *both("in euro", [123_456.0], document(value=1_234.56, currency="EUR")),
        *both("in dollars", [9_259.0], document(value=100.0, currency="USD")),
        *both("in yen", [100.0], document(value=164.0, currency="JPY")),
        *both("in pounds", [10_000.0], document(value=84.7, currency="GBP")),
        *both("a little less than a cent more", [1_001.0], document(value=10.006, currency="EUR")),
        *both("a little more than a cent", [1_000.0], document(value=10.004, currency="EUR")),
        *both("zero", [0.0], document(value=0.0, currency="EUR")),
        *both("without a currency", [MISSING], document(value=10.0)),
        *both("in a currency without a rate", [MISSING], document(value=10.0, currency="ISK")),
        *both("a currency alone", [MISSING], document(currency="EUR")),
    ],
    **{
        f"is_{kind}": only(kind)
        for kind in (
            "manifest",
            "invoice",
            "packing_list",
            "permit",
            "transit",
            "security_checklist",
        )
    },
    "mass_difference_ppm": [
        *difference("gross_mass_kg", "gross_mass_kg"),
        shipment(
            "not beside the net mass", [MISSING], document(gross_mass_kg=9.0), net_mass_kg=9.0
        ),
    ],
    "packages_difference_ppm": difference("packages", "packages"),
    "value_difference_ppm": [
        *difference("value", "declared_value", currency="EUR"),
        shipment(
            "in another currency",
            [0.5 * 1e6],
            document(value=162.0, currency="USD"),
            declared_value=100.0,
            currency="EUR",
        ),
        shipment(
            "declared in another currency",
            [0.25 * 1e6],
            document(value=75.0, currency="EUR"),
            declared_value=108.0,
            currency="USD",
        ),
    ],
    "is_party_conflict": [
        shipment(
            "both are the same", [0.0], document(consignor_id="consignor", consignee_id="consignee")
        ),
        shipment("another consignor", [1.0], document(consignor_id="A", consignee_id="consignee")),
        shipment("another consignee", [1.0], document(consignor_id="consignor", consignee_id="A")),
        shipment("both are others", [1.0], document(consignor_id="A", consignee_id="B")),
        shipment("only the same consignor", [0.0], document(consignor_id="consignor")),
        shipment("only the same consignee", [0.0], document(consignee_id="consignee")),
        shipment("only another consignor", [1.0], document(consignor_id="A")),
        shipment("only another consignee", [1.0], document(consignee_id="A")),
        shipment("nobody is named", [MISSING], document()),
    ],
    "is_container_conflict": [
        *conflict("container_number"),
        shipment(
            "the seal of the same number",
            [MISSING],
            document(seal_number="A-1"),
            container_number="A-1",
        ),
    ],
    "is_seal_conflict": [
        *conflict("seal_number"),
        shipment(
            "the container of the same number",
            [MISSING],
            document(container_number="A-1"),
            seal_number="A-1",
        ),
    ],
}


@pytest.mark.parametrize(("column", "fact"), each(FACTS))
def test_a_column_of_a_document_is_what_its_facts_say(column: str, fact: Fact) -> None:
    check_of_linked("documents", column, fact)


def test_a_difference_is_in_whole_millionths_exactly() -> None:
    twice = shipment("twice", [1e6], document(gross_mass_kg=2.0), gross_mass_kg=1.0)

    found = columns_of_linked("documents", "shipment", "mass_difference_ppm", *twice.records)

    assert found == [1_000_000.0]
