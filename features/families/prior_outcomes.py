"""Prior outcomes: earlier inspection results for the same goods, parties and ways.

An outcome counts from the instant at which it became known, so pending results are not anticipated.
Each rate is shrunk towards the rate of all inspections, the more the fewer there are, and is
missing if there are none. Rates describe the subjects chosen for inspection, not all traffic. Only
results that establish whether something was smuggled count, not checks of documents alone or other
offences.
"""

from collections.abc import Callable
from typing import Any

from features.definition import (
    BOTH,
    Feature,
    MonotoneConstraint,
    Unit,
    line_of_caller,
    make_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import smoothed_rate
from features.engine.windows.window_declaration import count, distinct, total
from features.publications import DATE_2020, PRACTICE
from features.records import SubjectKind


def confirmed_rate(kind: SubjectKind, by: str | tuple[str, ...]) -> Callable[..., Column]:
    """Return a function for the smoothed share of confirmed inspections with the same key."""
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
    """Return a function for the smoothed share of confirmed movements with one payer or payee.

    A movement counts once, however many payments and results it has.
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


def _confirmed(
    name: str, computed: Callable[..., Column], said: str, *, found: str, **face: Any
) -> Feature:
    """Return the feature of one rate; rates differ in a clause of their meaning and sentence.

    `said` names the inspected subjects in the sentence; `found` completes the meaning.
    """
    return make_feature(
        name,
        f"How often inspections confirmed something {found}. A high rate is suspicious; few "
        "inspections are drawn to the rate of all.",
        computed,
        family="prior_outcomes",
        # The caller of the caller: the feature is defined where `of_shipments` and the like are
        # called.
        defined_at=line_of_caller(2),
        unit=Unit.SHARE,
        direction=MonotoneConstraint.HIGHER_IS_RISKIER,
        # Without a verb that would agree with a count: "1 of 1" and "0 of 1" occur.
        sentence=f"inspected {said} that were confirmed: {{confirmed}} of {{inspected}} "
        "(estimated rate {value})",
        sentence_of_few=f"inspected {said} that were confirmed: {{confirmed}} of {{inspected}}",
        **face,
    )


def of_shipments(
    name: str, by: str | tuple[str, ...], whose: str, *, source: str = DATE_2020, **face: Any
) -> Feature:
    """Return the rate of consignments with the same key; `whose` describes them in the sentence."""
    computed, said = confirmed_rate("shipment", by), f"consignments {whose}"
    return _confirmed(name, computed, said, subjects=("shipment",), source=source, **face)


def of_routes(name: str, by: str | tuple[str, ...], whose: str, **face: Any) -> Feature:
    """Return the rate of journeys with the same key; `whose` describes them in the sentence."""
    computed, said = confirmed_rate("route", by), f"journeys {whose}"
    return _confirmed(name, computed, said, subjects=("route",), source=PRACTICE, **face)


def of_payments(name: str, by: str, matching: str, whose: str, **face: Any) -> Feature:
    """Return the rate of movements that a payer paid for, or that a payee was paid for."""
    computed, said = paid_confirmed_rate(by, matching), f"movements {whose}"
    return _confirmed(name, computed, said, subjects=BOTH, source=PRACTICE, **face)


goods_confirmed_rate = of_shipments(
    "goods_confirmed_rate",
    "hs_code",
    "of these goods",
    found="in the same goods code",
    when_missing="nothing of these goods was inspected yet",
    indicator="J35",
)
goods_way_confirmed_rate = of_shipments(
    "goods_way_confirmed_rate",
    ("hs_code", "origin_country", "dispatch_country"),
    "of these goods on this way",
    found="in the same goods of one origin and dispatch",
    when_missing="nothing of these goods on this way was inspected yet",
    indicator="J35",
)
goods_duty_confirmed_rate = of_shipments(
    "goods_duty_confirmed_rate",
    ("hs_code", "tax_type", "tax_rate"),
    "of these goods under this duty",
    found="in the same goods under the same duty",
    when_missing="no duty was declared, or nothing under it was inspected yet",
    indicator="J35",
)
goods_claim_confirmed_rate = of_shipments(
    "goods_claim_confirmed_rate",
    ("hs_code", "origin_country", "dispatch_country", "tax_type", "tax_rate"),
    "of these goods on this way under this duty",
    found="in the same goods, on the same way, under the same duty",
    when_missing="no duty was declared, or nothing under it on this way was inspected yet",
    indicator="J35",
)
heading_confirmed_rate = of_shipments(
    "heading_confirmed_rate",
    "hs_heading",
    "of such goods",
    found="in goods of the same four-digit heading",
    when_missing="nothing of such goods was inspected yet",
    indicator="J35",
)
consignee_confirmed_rate = of_shipments(
    "consignee_confirmed_rate",
    "consignee_id",
    "of this consignee",
    found="in what the same consignee received",
    when_missing="nothing of this consignee was inspected yet",
    indicator="N08",
)
consignor_confirmed_rate = of_shipments(
    "consignor_confirmed_rate",
    "consignor_id",
    "of this consignor",
    found="in what the same consignor sent",
    when_missing="nothing of this consignor was inspected yet",
    indicator="N08",
)
declarant_confirmed_rate = of_shipments(
    "declarant_confirmed_rate",
    "declarant_id",
    "of this declarant",
    found="in what the same declarant lodged",
    when_missing="no declarant is named, or nothing of it was inspected yet",
    indicator="N08",
)
forwarder_confirmed_rate = of_shipments(
    "forwarder_confirmed_rate",
    "forwarder_id",
    "of this forwarder",
    found="in what the same forwarder handled",
    when_missing="no forwarder is named, or nothing of it was inspected yet",
    indicator="N08",
)
container_confirmed_rate = of_shipments(
    "container_confirmed_rate",
    "container_number",
    "in this container",
    found="in the same container",
    when_missing="no container was declared, or nothing in it was inspected yet",
    indicator="N01",
    source=PRACTICE,
)
lane_confirmed_rate = of_shipments(
    "lane_confirmed_rate",
    ("dispatch_country", "destination_country", "journey_mode"),
    "on this lane",
    found="on the same lane: dispatch, destination, mode",
    when_missing="its journey is not known, or nothing on this lane was inspected yet",
    indicator="J35",
)
procedure_confirmed_rate = of_shipments(
    "procedure_confirmed_rate",
    ("office_id", "import_type", "payment_type"),
    "declared here in this way",
    found="at this office under this procedure and terms",
    when_missing="office, procedure or terms are missing, or nothing declared so was inspected yet",
    indicator="J35",
)
carrier_confirmed_rate = of_routes(
    "carrier_confirmed_rate",
    "carrier_id",
    "of this carrier",
    found="on journeys of the same carrier",
    when_missing="no journey of this carrier was inspected yet",
    indicator="N08",
)
conveyance_confirmed_rate = of_routes(
    "conveyance_confirmed_rate",
    "conveyance_id",
    "of this conveyance",
    found="on journeys of the same conveyance",
    when_missing="no journey of this conveyance was inspected yet",
    indicator="N01",
)
corridor_confirmed_rate = of_routes(
    "corridor_confirmed_rate",
    ("origin", "destination", "mode"),
    "on this corridor",
    found="on the same origin, destination and mode",
    when_missing="no journey on this corridor was inspected yet",
    indicator="J35",
)
destination_confirmed_rate = of_routes(
    "destination_confirmed_rate",
    "destination",
    "to this place",
    found="on journeys to the same place",
    when_missing="no journey to this place was inspected yet",
    indicator="J35",
)
kind_confirmed_rate = of_routes(
    "kind_confirmed_rate",
    ("conveyance_kind", "origin_country", "destination_country"),
    "of this kind between these countries",
    found="with such a conveyance between these countries",
    when_missing="a place is unknown, or no journey of this kind was inspected yet",
    indicator="J35",
)
payer_confirmed_rate = of_payments(
    "payer_confirmed_rate",
    "latest_payer_id",
    "payer_id",
    "for which its latest payer had paid",
    found="on routes and shipments for which the payer known last had paid",
    when_missing="no payer is known, or nothing that it paid for was inspected yet",
    indicator="N02",
)
payee_confirmed_rate = of_payments(
    "payee_confirmed_rate",
    "latest_payee_id",
    "payee_id",
    "for which its latest payee had been paid",
    found="on routes and shipments for which the payee known last had been paid",
    when_missing="no payee is known, or nothing that it was paid for was inspected yet",
    indicator="N02",
)
