"""Party history: what the companies behind a shipment have done before."""

import math

import numpy as np

from features.definition import (
    MAX_AGE_DAYS,
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import (
    count,
    days_since_first,
    distinct,
    hours_since_latest,
    mean,
)
from features.publications import (
    DATE_2020,
    EUROPOL_2023,
    FATF_TRADE_2021,
    PRACTICE,
    SEA_CONTAINERS_2002,
)


@shipment_feature(
    count("shipments", by="consignee_id", days=30),
    unit=Unit.COUNT,
    when_missing="never; a new consignee has 0",
    indicator="D25",
    warns=SuspiciousSide.EITHER,
    source=DATE_2020,
    sentence="its consignee declared {value} shipments in 30 days",
    sentence_of_none="its consignee declared no shipment in 30 days",
    sentence_of_one="its consignee declared one shipment in 30 days",
    known_by="consignee_shipments_30d",
)
def consignee_shipments_30d() -> None:
    """Shipments declared for the same consignee in the 30 days before.

    A burst or a first shipment is mildly suspicious.
    """


@shipment_feature(
    count("shipments", by="consignee_id", days=365),
    unit=Unit.COUNT,
    when_missing="never; a new consignee has 0",
    indicator="D25",
    warns=SuspiciousSide.LOW,
    source=DATE_2020,
    shows_from=3,
    sentence="its consignee declared {value} shipments in a year",
    sentence_of_none="its consignee declared no shipment in a year",
    sentence_of_one="its consignee declared one shipment in a year",
)
def consignee_shipments_365d() -> None:
    """Shipments declared for the same consignee in the year before.

    Few are mildly suspicious: little is known about this consignee.
    """


@shipment_feature(
    unit=Unit.DAYS,
    when_missing="the consignee was never seen before",
    indicator="D26",
    warns=SuspiciousSide.HIGH,
    source=FATF_TRADE_2021,
    shows_from=90,
    sentence="its consignee's last shipment was {value} ago",
)
def consignee_days_since_latest(
    hours: Column = hours_since_latest("shipments", by="consignee_id"),
) -> Column:
    """Days since the consignee's last shipment.

    A consignee that wakes after a long silence is suspicious.
    """
    return hours / 24


@shipment_feature(
    unit=Unit.DAYS_UP_TO_YEAR,
    when_missing="the consignee was never seen before",
    indicator="D25",
    source=FATF_TRADE_2021,
    shows_from=30,
    sentence="its consignee was first seen here {value} ago",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def consignee_days_since_first(
    days: Column = days_since_first("shipments", by="consignee_id"),
) -> Column:
    """Days since the consignee was first seen here, 365 at most.

    A very new consignee is mildly suspicious: shells are used briefly. It may have traded for long
    where nobody reports here; every firm is new when the service starts.
    """
    return np.minimum(days, MAX_AGE_DAYS)


@shipment_feature(
    unit=Unit.DAYS_UP_TO_YEAR,
    when_missing="the consignor was never seen before",
    indicator="D25",
    source=SEA_CONTAINERS_2002,
    shows_from=30,
    sentence="its consignor was first seen here {value} ago",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def consignor_days_since_first(
    days: Column = days_since_first("shipments", by="consignor_id"),
) -> Column:
    """Days since the consignor was first seen here, 365 at most.

    A very new consignor is mildly suspicious. It may have traded for long where nobody reports
    here.
    """
    return np.minimum(days, MAX_AGE_DAYS)


@shipment_feature(
    count("shipments", by="consignor_id", days=365),
    unit=Unit.COUNT,
    when_missing="never; a new consignor has 0",
    indicator="D25",
    warns=SuspiciousSide.LOW,
    source=DATE_2020,
    shows_from=3,
    sentence="its consignor sent {value} shipments in a year",
    sentence_of_none="its consignor sent no shipment in a year",
    sentence_of_one="its consignor sent one shipment in a year",
)
def consignor_shipments_365d() -> None:
    """Shipments declared from the same consignor in the year before.

    Few are mildly suspicious.
    """


@shipment_feature(
    count("shipments", by=("consignor_id", "consignee_id")),
    unit=Unit.COUNT,
    when_missing="never; a new pair has 0",
    indicator="D25",
    source=SEA_CONTAINERS_2002,
    shows_from=2,
    sentence="its two parties traded with each other {value} times before",
    sentence_of_none="its two parties never traded with each other before",
    sentence_of_one="its two parties traded with each other once before",
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def party_pair_shipments() -> None:
    """Earlier shipments between the same consignor and consignee.

    None is mildly suspicious: the parties never traded before.
    """


@shipment_feature(
    count("shipments", by=("consignee_id", "hs_heading")),
    unit=Unit.COUNT,
    when_missing="never; a new consignee has 0",
    indicator="D30",
    source=FATF_TRADE_2021,
    shows_from=2,
    sentence="its consignee imported such goods {value} times before",
    sentence_of_none="its consignee never imported such goods before",
    sentence_of_one="its consignee imported such goods once before",
    among=Peers.GOODS,
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
)
def consignee_goods_shipments() -> None:
    """Earlier shipments of the same goods heading to the same consignee.

    None is mildly suspicious: the goods are outside what this consignee trades in.
    """


@shipment_feature(
    count("shipments", by="forwarder_id", days=90),
    unit=Unit.COUNT,
    when_missing="no forwarder is named",
    indicator="D25",
    warns=SuspiciousSide.LOW,
    source=DATE_2020,
    shows_from=3,
    sentence="its forwarder handled {value} shipments in 90 days",
    sentence_of_none="its forwarder handled no shipment in 90 days",
    sentence_of_one="its forwarder handled one shipment in 90 days",
)
def forwarder_shipments_90d() -> None:
    """Shipments handled by the same forwarder in 90 days.

    Few are mildly suspicious.
    """


@shipment_feature(
    count("shipments", by=("consignee_id", "declarant_id")),
    unit=Unit.COUNT,
    when_missing="no declarant is named",
    indicator="D31",
    warns=SuspiciousSide.LOW,
    source=DATE_2020,
    shows_from=1,
    sentence="its declarant lodged {value} declarations for this consignee before",
    sentence_of_none="its declarant lodged no declaration for this consignee before",
    sentence_of_one="its declarant lodged one declaration for this consignee before",
)
def declarant_consignee_shipments() -> None:
    """Earlier declarations by the same declarant for the same consignee.

    None, for a consignee that is well known, is mildly suspicious: it changed its declarant.
    """


@shipment_feature(
    unit=Unit.RATIO,
    when_missing="no mass was declared, or the consignee brought in nothing in a year",
    indicator="D43",
    warns=SuspiciousSide.LOW,
    source=FATF_TRADE_2021,
    shows_from=-math.inf,
    sentence="it weighs {value} the usual shipment of its consignee",
)
def mass_to_consignee_ratio_365d(
    mass_g: Column,
    usual: Column = mean("shipments", "mass_g", by="consignee_id", days=365),
) -> Column:
    """Mass over the mean mass of the consignee's shipments of a year.

    Far under 1 is mildly suspicious: one consignment may have been split.
    """
    return ratio(mass_g, usual)


@shipment_feature(
    count("shipments", by=("consignor_id", "consignee_id"), days=7),
    unit=Unit.COUNT,
    when_missing="never; new parties have 0",
    indicator="D43",
    warns=SuspiciousSide.HIGH,
    source=FATF_TRADE_2021,
    shows_from=2,
    sentence="the same two parties declared {value} shipments in 7 days",
    sentence_of_none="the same two parties declared no shipment in 7 days",
    sentence_of_one="the same two parties declared one shipment in 7 days",
    known_by="party_pair_shipments",
)
def party_pair_shipments_7d() -> None:
    """Shipments between the same consignor and consignee in 7 days.

    Several are suspicious together with values that each stay under a threshold: one
    consignment may have been split.
    """


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no container or no seal was declared",
    indicator="D16",
    source=EUROPOL_2023,
    sentence="its seal was declared on another container {value} times in 90 days",
    sentence_of_none="its seal was declared on no other container in 90 days",
    sentence_of_one="its seal was declared on another container once in 90 days",
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    known_by="seal_reuse_count_90d",
)
def seal_reuse_count_90d(
    shipments: Column = count("shipments", by="seal_number", days=90),
    same_container: Column = count("shipments", by=("seal_number", "container_number"), days=90),
) -> Column:
    """Shipments of 90 days under the same seal number, but in another container.

    Any is suspicious: a seal is used once. Consignments that share a container share its seal, and
    do not count.
    """
    return shipments - same_container


@shipment_feature(
    unit=Unit.COUNT,
    when_missing="no value was declared, or no limit is known of its destination",
    indicator="D43",
    warns=SuspiciousSide.HIGH,
    source=PRACTICE,
    shows_from=2,
    sentence="it stays just under the limit of small consignments, as did goods of its consignor "
    "to {value} consignees in 7 days",
    sentence_of_none="it stays not just under the limit of small consignments, or does so alone",
    sentence_of_one="it stays just under the limit of small consignments, as did goods of its "
    "consignor to one consignee in 7 days",
    known_by="small_value_consignees_7d",
)
def small_value_consignees_7d(
    is_just_under_de_minimis: Column,
    consignees: Column = distinct(
        "shipments",
        "consignee_id",
        by="consignor_id",
        where="is_just_under_de_minimis",
        days=7,
    ),
) -> Column:
    """Consignees of the same consignor in 7 days whose goods stay just under the limit of small
    consignments, where this one's do so too; 0 where its own value is another.

    Many are mildly suspicious: one consignment may have been split so that little duty is due, or
    none.
    """
    return is_just_under_de_minimis * consignees
