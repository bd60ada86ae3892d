"""Prior outcomes: what inspections of the same goods, parties and ways have found before.

An outcome counts from the day it was known, so a pending one is not anticipated. Every rate is
drawn towards the rate of all inspections, the more the fewer there were, is missing where there was
none, and describes what was chosen for inspection, which is not the whole of traffic. Only what
says whether something was smuggled counts: no check of documents alone, no other offence.
"""

from collections.abc import Callable

from features.definition import BOTH, ROUTE_ONLY, SHIPMENT_ONLY, MonotoneConstraint, Unit, feature
from features.engine.columns import Column
from features.engine.expressions.arithmetic import smoothed_rate
from features.engine.windows.window import count, distinct, total
from features.publications import DATE_2020, PRACTICE
from features.records import SubjectKind


def confirmed_rate(kind: SubjectKind, by: str | tuple[str, ...]) -> Callable[..., Column]:
    """The smoothed share of confirmed inspections among those of the same key."""
    outcomes = f"{kind}_outcomes"

    def rate(
        confirmed: Column = total(outcomes, "is_confirmed", by=by),
        inspected: Column = count(outcomes, by=by),
        all_confirmed: Column = total(outcomes, "is_confirmed", by=()),
        all_inspected: Column = count(outcomes, by=()),
    ) -> Column:
        return smoothed_rate(confirmed, inspected, all_confirmed, all_inspected)

    return rate


def paid_confirmed_rate(by: str, matching: str) -> Callable[..., Column]:
    """The smoothed share of confirmed movements among the inspected ones with one payer or payee.

    However often it paid, and whatever else was found of it, a movement counts once.
    """

    def rate(
        confirmed: Column = distinct(
            "paid_outcomes", "inspected_subject", by=by, matching=matching, where="is_confirmed"
        ),
        inspected: Column = distinct(
            "paid_outcomes", "inspected_subject", by=by, matching=matching
        ),
        routes_confirmed: Column = total("route_outcomes", "is_confirmed", by=()),
        routes_inspected: Column = count("route_outcomes", by=()),
        shipments_confirmed: Column = total("shipment_outcomes", "is_confirmed", by=()),
        shipments_inspected: Column = count("shipment_outcomes", by=()),
    ) -> Column:
        all_confirmed = routes_confirmed + shipments_confirmed
        all_inspected = routes_inspected + shipments_inspected
        return smoothed_rate(confirmed, inspected, all_confirmed, all_inspected)

    return rate


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by="hs_code"),
    when_missing="nothing of these goods was inspected yet",
    indicator="J35",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of these goods were confirmed "
    "(estimated rate {value})",
)
def goods_confirmed_rate() -> None:
    """How often inspections confirmed something in the same goods code.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by=("hs_code", "origin_country", "dispatch_country")),
    when_missing="nothing of these goods on this way was inspected yet",
    indicator="J35",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of these goods on this way were "
    "confirmed (estimated rate {value})",
)
def goods_way_confirmed_rate() -> None:
    """How often inspections confirmed something in the same goods of one origin and dispatch.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by=("hs_code", "tax_type", "tax_rate")),
    when_missing="no duty was declared, or nothing under it was inspected yet",
    indicator="J35",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of these goods under this duty "
    "were confirmed (estimated rate {value})",
)
def goods_duty_confirmed_rate() -> None:
    """How often inspections confirmed something in the same goods under the same duty.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate(
        "shipment",
        by=("hs_code", "origin_country", "dispatch_country", "tax_type", "tax_rate"),
    ),
    when_missing="no duty was declared, or nothing under it on this way was inspected yet",
    indicator="J35",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of these goods on this way under "
    "this duty were confirmed (estimated rate {value})",
)
def goods_claim_confirmed_rate() -> None:
    """How often inspections confirmed something in the same goods, on the same way, under the same
    duty.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by="hs_heading"),
    when_missing="nothing of such goods was inspected yet",
    indicator="J35",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of such goods were confirmed "
    "(estimated rate {value})",
)
def heading_confirmed_rate() -> None:
    """How often inspections confirmed something in goods of the same four-digit heading.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by="consignee_id"),
    when_missing="nothing of this consignee was inspected yet",
    indicator="N08",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of this consignee were confirmed "
    "(estimated rate {value})",
)
def consignee_confirmed_rate() -> None:
    """How often inspections confirmed something in what the same consignee received.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by="consignor_id"),
    when_missing="nothing of this consignor was inspected yet",
    indicator="N08",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of this consignor were confirmed "
    "(estimated rate {value})",
)
def consignor_confirmed_rate() -> None:
    """How often inspections confirmed something in what the same consignor sent.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by="declarant_id"),
    when_missing="no declarant is named, or nothing of it was inspected yet",
    indicator="N08",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of this declarant were confirmed "
    "(estimated rate {value})",
)
def declarant_confirmed_rate() -> None:
    """How often inspections confirmed something in what the same declarant lodged.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by="forwarder_id"),
    when_missing="no forwarder is named, or nothing of it was inspected yet",
    indicator="N08",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments of this forwarder were confirmed "
    "(estimated rate {value})",
)
def forwarder_confirmed_rate() -> None:
    """How often inspections confirmed something in what the same forwarder handled.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by="container_number"),
    when_missing="no container was declared, or nothing in it was inspected yet",
    indicator="N01",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments in this container were confirmed "
    "(estimated rate {value})",
)
def container_confirmed_rate() -> None:
    """How often inspections confirmed something in the same container.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate(
        "shipment", by=("dispatch_country", "destination_country", "journey_mode")
    ),
    when_missing="its journey is not known, or nothing on this lane was inspected yet",
    indicator="J35",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments on this lane were confirmed "
    "(estimated rate {value})",
)
def lane_confirmed_rate() -> None:
    """How often inspections confirmed something on the same lane: dispatch, destination, mode.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("shipment", by=("office_id", "import_type", "payment_type")),
    when_missing="office, procedure or terms are missing, or nothing declared so was inspected yet",
    indicator="J35",
    source=DATE_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected consignments declared here in this way were "
    "confirmed (estimated rate {value})",
)
def procedure_confirmed_rate() -> None:
    """How often inspections confirmed something at this office under this procedure and terms.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("route", by="carrier_id"),
    when_missing="no journey of this carrier was inspected yet",
    indicator="N08",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected journeys of this carrier were confirmed "
    "(estimated rate {value})",
)
def carrier_confirmed_rate() -> None:
    """How often inspections confirmed something on journeys of the same carrier.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("route", by="conveyance_id"),
    when_missing="no journey of this conveyance was inspected yet",
    indicator="N01",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected journeys of this conveyance were confirmed "
    "(estimated rate {value})",
)
def conveyance_confirmed_rate() -> None:
    """How often inspections confirmed something on journeys of the same conveyance.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("route", by=("origin", "destination", "mode")),
    when_missing="no journey on this corridor was inspected yet",
    indicator="J35",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected journeys on this corridor were confirmed "
    "(estimated rate {value})",
)
def corridor_confirmed_rate() -> None:
    """How often inspections confirmed something on the same origin, destination and mode.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate("route", by="destination"),
    when_missing="no journey to this place was inspected yet",
    indicator="J35",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected journeys to this place were confirmed "
    "(estimated rate {value})",
)
def destination_confirmed_rate() -> None:
    """How often inspections confirmed something on journeys to the same place.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.SHARE,
    computed=confirmed_rate(
        "route", by=("conveyance_kind", "origin_country", "destination_country")
    ),
    when_missing="a place is unknown, or no journey of this kind was inspected yet",
    indicator="J35",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected journeys of this kind between these countries "
    "were confirmed (estimated rate {value})",
)
def kind_confirmed_rate() -> None:
    """How often inspections confirmed something with such a conveyance between these countries.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=BOTH,
    unit=Unit.SHARE,
    computed=paid_confirmed_rate(by="latest_payer_id", matching="payer_id"),
    when_missing="no payer is known, or nothing that it paid for was inspected yet",
    indicator="N02",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected movements for which its latest payer had paid "
    "were confirmed (estimated rate {value})",
)
def payer_confirmed_rate() -> None:
    """How often inspections confirmed something on routes and shipments for which the payer known
    last had paid.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """


@feature(
    subjects=BOTH,
    unit=Unit.SHARE,
    computed=paid_confirmed_rate(by="latest_payee_id", matching="payee_id"),
    when_missing="no payee is known, or nothing that it was paid for was inspected yet",
    indicator="N02",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{confirmed} of {inspected} inspected movements for which its latest payee had been "
    "paid were confirmed (estimated rate {value})",
)
def payee_confirmed_rate() -> None:
    """How often inspections confirmed something on routes and shipments for which the payee known
    last had been paid.

    A high rate is suspicious; few inspections are drawn to the rate of all.
    """
