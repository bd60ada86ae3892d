"""What `features/derived/document.py` makes of a document and its subject."""

from typing import Any

import pytest

from features.derived.document import shipment_permits
from features.engine.columns import columns_of_records, instant_at
from features.engine.string_table import STRING_TABLE
from features.records import Document
from tests.features.derived.columns import check_of_linked, columns_of_linked
from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    USD_PER_EUR,
    Fact,
    Record,
    after,
    before,
    both,
    document,
    each,
    route,
    shipment,
    table,
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


MASTERS = ("manifest", "bill_of_lading", "air_waybill", "transit")
SIDES = ("excess", "shortfall")


def version(version: int, *, hours: float = 5, **fields: Any) -> Record:
    """A version of the invoice `N`, received so many hours before."""
    fields = {"kind": "invoice", "number": "N"} | fields
    return document(version=version, received_at=before(hours=hours), **fields)


VERSIONS = (version(1), version(2, hours=3))


def only(kind: str) -> list[Fact]:
    """The flag of a kind is set for that kind alone."""
    return [*both("of each kind", [float(kind == other) for other in KINDS], *ONE_OF_EACH)]


def difference(stated: str, declared: str, side: str, **measured: Any) -> list[Fact]:
    """What is stated beyond what was declared, or below it, in millionths of what was declared."""

    def of(number: int) -> Any:
        return document(**{stated: number}, **measured)

    def declaring(number: int) -> Any:
        return {declared: number, **measured}

    def fact(says: str, more: float | None, *around: Any, **own: Any) -> Fact:
        less = None if more is None else max(-more, 0.0)
        more = None if more is None else max(more, 0.0)
        return shipment(says, [more if side == "excess" else less], *around, **own)

    return [
        fact("none", 0.0, of(1_000), **declaring(1_000)),
        fact("more", 100 / 1_000 * 1e6, of(1_100), **declaring(1_000)),
        fact("less", -250 / 1_000 * 1e6, of(750), **declaring(1_000)),
        fact("of what is declared, not of what is stated", 1e6, of(200), **declaring(100)),
        fact("zero is stated", -1e6, of(0), **declaring(1_000)),
        fact("two thirds of a millionth", 1.0, of(3_000_002), **declaring(3_000_000)),
        fact("a third of a millionth", 0.0, of(3_000_001), **declaring(3_000_000)),
        fact("a thousandfold", 1_000 * 1e6, of(1_001), **declaring(1)),
        fact("less than a thousandfold", 999 * 1e6, of(1_000), **declaring(1)),
        fact("at most a thousandfold", 1_000 * 1e6, of(1_003), **declaring(1)),
        fact("for one that is declared", 0.5 * 1e6, of(3), **declaring(2)),
        fact("nothing is stated", MISSING, document(), **declaring(1_000)),
        fact("nothing is declared", MISSING, of(1_000)),
        fact("zero is declared", MISSING, of(1_000), **declaring(0)),
        fact("zero is declared and stated", MISSING, of(0), **declaring(0)),
        fact(
            "a master paper covers more than this consignment",
            MISSING,
            document("bill_of_lading", **{stated: 1_100}, **measured, consignee_id="agent"),
            **declaring(1_000),
            forwarder_id="agent",
        ),
        shipment(
            "of a version that a later one corrects",
            [MISSING, 0.0],
            document(**{stated: 900}, **measured, number="N", received_at=before(days=3)),
            document(**{stated: 1_000}, **measured, number="N", version=2),
            **declaring(1_000),
        ),
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
        shipment(
            "a version that a later one corrects",
            [MISSING, 0.0],
            document(**{field: "B-2"}, number="N", received_at=before(days=3)),
            document(**{field: "A-1"}, number="N", version=2),
            **declared,
        ),
    ]


of_both = table(both, globals())
routes = table(route, globals())
shipments = table(shipment, globals())

FACTS = {
    "subject_id": [
        route("its journey", ["J"], document()),
        shipment("its shipment", ["S"], document()),
    ],
    "record_id": [
        *of_both("""
            its own id | ["D-7"] | document(document_id="D-7")
            none | []
            in the order of receipt | ["D-b", "D-a"] |
                document(document_id="D-a", received_at=before(hours=1)),
                document(document_id="D-b", received_at=before(hours=2))
            those received at once by their ids | ["D-a", "D-b"] | document(document_id="D-b"),
                document(document_id="D-a")
            a moment before | ["D-7"] | document(document_id="D-7", received_at=DECLARED - MOMENT)
            not at the declaration itself | [] | document(received_at=DECLARED)
            not later | [] | document(received_at=after(days=1))
            not of another | [] | document(subject_id="another")
        """),
        route("not of a shipment called the same", [], document(subject_kind="shipment")),
        shipment("not of a route called the same", [], document(subject_kind="route")),
    ],
    "known_at": of_both("""
        its receipt | [before(hours=5)] | document(received_at=before(hours=5))
    """),
    "is_amendment": of_both("""
        the first version | [0.0] | document(version=1)
        the second version | [1.0] | document(version=2)
        the third version | [1.0] | document(version=3)
    """),
    "is_expired": [
        *both("it ended before the declaration", [1.0], document(expires_at=before(days=1))),
        *both("it ends when all is over", [0.0], document(expires_at=after(days=11))),
        *both("nothing says when it ends", [MISSING], document()),
        route("a moment before it is due", [1.0], document(expires_at=DUE - MOMENT)),
        route("when it is due", [0.0], document(expires_at=DUE)),
        route("due sooner", [0.0], document(expires_at=DUE - MOMENT), due_at=after(days=1)),
        *shipments("""
            a moment before the declaration | [1.0] | document(expires_at=DECLARED - MOMENT)
            at the declaration | [0.0] | document(expires_at=DECLARED)
            a moment before its journey is due | [1.0] | journey(),
                document(expires_at=DUE - MOMENT), journey_id="J"
        """),
        *of_both("""
            of a version that a later one replaces | [MISSING, 0.0] |
                version(1, expires_at=before(days=1)),
                version(2, hours=1, expires_at=after(days=90))
        """),
    ],
    "is_latest_version": of_both("""
        the only version | [1.0] | document(number="N", version=3)
        a later version is known | [0.0, 1.0] | *VERSIONS
        three versions | [0.0, 0.0, 1.0] | *VERSIONS, version(3, hours=1)
        the later version came first | [1.0, 0.0] | version(2, hours=9), version(1, hours=3)
        the later version is not yet known | [1.0] | version(1), version(2, hours=-1)
        another number | [1.0, 1.0] | version(1), version(2, number="M")
        another kind of that number | [1.0, 1.0] | version(1), version(2, kind="permit")
        papers without a number go by their kind | [0.0, 1.0] | version(1, number=None),
            version(2, number=None, hours=1)
        two of one version | [1.0, 1.0] | version(1), version(1, hours=1)
        of another | [1.0] | version(1), version(2, subject_id="another")
    """),
    "is_critical_change": [
        *(
            fact
            for field, stated, other in (
                ("consignor_id", "A", "B"),
                ("consignee_id", "A", "B"),
                ("container_number", "A-1", "B-2"),
                ("seal_number", "A-1", "B-2"),
                ("gross_mass_kg", 10.0, 10.1),
                ("packages", 4, 5),
            )
            for fact in (
                *both(
                    f"another {field}",
                    [0.0, 1.0],
                    version(1, **{field: stated}),
                    version(2, hours=1, **{field: other}),
                ),
                *both(
                    f"the same {field}",
                    [0.0, 0.0],
                    version(1, **{field: stated}),
                    version(2, hours=1, **{field: stated}),
                ),
                *both(
                    f"{field} is stated first, or no longer",
                    [0.0, 0.0, 0.0],
                    version(1),
                    version(2, hours=2, **{field: stated}),
                    version(3, hours=1),
                ),
            )
        ),
        *of_both("""
            another value | [0.0, 0.0] | version(1, value=1.0), version(2, hours=1, value=2.0)
            a later version alone | [0.0] | version(2, packages=4)
            beside the version before, not beside the first | [0.0, 1.0, 0.0] |
                version(1, packages=4), version(2, packages=5, hours=2),
                version(3, packages=5, hours=1)
            another paper is no version before | [0.0, 0.0] | version(1, packages=4),
                version(2, packages=5, hours=1, number="M")
        """),
    ],
    "is_seal_change": of_both("""
        another seal | [0.0, 1.0] | version(1, seal_number="A"),
            version(2, hours=1, seal_number="B")
        the same seal | [0.0, 0.0] | version(1, seal_number="A"),
            version(2, hours=1, seal_number="A")
        a seal that was not stated | [0.0, 0.0] | version(1), version(2, hours=1, seal_number="B")
        another container | [0.0, 0.0] | version(1, container_number="A"), version(2, hours=1)
    """),
    "is_valued_invoice": of_both("""
        it states a value | [1.0] | document(value=9.0, currency="EUR")
        it states none | [0.0] | document()
        in a currency without a rate | [0.0] | document(value=9.0, currency="XPF")
        of another kind | [0.0] | document("permit", value=9.0, currency="EUR")
        a later version is known | [0.0, 1.0] | version(1, value=9.0, currency="EUR"),
            version(2, hours=1, value=9.0, currency="EUR")
    """),
    "minutes_before_due": [
        *routes("""
            ten days | [14_400.0] | document(received_at=before(hours=0) - MOMENT)
            due sooner | [90.0] | document(received_at=before(hours=1)), due_at=after(minutes=30)
            when all is over | [-60.0] | document(received_at=before(hours=1)),
                due_at=before(hours=2)
        """),
        *shipments("""
            no journey is known | [MISSING] | document()
            of its journey | [90.0] | journey(due_at=after(minutes=30)),
                document(received_at=before(hours=1)), journey_id="J"
        """),
        *routes("""
            since it was received, not issued | [14_460.0] |
                document(received_at=before(hours=1), issued_at=before(days=1))
        """),
    ],
    "value_eur_cents": of_both("""
        in euro | [123_456.0] | document(value=1_234.56, currency="EUR")
        in dollars | [8_683.0] | document(value=100.0, currency="USD")
        in yen | [100.0] | document(value=166.523, currency="JPY")
        in pounds | [10_000.0] | document(value=84.981, currency="GBP")
        a little less than a cent more | [1_001.0] | document(value=10.006, currency="EUR")
        a little more than a cent | [1_000.0] | document(value=10.004, currency="EUR")
        zero | [0.0] | document(value=0.0, currency="EUR")
        without a currency | [MISSING] | document(value=10.0)
        in a currency without a rate | [MISSING] | document(value=10.0, currency="XPF")
        a currency alone | [MISSING] | document(currency="EUR")
    """),
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
    **{
        f"mass_{side}_ppm": [
            *difference("gross_mass_kg", "gross_mass_kg", side),
            shipment(
                "not beside the net mass", [MISSING], document(gross_mass_kg=9.0), net_mass_kg=9.0
            ),
        ]
        for side in SIDES
    },
    **{f"packages_{side}_ppm": difference("packages", "packages", side) for side in SIDES},
    **{
        f"value_{side}_ppm": [
            *difference("value", "declared_value", side, currency="EUR"),
            shipment(
                "in another currency",
                [0.5 * 1e6 if side == "excess" else 0.0],
                document(value=150 * USD_PER_EUR, currency="USD"),
                declared_value=100.0,
                currency="EUR",
            ),
            shipment(
                "declared in another currency",
                [0.0 if side == "excess" else 0.25 * 1e6],
                document(value=75.0, currency="EUR"),
                declared_value=100 * USD_PER_EUR,
                currency="USD",
            ),
            shipment(
                "issued while the rate was another: the same dollars are the same value",
                [0.0],
                document(value=100.0, currency="USD", issued_at=before(days=160)),
                declared_value=100.0,
                currency="USD",
            ),
        ]
        for side in SIDES
    },
    "is_party_conflict": [
        *shipments("""
            both are the same | [0.0] | document(consignor_id="consignor", consignee_id="consignee")
            another consignor | [1.0] | document(consignor_id="A", consignee_id="consignee")
            another consignee | [1.0] | document(consignor_id="consignor", consignee_id="A")
            both are others | [1.0] | document(consignor_id="A", consignee_id="B")
            only the same consignor | [0.0] | document(consignor_id="consignor")
            only the same consignee | [0.0] | document(consignee_id="consignee")
            only another consignor | [1.0] | document(consignor_id="A")
            only another consignee | [1.0] | document(consignee_id="A")
            nobody is named | [MISSING] | document()
        """),
        *(
            shipment(
                f"made out between forwarders: a {kind} to the {agent}",
                [0.0 if kind in MASTERS else 1.0],
                document(kind, consignor_id="consignor", consignee_id="agent"),
                **{agent: "agent"},
            )
            for kind in (*MASTERS, "invoice", "certificate_of_origin")
            for agent in ("forwarder_id", "declarant_id", "notify_party_id")
        ),
        *shipments("""
            made out by who issued it | [0.0] |
                document("bill_of_lading", consignor_id="nvocc", issuer_id="nvocc")
            a bill to a stranger | [1.0] |
                document("bill_of_lading", consignee_id="A", issuer_id="nvocc"),
                forwarder_id="agent"
        """),
    ],
    "is_container_conflict": [
        *conflict("container_number"),
        *shipments("""
            the seal of the same number | [MISSING] | document(seal_number="A-1"),
                container_number="A-1"
        """),
    ],
    "number": of_both("""
        what is printed on it | ["N-1"] | document(number="N-1")
        nothing | [MISSING] | document(number=None)
    """),
    "is_seal_conflict": [
        *conflict("seal_number"),
        *shipments("""
            the container of the same number | [MISSING] | document(container_number="A-1"),
                seal_number="A-1"
        """),
    ],
}


def test_permits_of_anyone_are_those_of_shipments_that_have_a_number() -> None:
    def filed(kind: str = "permit", **fields: Any) -> Document:
        own = {"subject_kind": "shipment", "subject_id": "S-1", "number": "N-1"}
        return Document(**document(kind, **own | fields).row)

    papers = [
        filed(),
        filed("invoice"),
        filed(subject_kind="route"),
        filed(number=None),
        filed(subject_id="S-2", number="N-2", version=2, received_at=DECLARED),
    ]
    permits = shipment_permits(columns_of_records(papers, Document))

    assert STRING_TABLE.texts(permits["subject_id"]).to_pylist() == ["S-1", "S-2"]
    assert STRING_TABLE.texts(permits["number"]).to_pylist() == ["N-1", "N-2"]
    named = [papers[0].document_id, papers[-1].document_id]
    assert STRING_TABLE.texts(permits["record_id"]).to_pylist() == named
    assert [*map(instant_at, permits["known_at"])] == [before(days=1), DECLARED]


@pytest.mark.parametrize(("column", "facts"), each(FACTS))
def test_a_column_of_a_document_is_what_its_facts_say(column: str, facts: list[Fact]) -> None:
    check_of_linked("documents", column, facts)


def test_a_difference_is_in_whole_millionths_exactly() -> None:
    twice = shipment("twice", [1e6], document(gross_mass_kg=2.0), gross_mass_kg=1.0)

    found = columns_of_linked("documents", "shipment", "mass_excess_ppm", *twice.records)

    assert found == [1_000_000.0]
