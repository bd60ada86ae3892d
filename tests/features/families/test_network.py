"""What the features of `features/families/network.py` make of small stories."""

from collections.abc import Sequence

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    before,
    check,
    each,
    earlier_journey,
    earlier_shipment,
    inspected,
    journey,
    journey_alike_in,
    payment,
    route,
    shipment,
    shipment_alike_in,
)

BOX = "CSQU3054383"


def trade(consignor: str, consignee: str, days: int = 10, **fields: object) -> Record:
    """A consignment between two parties, declared so many days before."""
    return earlier_shipment(
        consignor_id=consignor, consignee_id=consignee, declared_at=before(days=days), **fields
    )


def run(carrier: str, conveyance: str, days: int = 10, **fields: object) -> Record:
    """A journey of a carrier with a conveyance, declared so many days before."""
    return earlier_journey(
        carrier_id=carrier, conveyance_id=conveyance, declared_at=before(days=days), **fields
    )


def of_hub(partners: int) -> list[Record]:
    """Consignments of one consignor to so many consignees, the subject's among them."""
    others = [trade("hub", f"other-{number}") for number in range(partners - 2)]
    return [trade("hub", "consignee"), trade("hub", "caught"), *others]


def paid_for_another(kind: str, own: Record, **fields: object) -> Sequence[Record]:
    """Another subject, and a payment for it known five days before."""
    id_ = own.row["journey_id" if kind == "route" else "shipment_id"]
    paid = payment(subject_kind=kind, subject_id=id_, known_at=before(days=5), **fields)
    return [own, paid]


NEAR, FAR = trade("near", "consignee"), trade("near", "far")
NEAR_CRAFT, FAR_CARRIER = run("carrier", "near"), run("far", "near")
NO_SHIPMENT = inspected(shipment_alike_in(), "not_confirmed")
NO_JOURNEY = inspected(journey_alike_in(), "not_confirmed")
CAUGHT, CAUGHT_RUN = inspected(shipment_alike_in()), inspected(journey_alike_in())
# One of one, and none of one, drawn with the weight of eight inspections to one of two.
ONE, NONE = (1 + 8 * 1 / 2) / (1 + 8), (0 + 8 * 1 / 2) / (1 + 8)

HOPS = [
    shipment("nothing known", MISSING),
    shipment("its consignee was caught", 1.0, inspected(trade("x", "consignee"))),
    shipment("its consignee was caught as a consignor", 1.0, inspected(trade("consignee", "x"))),
    shipment(
        "its consignee was let go", MISSING, inspected(trade("x", "consignee"), "not_confirmed")
    ),
    shipment("a partner was caught", 2.0, NEAR, inspected(FAR)),
    shipment("a partner of a partner was caught", 3.0, NEAR, FAR, inspected(trade("x", "far"))),
    shipment(
        "one further was caught", MISSING, NEAR, FAR, trade("x", "far"), inspected(trade("x", "y"))
    ),
    shipment("the nearest counts", 1.0, NEAR, inspected(FAR), inspected(trade("x", "consignee"))),
    shipment(
        "known a moment before",
        2.0,
        NEAR,
        inspected(FAR, known_at=DECLARED - MOMENT),
    ),
    shipment("known at the same instant", MISSING, NEAR, inspected(FAR, known_at=DECLARED)),
    shipment("a partner from now on", MISSING, trade("near", "consignee", days=0), inspected(FAR)),
    shipment(
        "the same container",
        1.0,
        inspected(trade("x", "y", container_number=BOX)),
        container_number=BOX,
    ),
    shipment(
        "its carrier was caught with another's",
        1.0,
        journey(),
        inspected(run("carrier", "x")),
        journey_id="J",
    ),
    shipment(
        "the carrier of a partner was caught",
        2.0,
        earlier_journey(journey_id="J-old", carrier_id="near", declared_at=before(days=20)),
        trade("x", "consignee", journey_id="J-old"),
        inspected(run("near", "y")),
    ),
    shipment(
        "its payer paid for what was caught",
        1.0,
        payment(),
        paid_for_another("shipment", trade("x", "y", shipment_id="S-caught"), payee_id="z"),
        inspected(trade("x", "y", shipment_id="S-caught"))[1:],
    ),
    shipment("a partner with 24 partners", 2.0, of_hub(24), inspected(trade("hub", "caught"))),
    shipment(
        "a partner with 25 partners is a hub",
        MISSING,
        of_hub(25),
        inspected(trade("hub", "caught")),
    ),
]
ROUTE_HOPS = [
    route("nothing known", MISSING),
    route("its conveyance was caught", 1.0, inspected(run("x", "conveyance"))),
    route("another conveyance of its carrier was caught", 2.0, NEAR_CRAFT, inspected(FAR_CARRIER)),
    route("one step further", 3.0, NEAR_CRAFT, FAR_CARRIER, inspected(run("far", "x"))),
    route(
        "a carrier is no conveyance of that name", MISSING, inspected(run("conveyance", "carrier"))
    ),
]


def facts_of_rates(second: bool) -> list[Fact]:
    """What a share is with one inspected partner, or partner of a partner, and another finding."""
    on, by = ([NEAR], trade("near", "y")) if not second else ([NEAR, FAR], trade("x", "far"))
    return [
        shipment("nothing known", MISSING),
        shipment("nobody among them inspected", MISSING, on, CAUGHT),
        shipment("one was caught", ONE, on, inspected(by), NO_SHIPMENT),
        shipment("one was let go", NONE, on, inspected(by, "not_confirmed"), CAUGHT),
        shipment(
            "a result of papers alone", MISSING, on, inspected(by, "documents_irregular"), CAUGHT
        ),
        shipment(
            "known at the same instant", MISSING, on, inspected(by, known_at=DECLARED), CAUGHT
        ),
    ]


def facts_of_route_rates(second: bool) -> list[Fact]:
    on, by = (
        ([NEAR_CRAFT], run("x", "near"))
        if not second
        else (
            [NEAR_CRAFT, FAR_CARRIER],
            run("far", "x"),
        )
    )
    return [
        route("nothing known", MISSING),
        route("one was caught", ONE, on, inspected(by), NO_JOURNEY),
        route("one was let go", NONE, on, inspected(by, "not_confirmed"), CAUGHT_RUN),
    ]


FACTS: dict[str, list[Fact]] = {
    "confirmed_hop_count": HOPS,
    "route_confirmed_hop_count": ROUTE_HOPS,
    "partner_confirmed_rate": facts_of_rates(second=False),
    "second_partner_confirmed_rate": facts_of_rates(second=True),
    "route_partner_confirmed_rate": facts_of_route_rates(second=False),
    "route_second_partner_confirmed_rate": facts_of_route_rates(second=True),
    "network_member_count": [
        shipment("nothing known", 0.0),
        shipment("a partner", 1.0, NEAR),
        shipment("a partner twice", 1.0, NEAR, trade("near", "consignee")),
        shipment("its own parties are no partners", 0.0, trade("consignor", "consignee")),
        shipment("a partner of a partner", 2.0, NEAR, FAR),
        shipment("no further", 2.0, NEAR, FAR, trade("x", "far")),
        shipment("a container is a partner", 2.0, trade("near", "consignee", container_number=BOX)),
        shipment(
            "who pays is a partner",
            2.0,
            paid_for_another("shipment", NEAR, payer_id="payer", payee_id="near"),
        ),
        shipment("nobody follows a hub", 0.0, of_hub(25)),
    ],
    "route_network_member_count": [
        route("nothing known", 0.0),
        route("a partner and one of it", 2.0, NEAR_CRAFT, FAR_CARRIER),
        route(
            "who is paid for another journey",
            3.0,
            paid_for_another("route", NEAR_CRAFT, payer_id="payer", payee_id="payee"),
        ),
    ],
    "network_new_member_ratio": [
        shipment("nothing known", MISSING),
        shipment("one of two is new", 0.5, NEAR, trade("old", "consignee", days=31)),
        shipment("new for 30 days", 1.0, trade("near", "consignee", days=30)),
        shipment("seen again, but not new", 0.0, NEAR, trade("near", "consignee", days=60)),
    ],
    "route_network_new_member_ratio": [
        route("nothing known", MISSING),
        route("one of two is new", 0.5, NEAR_CRAFT, run("carrier", "old", days=31)),
    ],
    "network_age_days": [
        shipment("nothing known", MISSING),
        shipment("the oldest link counts", 60.0, NEAR, trade("old", "consignee", days=60)),
        shipment("years, capped", 365.0, NEAR, trade("old", "consignee", days=900)),
        shipment("links of others do not", 10.0, NEAR, trade("x", "y", days=60)),
    ],
    "route_network_age_days": [
        route("nothing known", MISSING),
        route("the oldest link counts", 60.0, NEAR_CRAFT, run("carrier", "old", days=60)),
        route("years, capped", 365.0, NEAR_CRAFT, run("carrier", "old", days=900)),
    ],
    "unlinked_pair_count": [
        shipment("both are new", MISSING),
        shipment("one is new", MISSING, NEAR),
        shipment("both known, never together", 1.0, NEAR, trade("consignor", "x")),
        shipment(
            "known, and together before",
            0.0,
            *(NEAR, trade("consignor", "x"), trade("consignor", "consignee", days=400)),
        ),
        shipment(
            "together from now on",
            1.0,
            *(NEAR, trade("consignor", "x"), trade("consignor", "consignee", days=0)),
        ),
        shipment(
            "containers are no parties",
            MISSING,
            *(NEAR, trade("x", "y", container_number=BOX)),
            container_number=BOX,
        ),
    ],
    "route_unlinked_pair_count": [
        route("nothing known", MISSING),
        route(
            "its carrier never worked with payer and payee",
            2.0,
            *(NEAR_CRAFT, payment(), paid_for_another("route", run("x", "y"))),
        ),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_meaning_says(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
