"""Carrier history: what a conveyance, and the company that runs it, did before."""

import numpy as np

from features.definition import (
    MAX_AGE_DAYS,
    MonotoneConstraint,
    SuspiciousSide,
    Unit,
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
from features.publications import PRACTICE


@route_feature(
    count("journeys", by="conveyance_id", days=7),
    unit=Unit.COUNT,
    when_missing="never; a new conveyance has 0",
    indicator="J31",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    shows_from=4,
    sentence="the conveyance made {value} journeys in 7 days",
    sentence_of_none="the conveyance made no journey in 7 days",
    sentence_of_one="the conveyance made one journey in 7 days",
    known_by="conveyance_days_since_latest",
)
def conveyance_journeys_7d() -> None:
    """Journeys of the same conveyance in 7 days.

    Many short trips are suspicious where others make few.
    """


@route_feature(
    count("journeys", by="conveyance_id", days=365),
    unit=Unit.COUNT,
    when_missing="never; a new conveyance has 0",
    indicator="D25",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=3,
    sentence="the conveyance made {value} journeys in a year",
    sentence_of_none="the conveyance made no journey in a year",
    sentence_of_one="the conveyance made one journey in a year",
)
def conveyance_journeys_365d() -> None:
    """Journeys of the same conveyance in a year.

    Few are mildly suspicious: little is known about it.
    """


@route_feature(
    unit=Unit.DAYS,
    when_missing="the conveyance was never declared here before",
    indicator="D26",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    shows_from=90,
    sentence="the conveyance was last declared {value} ago",
)
def conveyance_days_since_latest(
    hours: Column = hours_since_latest("journeys", by="conveyance_id"),
) -> Column:
    """Days since the last journey of the same conveyance was declared.

    A conveyance that wakes after a long silence is mildly suspicious.
    """
    return hours / 24


@route_feature(
    distinct("journeys", "carrier_id", by="conveyance_id", days=90),
    unit=Unit.COUNT,
    when_missing="never; a new conveyance has 0",
    indicator="J37",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    shows_from=2,
    sentence="{value} different carriers ran this conveyance in 90 days",
    sentence_of_none="no carrier ran this conveyance in 90 days",
    sentence_of_one="one carrier ran this conveyance in 90 days",
    known_by="conveyance_days_since_latest",
)
def conveyance_carriers_90d() -> None:
    """Different carriers that ran the same conveyance in 90 days.

    More than one is suspicious: it changes hands.
    """


@route_feature(
    count("journeys", by="carrier_id", days=30),
    unit=Unit.COUNT,
    when_missing="never; a new carrier has 0",
    indicator="D25",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=1,
    sentence="its carrier made {value} journeys in 30 days",
    sentence_of_none="its carrier made no journey in 30 days",
    sentence_of_one="its carrier made one journey in 30 days",
)
def carrier_journeys_30d() -> None:
    """Journeys of the same carrier in 30 days.

    Few are mildly suspicious.
    """


@route_feature(
    unit=Unit.DAYS_UP_TO_YEAR,
    when_missing="the carrier was never declared here before",
    indicator="D25",
    source=PRACTICE,
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
    shows_from=30,
    sentence="its carrier was first seen here {value} ago",
)
def carrier_days_since_first(
    days: Column = days_since_first("journeys", by="carrier_id"),
) -> Column:
    """Days since a journey of the carrier was first declared to this installation, 365 at most.

    Few are suspicious, but a carrier that is new here may be an old company.
    """
    return np.minimum(days, MAX_AGE_DAYS)


@shipment_feature(
    count("journeys", by="journey_carrier_id", matching="carrier_id", days=90),
    unit=Unit.COUNT,
    when_missing="its journey was not declared before it",
    indicator="D25",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=3,
    sentence="the carrier of its journey made {value} journeys in 90 days",
    sentence_of_none="the carrier of its journey made no journey in 90 days",
    sentence_of_one="the carrier of its journey made one journey in 90 days",
)
def journey_carrier_journeys_90d() -> None:
    """Journeys in 90 days of the carrier that brings the shipment.

    Few are mildly suspicious.
    """


@route_feature(
    count("journeys", by="carrier_id"),
    unit=Unit.COUNT,
    when_missing="never; a new carrier has 0",
    indicator="D25",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=3,
    sentence="its carrier made {value} journeys before",
    sentence_of_none="its carrier made no journey before",
    sentence_of_one="its carrier made one journey before",
)
def carrier_journeys() -> None:
    """Earlier journeys of the same carrier.

    Few are suspicious: little is known about it.
    """


@shipment_feature(
    unit=Unit.DAYS_UP_TO_YEAR,
    when_missing="its journey was not declared before it",
    indicator="D25",
    source=PRACTICE,
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
    shows_from=30,
    sentence="the carrier of its journey was first seen here {value} ago",
)
def journey_carrier_days_since_first(
    days: Column = days_since_first("journeys", by="journey_carrier_id", matching="carrier_id"),
) -> Column:
    """Days since a journey of the carrier that brings the shipment was first declared to this
    installation, 365 at most.

    Few are suspicious, but a carrier that is new here may be an old company.
    """
    return np.minimum(days, MAX_AGE_DAYS)
