"""What the features of `features/families/documents.py` make of small stories."""

from collections.abc import Callable

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    after,
    before,
    both,
    check,
    document,
    each,
    journey,
    route,
    shipment,
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


FACTS = {
    "document_count": [
        *both("none", 0.0),
        *both("one", 1.0, document("air_waybill")),
        *both("three kinds", 3.0, document("invoice"), document("manifest"), document("permit")),
        *both("two of one kind", 2.0, document("permit"), document("permit")),
        *both(
            "each version of one document",
            2.0,
            document(number="INV-1"),
            document(number="INV-1", version=2),
        ),
        *both("years ago", 1.0, document(received_at=before(days=2_000))),
        *both("a moment before", 1.0, document(received_at=DECLARED - MOMENT)),
        *both("at the declaration itself", 0.0, document(received_at=DECLARED)),
        *both("later", 0.0, document(received_at=after(days=1))),
        *both("of another", 0.0, document(subject_id="another")),
        route("of a shipment that is called the same", 0.0, document(subject_kind="shipment")),
        shipment("of a route that is called the same", 0.0, document(subject_kind="route")),
    ],
    "amendment_count": [
        *both("no document", 0.0),
        *both("a first version", 0.0, document()),
        *both("a second version", 1.0, document(), document(version=2)),
        *both("a third version", 2.0, document(), document(version=2), document(version=3)),
        *both("two documents, amended once each", 2.0, document(version=2), document(version=2)),
        *both("of any kind", 1.0, document("security_checklist", version=7)),
        *both("years ago", 1.0, document(version=2, received_at=before(days=2_000))),
        *both("a moment before", 1.0, document(version=2, received_at=DECLARED - MOMENT)),
        *both("at the declaration itself", 0.0, document(version=2, received_at=DECLARED)),
        *both("later", 0.0, document(version=2, received_at=after(days=1))),
        *both("of another", 0.0, document(version=2, subject_id="another")),
    ],
    "manifest_lead_hours": [
        *both("a day before", 24.0, document("manifest", received_at=before(days=1))),
        *both(
            "a quarter of an hour", 15 / 60, document("manifest", received_at=before(minutes=15))
        ),
        *both("years ago", 2_000.0 * 24, document("manifest", received_at=before(days=2_000))),
        *both("a moment before", 0.0, document("manifest", received_at=DECLARED - MOMENT)),
        *both(
            "the first of two",
            30.0,
            document("manifest", received_at=before(hours=30)),
            document("manifest", received_at=before(hours=6), version=2),
        ),
        *both(
            "not an invoice before it",
            6.0,
            document("invoice", received_at=before(hours=30)),
            document("manifest", received_at=before(hours=6)),
        ),
        *both("no document", MISSING),
        *both("a bill of lading is none", MISSING, document("bill_of_lading")),
        *both("at the declaration itself", MISSING, document("manifest", received_at=DECLARED)),
        *both("later", MISSING, document("manifest", received_at=after(hours=1))),
        *both("of another", MISSING, document("manifest", subject_id="another")),
    ],
    "hours_since_last_document": [
        *both("a day before", 24.0, document(received_at=before(days=1))),
        *both("half an hour before", 30 / 60, document(received_at=before(minutes=30))),
        *both("years ago", 2_000.0 * 24, document(received_at=before(days=2_000))),
        *both("not when it was issued", 24.0, document(issued_at=before(hours=30))),
        *both(
            "the last of two of any kind",
            6.0,
            document("manifest", received_at=before(hours=30)),
            document("permit", received_at=before(hours=6)),
        ),
        *both(
            "an amendment",
            6.0,
            document(received_at=before(hours=30)),
            document(received_at=before(hours=6), version=2),
        ),
        *both("no document", MISSING),
        *both("at the declaration itself", MISSING, document(received_at=DECLARED)),
        *both("later", MISSING, document(received_at=after(hours=1))),
        *both("of another", MISSING, document(subject_id="another")),
    ],
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
            today=1.0,
        ),
        route("ends on the way", 1.0, document(expires_at=after(days=9))),
        route("ends a moment before it is due", 1.0, document(expires_at=NEEDED_UNTIL - MOMENT)),
        route("ends when it is due", 0.0, document(expires_at=NEEDED_UNTIL)),
        route("due sooner", 0.0, document(expires_at=after(days=9)), due_at=after(days=3)),
        shipment("ended a moment before", 1.0, document(expires_at=DECLARED - MOMENT)),
        shipment("nothing says until when it moves", 0.0, document(expires_at=after(days=9))),
        shipment(
            "ends on the way",
            1.0,
            journey(),
            document(expires_at=after(days=9)),
            journey_id="J",
            today=0.0,
        ),
        shipment(
            "ends when its journey is due",
            0.0,
            journey(),
            document(expires_at=NEEDED_UNTIL),
            journey_id="J",
        ),
    ],
    "has_security_checklist": is_filed(route, "security_checklist", "permit"),
    "has_permit": is_filed(route, "permit", "transit") + is_filed(shipment, "permit", "transit"),
    "has_transit": is_filed(route, "transit", "permit") + is_filed(shipment, "transit", "permit"),
    "has_invoice": is_filed(shipment, "invoice", "packing_list"),
    "has_packing_list": is_filed(shipment, "packing_list", "invoice"),
}


@pytest.mark.parametrize(("feature", "fact"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, fact: Fact) -> None:
    check(feature, fact)
