"""Confirmed links: what inspections confirmed in the last 90 days among those with the same party.

Unlike the rates of `prior_outcomes` these are counts of a short time, which a reviewer can follow
to the cases behind them. A finding counts from the instant at which it became known.
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
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.windows.window_declaration import Window, distinct, total
from features.publications import DATE_2020, PRACTICE


def _links(name: str, computed: Window | Callable[..., Column], said: str, **face: Any) -> Feature:
    """Return the feature of one count; `said` names what is counted, with `(s)` for its plural."""
    one, many = said.replace("(s)", ""), said.replace("(s)", "s")
    compute = (lambda found=computed: found) if isinstance(computed, Window) else computed
    return make_feature(
        name,
        f"Earlier {many} that inspections confirmed in 90 days. Any is suspicious: what was found "
        "there may be repeated here.",
        compute,
        family="confirmed_links",
        defined_at=line_of_caller(1),
        unit=Unit.COUNT,
        direction=MonotoneConstraint.HIGHER_IS_RISKIER,
        sentence=f"{{value}} {many} were confirmed in 90 days",
        sentence_of_one=f"one {one} was confirmed in 90 days",
        sentence_of_none=f"no {one} was confirmed in 90 days",
        **face,
    )


def _of_shipments(by: str) -> Window:
    return total("shipment_outcomes", "is_confirmed", by=by, days=90)


def _paid(by: str, matching: str) -> Window:
    return distinct(
        "paid_outcomes",
        "inspected_subject",
        by=by,
        matching=matching,
        where="is_confirmed",
        days=90,
    )


def _conveyed(by: str) -> Callable[..., Column]:
    """Return a function for the confirmed journeys of a conveyance and what it brought."""

    def found(
        journeys: Column = total(
            "route_outcomes", "is_confirmed", by=by, matching="conveyance_id", days=90
        ),
        consignments: Column = total(
            "shipment_outcomes", "is_confirmed", by=by, matching="journey_conveyance_id", days=90
        ),
    ) -> Column:
        return journeys + consignments

    return found


payer_confirmed_count_90d = _links(
    "payer_confirmed_count_90d",
    _paid("latest_payer_id", "payer_id"),
    "movement(s) that its latest payer paid for",
    subjects=BOTH,
    when_missing="no payer is known",
    indicator="N02",
    source=PRACTICE,
    known_by="payer_confirmed_rate",
)
payee_confirmed_count_90d = _links(
    "payee_confirmed_count_90d",
    _paid("latest_payee_id", "payee_id"),
    "movement(s) that its latest payee was paid for",
    subjects=BOTH,
    when_missing="no payee is known",
    indicator="N02",
    source=PRACTICE,
    known_by="payee_confirmed_rate",
)
conveyance_confirmed_count_90d = _links(
    "conveyance_confirmed_count_90d",
    _conveyed("conveyance_id"),
    "journey(s) or consignment(s) of this conveyance",
    subjects=("route",),
    when_missing="never; a new conveyance has 0",
    indicator="N01",
    source=PRACTICE,
    known_by="conveyance_confirmed_count_90d",
)
journey_conveyance_confirmed_count_90d = _links(
    "journey_conveyance_confirmed_count_90d",
    _conveyed("journey_conveyance_id"),
    "journey(s) or consignment(s) of the conveyance that brings it",
    subjects=("shipment",),
    when_missing="its journey was not declared before it",
    indicator="N01",
    source=PRACTICE,
)
carrier_confirmed_count_90d = _links(
    "carrier_confirmed_count_90d",
    total("route_outcomes", "is_confirmed", by="carrier_id", days=90),
    "journey(s) of this carrier",
    subjects=("route",),
    when_missing="never; a new carrier has 0",
    indicator="N08",
    source=PRACTICE,
    known_by="carrier_confirmed_rate",
)
container_confirmed_count_90d = _links(
    "container_confirmed_count_90d",
    _of_shipments("container_number"),
    "consignment(s) in this container",
    subjects=("shipment",),
    when_missing="no container was declared",
    indicator="N01",
    source=PRACTICE,
    known_by="container_confirmed_rate",
)
consignor_confirmed_count_90d = _links(
    "consignor_confirmed_count_90d",
    _of_shipments("consignor_id"),
    "consignment(s) of this consignor",
    subjects=("shipment",),
    when_missing="never; a new consignor has 0",
    indicator="N08",
    source=DATE_2020,
    known_by="consignor_confirmed_rate",
)
consignee_confirmed_count_90d = _links(
    "consignee_confirmed_count_90d",
    _of_shipments("consignee_id"),
    "consignment(s) of this consignee",
    subjects=("shipment",),
    when_missing="never; a new consignee has 0",
    indicator="N08",
    source=DATE_2020,
    known_by="consignee_confirmed_rate",
)


@shipment_feature(
    distinct(
        "shipment_outcomes", "consignee_id", by="forwarder_id", where="is_confirmed", days=180
    ),
    unit=Unit.COUNT,
    when_missing="no forwarder is named",
    indicator="N06",
    source=PRACTICE,
    shows_from=2,
    sentence="inspections confirmed goods of {value} consignees of its forwarder in 180 days",
    sentence_of_one="inspections confirmed goods of one consignee of its forwarder in 180 days",
    sentence_of_none="inspections confirmed goods of no consignee of its forwarder in 180 days",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="forwarder_confirmed_rate",
)
def forwarder_confirmed_consignees_180d() -> None:
    """Different consignees whose goods came by the same forwarder and were confirmed in 180 days.

    Many are suspicious: a forwarder that stands between several parties with findings.
    """
