"""Pair history: whether two parties of a movement met before, how often and how long ago.

A pair that is new although both of its members are well known is a sign of its own. Counts reach
back one year, so that a long-running installation does not make pairs look better known.
"""

import numpy as np

from features.definition import (
    BOTH,
    MAX_AGE_DAYS,
    MonotoneConstraint,
    SuspiciousSide,
    Unit,
    feature,
    route_feature,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.windows.window_declaration import (
    count,
    days_since_first,
    distinct,
    hours_since_latest,
)
from features.publications import FATF_TRADE_2021, PRACTICE, SEA_CONTAINERS_2002


@feature(
    subjects=BOTH,
    unit=Unit.COUNT,
    when_missing="no payer and payee are known",
    indicator="D25",
    source=FATF_TRADE_2021,
    shows_from=0,
    sentence="its latest payer paid this payee for {value} other movements in a year",
    sentence_of_none="its latest payer paid this payee for no other movement in a year",
    sentence_of_one="its latest payer paid this payee for one other movement in a year",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def payer_payee_movement_count_365d(
    movements: Column = distinct(
        "payments",
        "subject_id",
        by=("latest_payer_id", "latest_payee_id"),
        matching=("payer_id", "payee_id"),
        days=365,
    ),
) -> Column:
    """Other movements for which the payer that is known last paid the payee that is known last, in
    365 days.

    None is mildly suspicious: the two have no business with each other otherwise.
    """
    # The movement itself is one of them, unless its own payment is older than the window.
    return np.where(movements > 0, movements - 1, movements)


@feature(
    subjects=BOTH,
    unit=Unit.DAYS_UP_TO_YEAR,
    when_missing="no payer and payee are known",
    indicator="D25",
    source=FATF_TRADE_2021,
    shows_from=30,
    sentence="its latest payer first paid this payee {value} ago",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def payer_payee_days_since_first(
    days: Column = days_since_first(
        "payments", by=("latest_payer_id", "latest_payee_id"), matching=("payer_id", "payee_id")
    ),
) -> Column:
    """Days since the payer known last was first seen to pay the payee known last, 365 at most.

    A very new pair is mildly suspicious. They may have dealt long before where nobody reports here.
    """
    return np.minimum(days, MAX_AGE_DAYS)


@shipment_feature(
    unit=Unit.DAYS,
    when_missing="its two parties never traded with each other before",
    indicator="D26",
    warns=SuspiciousSide.HIGH,
    source=SEA_CONTAINERS_2002,
    shows_from=180,
    sentence="its two parties last traded with each other {value} ago",
)
def party_pair_days_since_latest(
    hours: Column = hours_since_latest("shipments", by=("consignor_id", "consignee_id")),
) -> Column:
    """Days since the last shipment between the same consignor and consignee.

    A link that wakes after a long silence is mildly suspicious.
    """
    return hours / 24


@shipment_feature(
    count("shipments", by=("journey_carrier_id", "consignee_id"), days=365),
    unit=Unit.COUNT,
    when_missing="its journey was not declared before it",
    indicator="D25",
    source=FATF_TRADE_2021,
    shows_from=0,
    sentence="its carrier brought its consignee {value} shipments in a year",
    sentence_of_none="its carrier brought its consignee no shipment in a year",
    sentence_of_one="its carrier brought its consignee one shipment in a year",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def carrier_consignee_shipments_365d() -> None:
    """Shipments of 365 days that the carrier of its journey brought to the same consignee.

    None is mildly suspicious where both are well known.
    """


@shipment_feature(
    unit=Unit.DAYS,
    when_missing="its journey was not declared before it, or its carrier brought its consignee "
    "nothing before",
    indicator="D26",
    warns=SuspiciousSide.HIGH,
    source=FATF_TRADE_2021,
    shows_from=180,
    sentence="its carrier last brought its consignee a shipment {value} ago",
)
def carrier_consignee_days_since_latest(
    hours: Column = hours_since_latest("shipments", by=("journey_carrier_id", "consignee_id")),
) -> Column:
    """Days since the carrier of its journey last brought a shipment to the same consignee.

    A link that wakes after a long silence is mildly suspicious.
    """
    return hours / 24


@shipment_feature(
    count("shipments", by=("container_number", "consignee_id"), days=365),
    unit=Unit.COUNT,
    when_missing="no container was declared",
    indicator=None,
    source=PRACTICE,
    sentence="its consignee received {value} shipments in the same container in a year",
    sentence_of_none="its consignee received no shipment in the same container in a year",
    sentence_of_one="its consignee received one shipment in the same container in a year",
)
def container_consignee_shipments_365d() -> None:
    """Shipments of 365 days to the same consignee in the same container.

    Neither many nor few are suspicious by themselves: a pool serves the same firms again and again,
    and a hired container seldom comes back. They tell which of the two it is.
    """


@route_feature(
    count("journeys", by=("conveyance_id", "carrier_id"), days=365),
    unit=Unit.COUNT,
    when_missing="never; a new pair has 0",
    indicator="D25",
    source=PRACTICE,
    shows_from=0,
    sentence="its carrier made {value} journeys with this conveyance in a year",
    sentence_of_none="its carrier made no journey with this conveyance in a year",
    sentence_of_one="its carrier made one journey with this conveyance in a year",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def conveyance_carrier_journeys_365d() -> None:
    """Journeys of 365 days of the same conveyance under the same carrier.

    None is mildly suspicious where both are well known.
    """


@shipment_feature(
    count(
        "journeys",
        by=("journey_conveyance_id", "journey_carrier_id"),
        matching=("conveyance_id", "carrier_id"),
        days=365,
    ),
    unit=Unit.COUNT,
    when_missing="its journey was not declared before it",
    indicator="D25",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=1,
    sentence="the carrier of its journey made {value} journeys with that conveyance in a year",
    sentence_of_none="the carrier of its journey made no journey with that conveyance in a year",
    sentence_of_one="the carrier of its journey made one journey with that conveyance in a year",
)
def journey_conveyance_carrier_journeys_365d() -> None:
    """Journeys of 365 days of the conveyance that brings the shipment under the same carrier, its
    own among them.

    Few are mildly suspicious where both are well known.
    """


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="never; pairs with a party that is not named or not known do not count",
    indicator="D25",
    source=FATF_TRADE_2021,
    sentence="{value} pairs of its parties, each known here, met for the first time in a year",
    sentence_of_none="no pair of its parties, each known here, met for the first time in a year",
    sentence_of_one="one pair of its parties, each known here, met for the first time in a year",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="consignee_shipments_365d",
)
def new_link_count_365d(
    consignee: Column = count("shipments", by="consignee_id", days=365),
    consignor: Column = count("shipments", by="consignor_id", days=365),
    forwarder: Column = count("shipments", by="forwarder_id", days=365),
    carrier: Column = count("journeys", by="journey_carrier_id", matching="carrier_id", days=365),
    with_consignor: Column = count("shipments", by=("consignor_id", "consignee_id"), days=365),
    with_forwarder: Column = count("shipments", by=("consignee_id", "forwarder_id"), days=365),
    with_carrier: Column = count("shipments", by=("journey_carrier_id", "consignee_id"), days=365),
) -> Column:
    """Pairs of the consignee with its consignor, forwarder or carrier that are new to each other
    although both were seen here in 365 days; a new declarant has features of its own.

    Many are suspicious: known members that were brought together for this shipment.
    """
    links = (
        (consignor > 0) & (with_consignor == 0),
        (forwarder > 0) & (with_forwarder == 0),
        # One journey of the carrier is the one that brings this shipment.
        (carrier > 1) & (with_carrier == 0),
    )
    return np.where(consignee > 0, sum(np.where(is_new, 1.0, 0.0) for is_new in links), 0.0)
