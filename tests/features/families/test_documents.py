"""What the features of `features/families/documents.py` make of small stories."""

from collections.abc import Callable
from datetime import datetime, timedelta
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
    document,
    each,
    journey,
    route,
    shipment,
    table,
)

NEEDED_UNTIL = after(days=10)
"""When the journey of every story is due."""


def is_filed(fact: Callable[..., Fact], kind: str, other: str) -> list[Fact]:
    """What every feature must be that asks whether a document of one kind was filed."""
    return [
        fact("no document", 0.0),
        fact("filed", 1.0, document(kind)),
        fact("filed twice", 1.0, document(kind), document(kind)),
        fact("filed among others", 1.0, document("manifest"), document(kind), document(other)),
        fact("only the second version is known", 1.0, document(kind, version=2)),
        fact("filed years ago", 1.0, document(kind, received_at=before(days=2_000))),
        fact("filed a moment before", 1.0, document(kind, received_at=DECLARED - MOMENT)),
        fact("filed at the declaration itself", 0.0, document(kind, received_at=DECLARED)),
        fact("filed later", 0.0, document(kind, received_at=after(days=1))),
        fact("filed for another", 0.0, document(kind, subject_id="another")),
        fact("another kind of document", 0.0, document(other)),
    ]


def manifest(says: str, expected: float | None, received_at: datetime) -> tuple[Fact, Fact]:
    """A fact of a manifest that was received so, where the conveyance is due in ten days."""
    received = document("manifest", received_at=received_at)
    return (
        route(f"{says}, of a route", expected, received),
        shipment(f"{says}, of a shipment", expected, journey(), received, journey_id="J"),
    )


def permit(kind: str = "permit", **fields: Any) -> Record:
    """A permit of one number, or another document that has it."""
    return document(kind, **{"number": "NL-2025-0007"} | fields)


def _versions(**fields: Any) -> list[Record]:
    """Two versions of a permit."""
    return [permit(version=version, **fields) for version in (1, 2)]


def changed(
    kind: str = "invoice", *, hours: float, moment: timedelta = timedelta(), **fields: Any
) -> tuple[Record, Record]:
    """Two versions of a paper, of which the second, received so long before, states otherwise."""
    first = {
        **{"consignee_id": "A", "seal_number": "A", "container_number": "A"},
        **{"packages": 6, "gross_mass_kg": 6.0, "value": 6.0, "currency": "EUR"},
    }
    own = {"number": "N"} | {k: v for k, v in fields.items() if k == "subject_id"}
    later = first | own | fields
    return (
        document(kind, **first | own, received_at=before(days=2_500)),
        document(kind, version=2, received_at=before(hours=hours) - moment, **later),
    )


of_both = table(both, globals())
routes = table(route, globals())
shipments = table(shipment, globals())

FACTS = {
    "document_count": [
        *of_both("""
            none | 0.0
            one | 1.0 | document("air_waybill")
            three kinds | 3.0 | document("invoice"), document("manifest"), document("permit")
            two of one kind | 2.0 | document("permit"), document("permit")
            the versions of one document | 1.0 | document(number="INV-1"),
                document(number="INV-1", version=2)
            years ago | 1.0 | document(received_at=before(days=2_000))
            a moment before | 1.0 | document(received_at=DECLARED - MOMENT)
            at the declaration itself | 0.0 | document(received_at=DECLARED)
            later | 0.0 | document(received_at=after(days=1))
            of another | 0.0 | document(subject_id="another")
        """),
        route("of a shipment that is called the same", 0.0, document(subject_kind="shipment")),
        shipment("of a route that is called the same", 0.0, document(subject_kind="route")),
    ],
    "amendment_count": of_both("""
        no document | 0.0
        a first version | 0.0 | document()
        a second version | 1.0 | document(), document(version=2)
        a third version | 2.0 | document(), document(version=2), document(version=3)
        two documents, amended once each | 2.0 | document(version=2), document(version=2)
        of any kind | 1.0 | document("security_checklist", version=7)
        years ago | 1.0 | document(version=2, received_at=before(days=2_000))
        a moment before | 1.0 | document(version=2, received_at=DECLARED - MOMENT)
        at the declaration itself | 0.0 | document(version=2, received_at=DECLARED)
        later | 0.0 | document(version=2, received_at=after(days=1))
        of another | 0.0 | document(version=2, subject_id="another")
    """),
    "manifest_lead_hours": [
        *manifest("a day before the declaration", 24.0 + 240, before(days=1)),
        *manifest("a quarter of an hour before it", 0.25 + 240, before(minutes=15)),
        *manifest("years ago", 2_000.0 * 24 + 240, before(days=2_000)),
        *manifest("a moment before", 240.0, DECLARED - MOMENT),
        *manifest("at the declaration itself", MISSING, DECLARED),
        *manifest("later", MISSING, after(hours=1)),
        *routes("""
            the conveyance is due in two hours | 3.0 |
                document("manifest", received_at=before(hours=1)), due_at=after(hours=2)
            the conveyance was due before it | -1.0 |
                document("manifest", received_at=before(hours=1)), due_at=before(hours=2)
        """),
        shipment("no journey is known", MISSING, document("manifest")),
        *routes("""
            the first of two | 30.0 + 240 | document("manifest", received_at=before(hours=30)),
                document("manifest", received_at=before(hours=6), version=2)
            not an invoice before it | 6.0 + 240 |
                document("invoice", received_at=before(hours=30)),
                document("manifest", received_at=before(hours=6))
            no document | MISSING
        """),
        shipment("no manifest", MISSING, journey(), journey_id="J"),
        *both("a bill of lading is none", MISSING, document("bill_of_lading")),
        *both("of another", MISSING, document("manifest", subject_id="another")),
    ],
    "hours_since_critical_change": shipments("""
        another consignee | 6.0 | *changed(hours=6, consignee_id="B")
        half an hour before | 0.5 | *changed(hours=0.5, seal_number="B")
        years ago | 2_000.0 * 24 | *changed(hours=48_000, packages=7)
        a moment before | 0.0 | *changed(hours=0, moment=MOMENT, gross_mass_kg=7.0)
        nothing that matters changed | MISSING | *changed(hours=6, value=7.0)
        the last of two | 6.0 | *changed(hours=30, consignee_id="B"),
            *changed("manifest", hours=6, container_number="B")
        since it was known, not issued | 6.0 |
            *changed(hours=6, packages=7, issued_at=before(hours=30))
        a first filing is no change | MISSING | document(consignee_id="B")
        no document | MISSING
        at the declaration itself | MISSING | *changed(hours=0, packages=7)
        later | MISSING | *changed(hours=-1, packages=7)
        of another | MISSING | *changed(hours=6, packages=7, subject_id="another")
    """),
    "expired_document_count": [
        *both("no document", 0.0),
        *both("nobody says when it ends", 0.0, document("permit")),
        *both("it ended before the declaration", 1.0, document(expires_at=before(days=1))),
        *both("it ends when all is over", 0.0, document(expires_at=after(days=11))),
        *both(
            "two of three",
            2.0,
            document("permit", expires_at=before(hours=1)),
            document("transit", expires_at=before(days=40)),
            document("invoice", expires_at=after(days=90)),
        ),
        *both(
            "years ago", 1.0, document(expires_at=before(days=1), received_at=before(days=2_000))
        ),
        *both(
            "known at the declaration itself",
            0.0,
            document(expires_at=before(days=1), received_at=DECLARED),
        ),
        *both("of another", 0.0, document(expires_at=before(days=1), subject_id="another")),
        *both(
            "a later version still holds",
            0.0,
            document("permit", number="P-1", expires_at=before(days=1), received_at=before(days=3)),
            document("permit", number="P-1", expires_at=after(days=90), version=2),
        ),
        route("ends on the way", 1.0, document(expires_at=after(days=9))),
        route("ends a moment before it is due", 1.0, document(expires_at=NEEDED_UNTIL - MOMENT)),
        route("ends when it is due", 0.0, document(expires_at=NEEDED_UNTIL)),
        route("due sooner", 0.0, document(expires_at=after(days=9)), due_at=after(days=3)),
        *shipments("""
            ended a moment before | 1.0 | document(expires_at=DECLARED - MOMENT)
            nothing says until when it moves | 0.0 | document(expires_at=after(days=9))
            ends on the way | 1.0 | journey(), document(expires_at=after(days=9)), journey_id="J"
            ends when its journey is due | 0.0 | journey(), document(expires_at=NEEDED_UNTIL),
                journey_id="J"
        """),
    ],
    "permit_other_shipments_365d": shipments("""
        planted: a permit for one consignment, filed with three others | 3.0 | permit(),
            *(permit(subject_id=id_, received_at=before(days=60)) for id_ in "ABC")
        innocent: a permit of its own for each consignment | 0.0 | permit(),
            *(permit(subject_id=id_, number=f"NL-{id_}") for id_ in "ABC")
        innocent: two versions of its own | 0.0 | permit(), permit(version=2)
        two versions of another's | 1.0 | permit(), *_versions(subject_id="A")
        a certificate of that number | 0.0 | permit(), permit("invoice", subject_id="A")
        a permit of a journey | 0.0 | permit(), permit(subject_id="A", subject_kind="route")
        as the window begins | 1.0 | permit(), permit(subject_id="A", received_at=before(days=365))
        a moment earlier | 0.0 | permit(),
            permit(subject_id="A", received_at=before(days=365) - MOMENT)
        at the declaration | 0.0 | permit(), permit(subject_id="A", received_at=DECLARED)
        its own is older than the window | 1.0 | permit(received_at=before(days=400)),
            permit(subject_id="A")
        of the permit known last | 2.0 | permit(number="former", received_at=before(days=3)),
            permit(number="latter"), permit("invoice", number="other", received_at=before(hours=1)),
            permit(number=None, received_at=before(hours=1)),
            permit(number="former", subject_id="A"),
            *(permit(number="latter", subject_id=id_) for id_ in "BC")
        no permit | MISSING | permit("invoice"), permit(subject_id="A")
        a permit without a number | MISSING | permit(number=None)
        a permit that is not known yet | MISSING | permit(received_at=DECLARED)
    """),
    "has_security_checklist": is_filed(route, "security_checklist", "permit"),
    "has_permit": is_filed(route, "permit", "transit") + is_filed(shipment, "permit", "transit"),
    "has_transit": is_filed(route, "transit", "permit") + is_filed(shipment, "transit", "permit"),
    "has_invoice": is_filed(shipment, "invoice", "packing_list"),
    "has_packing_list": is_filed(shipment, "packing_list", "invoice"),
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
