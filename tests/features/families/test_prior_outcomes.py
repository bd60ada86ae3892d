"""What the features of `features/families/prior_outcomes.py` make of small stories."""

from functools import partial
from itertools import chain
from typing import Any

import pytest

from tests.features.families.facts import (
    DECLARED,
    MISSING,
    MOMENT,
    Fact,
    Record,
    Row,
    before,
    both,
    check,
    each,
    earlier_journey,
    earlier_shipment,
    inspected,
    journey,
    payment,
    route,
    shipment,
    table,
)
from tests.features.families.rates import (
    facts_of_rate,
    inspection_of_journey,
    inspection_of_shipment,
)

GOODS = {"hs_code": "890310"}
WAY = {"origin_country": "CN", "dispatch_country": "CN"}
DUTY: Row = {"tax_type": "11", "tax_rate": 1.7}
OTHER_GOODS = {"goods code of that heading": {"hs_code": "890399"}}
OTHER_WAYS = {
    "origin": {"origin_country": "VN"},
    "country of dispatch": {"dispatch_country": "VN"},
}
OTHER_DUTIES: dict[str, Row] = {
    "kind of duty": {"tax_type": "12"},
    "rate of duty": {"tax_rate": 0.0},
}
NO_DUTY: dict[str, Row] = {
    "no kind of duty": {"tax_type": None},
    "no rate of duty": {"tax_rate": None},
}

rate_of_shipments = partial(facts_of_rate, inspection_of_shipment)
rate_of_journeys = partial(facts_of_rate, inspection_of_journey, fact=route)


def facts_of_party(column: str, party: str, *, is_optional: bool) -> list[Fact]:
    """Of the rate of what one party had to do with."""
    return rate_of_shipments(
        key={column: "usual"},
        others={party: {column: "another"}},
        missing={f"no {party} is named": {column: None}} if is_optional else {},
    )


def inspection_on_lane(
    result: str = "confirmed", mode: str = "sea", **fields: Any
) -> tuple[Record, ...]:
    """An earlier consignment on a journey of that mode, and what its inspection found."""
    carrying = earlier_journey(mode=mode, declared_at=before(days=30 * 366))
    own, *found = inspection_of_shipment(result, **fields)
    return (
        carrying,
        Record("shipments", own.row | {"journey_id": carrying.row["journey_id"]}),
        *found,
    )


NO = "not_confirmed"


def paid_for(result: str = "confirmed", **fields: Any) -> tuple[Record, ...]:
    """An earlier consignment, a payment for it, and what its inspection found.

    Fields of the payment, and with `outcome_` those of the outcome.
    """
    of_outcome = {k.removeprefix("outcome_"): v for k, v in fields.items() if "outcome_" in k}
    of_payment = {name: value for name, value in fields.items() if "outcome_" not in name}
    subject, outcome = inspected(earlier_shipment(), result, **of_outcome)
    own = {"subject_kind": "shipment", "subject_id": subject.row["shipment_id"]}
    return subject, outcome, payment(**own | {"known_at": before(days=9)} | of_payment)


def paid_for_journey(result: str = "confirmed", **fields: Any) -> tuple[Record, ...]:
    """An earlier journey, a payment for it, and what its inspection found."""
    subject, outcome = inspected(earlier_journey(), result)
    own = {"subject_kind": "route", "subject_id": subject.row["journey_id"]}
    return subject, outcome, payment(**own | {"known_at": before(days=9)} | fields)


def facts_of_paid(role: str, other: str) -> list[Fact]:
    """Of the rate of what a payer paid for, or a payee was paid for; `other` is the other one."""
    key = f"{role}_id"

    def elsewhere(result: str = NO) -> tuple[Record, ...]:
        return paid_for(result, **{key: "another"})

    one_of_two = (1 + 8 * 1 / 2) / (1 + 8)
    twice = paid_for()
    again = payment(**{**twice[-1].row, "transaction_id": "T-again", "amount": 7.0})
    reopened = Record("outcomes", twice[1].row | {"result": NO, "inspected_at": before(days=5)})
    facts = [
        both(
            "planted: 3 of 5 were confirmed, among 3 of 8 of all",
            (3 + 8 * 3 / 8) / (5 + 8),
            payment(),
            *(paid_for(), paid_for(), paid_for(), paid_for(NO), paid_for(NO)),
            *(elsewhere(), elsewhere(), elsewhere()),
        ),
        both(
            "innocent: none of 2, among 1 of 3 of all",
            (0 + 8 * 1 / 3) / (2 + 8),
            payment(),
            *(paid_for(NO), paid_for(NO), elsewhere("confirmed")),
        ),
        both("a shipment and a journey", 1.0, payment(), paid_for(), paid_for_journey()),
        both(
            f"the {other} is another",
            one_of_two,
            payment(),
            paid_for(**{f"{other}_id": "A"}),
            elsewhere(),
        ),
        both(
            "who paid and was paid are not mixed up",
            MISSING,
            payment(),
            paid_for(**{key: other, f"{other}_id": role}),
        ),
        both("paid twice for one", one_of_two, payment(), *twice, again, elsewhere()),
        both(
            "inspected twice, and confirmed once",
            (1 + 8 * 1 / 3) / (1 + 8),
            payment(),
            *(*twice, reopened, elsewhere()),
        ),
        both("only what others had to do with", MISSING, payment(), elsewhere("confirmed")),
        both("nothing was inspected", MISSING, payment(), paid_for()[::2]),
        both("inconclusive", MISSING, payment(), paid_for("inconclusive"), elsewhere()),
        both(
            "an offence that is no smuggling",
            MISSING,
            payment(),
            paid_for("other_offence", outcome_offences="document_fraud"),
        ),
        both("its own record is not known", MISSING, payment(), paid_for()[1:]),
        both(
            "known a moment before",
            one_of_two,
            payment(),
            paid_for(outcome_known_at=DECLARED - MOMENT),
            elsewhere(),
        ),
        both(
            "known at the declaration",
            MISSING,
            payment(),
            paid_for(outcome_known_at=DECLARED),
            elsewhere(),
        ),
        both(
            "paid for, as known at the declaration",
            MISSING,
            payment(),
            paid_for(known_at=DECLARED),
            elsewhere(),
        ),
        both(
            "paid for after it was found",
            one_of_two,
            payment(),
            paid_for(known_at=before(hours=1)),
            elsewhere(),
        ),
        both(
            "years ago",
            one_of_two,
            payment(),
            paid_for(outcome_known_at=before(days=900), outcome_inspected_at=before(days=901)),
            elsewhere(),
        ),
        both(
            f"of the {role} known last",
            (1 + 8 * 1 / 2) / (1 + 8),
            payment(**{key: "former", "known_at": before(days=3)}),
            payment(**{key: "latter"}),
            paid_for(**{key: "latter"}),
            paid_for(NO, **{key: "former"}),
        ),
        both(
            "its own inspection is not its past",
            MISSING,
            payment(),
            *_own_inspections(),
            elsewhere(),
        ),
        both("no payment", MISSING, paid_for()),
        both("no payment known before", MISSING, payment(known_at=DECLARED), paid_for()),
    ]
    return [*chain.from_iterable(facts)]


def _own_inspections() -> list[Record]:
    """Findings on the subject of every story, said to be known before it was declared."""
    return [
        Record(
            "outcomes",
            {
                "subject_kind": kind,
                "subject_id": id_,
                "selected_by": "random",
                "inspected_at": before(days=2),
                "known_at": before(days=1),
                "result": "confirmed",
            },
        )
        for kind, id_ in (("route", "J"), ("shipment", "S"))
    ]


routes = table(route, globals())
shipments = table(shipment, globals())

FACTS = {
    "payer_confirmed_rate": facts_of_paid("payer", "payee"),
    "payee_confirmed_rate": facts_of_paid("payee", "payer"),
    "goods_confirmed_rate": rate_of_shipments(key=GOODS, others=OTHER_GOODS, missing={}),
    "goods_way_confirmed_rate": rate_of_shipments(
        key=GOODS | WAY, others=OTHER_GOODS | OTHER_WAYS, missing={}
    ),
    "goods_duty_confirmed_rate": rate_of_shipments(
        key=GOODS | DUTY, others=OTHER_GOODS | OTHER_DUTIES, missing=NO_DUTY
    ),
    "goods_claim_confirmed_rate": rate_of_shipments(
        key=GOODS | WAY | DUTY, others=OTHER_GOODS | OTHER_WAYS | OTHER_DUTIES, missing=NO_DUTY
    ),
    "heading_confirmed_rate": [
        *rate_of_shipments(
            key=GOODS, others={"heading of that chapter": {"hs_code": "890410"}}, missing={}
        ),
        *shipments("""
            another code of the heading | (1 + 8 * 1 / 2) / (1 + 8) |
                inspection_of_shipment(hs_code="890399"),
                inspection_of_shipment("not_confirmed", hs_code="890410")
        """),
    ],
    "consignee_confirmed_rate": facts_of_party("consignee_id", "consignee", is_optional=False),
    "consignor_confirmed_rate": facts_of_party("consignor_id", "consignor", is_optional=False),
    "declarant_confirmed_rate": facts_of_party("declarant_id", "declarant", is_optional=True),
    "forwarder_confirmed_rate": facts_of_party("forwarder_id", "forwarder", is_optional=True),
    "container_confirmed_rate": [
        *rate_of_shipments(
            key={"container_number": "CSQU3054383"},
            others={"container": {"container_number": "MSKU1234565"}},
            missing={"no container was declared": {"container_number": None}},
        ),
        *shipments("""
            the same number, written with blanks | (1 + 8 * 1 / 2) / (1 + 8) |
                inspection_of_shipment(container_number="CSQU 305438 3"),
                inspection_of_shipment("not_confirmed"), container_number="CSQU3054383",
                today=MISSING
        """),
    ],
    "lane_confirmed_rate": [
        *facts_of_rate(
            inspection_on_lane,
            journey(),
            key={"dispatch_country": "CN", "destination_country": "NL"},
            others={
                "country of dispatch": {"dispatch_country": "VN"},
                "destination": {"destination_country": "BE"},
                "mode": {"mode": "rail"},
            },
            missing={"no journey is named": {"journey_id": None}},
            journey_id="J",
        ),
        *shipments("""
            its journey is not recorded | MISSING | inspection_on_lane(), journey_id="J"
            its journey was not declared before it | MISSING | inspection_on_lane(),
                journey(declared_at=DECLARED), journey_id="J"
        """),
    ],
    "procedure_confirmed_rate": rate_of_shipments(
        key={"office_id": "office", "import_type": "11", "payment_type": "LS"},
        others={
            "office": {"office_id": "another"},
            "procedure": {"import_type": "21"},
            "terms of payment": {"payment_type": "TT"},
        },
        missing={
            "no office": {"office_id": None},
            "no procedure": {"import_type": None},
            "no terms of payment": {"payment_type": None},
        },
    ),
    "carrier_confirmed_rate": rate_of_journeys(
        key={"carrier_id": "carrier"}, others={"carrier": {"carrier_id": "another"}}, missing={}
    ),
    "conveyance_confirmed_rate": rate_of_journeys(
        key={"conveyance_id": "conveyance"},
        others={"conveyance": {"conveyance_id": "another"}},
        missing={},
    ),
    "corridor_confirmed_rate": rate_of_journeys(
        key={"origin": "CNSHA", "destination": "NLRTM", "mode": "sea"},
        others={
            "origin": {"origin": "CNNGB"},
            "destination": {"destination": "NLAMS"},
            "mode": {"mode": "rail"},
        },
        missing={},
    ),
    "destination_confirmed_rate": rate_of_journeys(
        key={"destination": "NLRTM"}, others={"destination": {"destination": "NLAMS"}}, missing={}
    ),
    "kind_confirmed_rate": [
        *rate_of_journeys(
            key={"conveyance_kind": "container_ship", "origin": "CNSHA", "destination": "NLRTM"},
            others={
                "kind": {"conveyance_kind": "tanker"},
                "country of origin": {"origin": "VNSGN"},
                "country of destination": {"destination": "BEANR"},
            },
            missing={
                "its origin is unknown": {"origin": "XXXXX"},
                "its destination is unknown": {"destination": "XXXXX"},
            },
        ),
        *routes("""
            between other places of the same countries | (1 + 8 * 1 / 2) / (1 + 8) |
                inspection_of_journey(origin="CNNGB", destination="NLAMS"),
                inspection_of_journey("not_confirmed", origin="VNSGN")
        """),
    ],
}


@pytest.mark.parametrize(("feature", "facts"), each(FACTS))
def test_a_feature_is_what_its_facts_say(feature: str, facts: list[Fact]) -> None:
    check(feature, facts)
