"""Corridor: how usual this way is, for anyone and for those who take it now."""

from features.definition import (
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    route_feature,
    shipment_feature,
)
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window_declaration import count, distinct, mean
from features.publications import DATE_2020, FATF_TRADE_2021, PRACTICE


@route_feature(
    count("journeys", by=("origin", "destination", "mode"), days=90),
    unit=Unit.COUNT,
    when_missing="never; a new corridor has 0",
    indicator="J04",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=3,
    sentence="{value} journeys used this corridor in 90 days",
    sentence_of_none="no journey used this corridor in 90 days",
    sentence_of_one="one journey used this corridor in 90 days",
)
def corridor_journeys_90d() -> None:
    """Journeys on the same origin, destination and mode in 90 days.

    A corridor that hardly anyone uses is suspicious.
    """


@route_feature(
    count("journeys", by=("carrier_id", "origin", "destination")),
    unit=Unit.COUNT,
    when_missing="never; a new corridor has 0",
    indicator="J05",
    source=FATF_TRADE_2021,
    warns=SuspiciousSide.LOW,
    shows_from=2,
    sentence="its carrier used this corridor {value} times before",
    sentence_of_none="its carrier never used this corridor before",
    sentence_of_one="its carrier used this corridor once before",
    among=Peers.CORRIDOR,
)
def carrier_corridor_journeys() -> None:
    """Earlier journeys of the same carrier between the same places.

    None is mildly suspicious for a carrier that is well known elsewhere.
    """


@route_feature(
    unit=Unit.RATIO,
    when_missing="nobody went there from 90 to 7 days before",
    indicator="J38",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    shows_from=1.5,
    sentence="journeys to its destination in 7 days were {value} those of a usual week",
)
def destination_surge_ratio_7d(
    week: Column = count("journeys", by="destination", days=7),
    quarter: Column = count("journeys", by="destination", days=90),
) -> Column:
    """Journeys to the same place in 7 days over the weekly mean of the 83 days before.

    Far over 1 is mildly suspicious: traffic may move here from a way that was closed elsewhere.
    """
    # The mean per day of the week over that of the 83 days before it.
    return ratio(week * 83, (quarter - week) * 7)


@route_feature(
    unit=Unit.RATIO,
    when_missing="no mass was declared, or nobody used the corridor in a year",
    indicator="J28",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=0.5,
    sentence="it carries {value} the usual load on this corridor",
    sentence_of_none="it carries no cargo",
    among=Peers.CORRIDOR,
)
def cargo_mass_to_corridor_ratio_365d(
    declared_cargo_mass_g: Column,
    usual: Column = mean(
        "journeys", "declared_cargo_mass_g", by=("origin", "destination", "mode"), days=365
    ),
) -> Column:
    """Declared mass over the mean mass on the same corridor in a year.

    Far under 1 is suspicious: others fill their conveyance on this way.
    """
    return ratio(declared_cargo_mass_g, usual)


@shipment_feature(
    count("shipments", by=("hs_heading", "dispatch_country", "destination_country"), days=90),
    unit=Unit.COUNT,
    when_missing="never; a new lane has 0",
    indicator="J04",
    source=DATE_2020,
    warns=SuspiciousSide.LOW,
    shows_from=3,
    sentence="{value} shipments of such goods came this way in 90 days",
    sentence_of_none="no shipment of such goods came this way in 90 days",
    sentence_of_one="one shipment of such goods came this way in 90 days",
    among=Peers.GOODS,
)
def goods_lane_shipments_90d() -> None:
    """Shipments of the same goods heading between the same countries in 90 days.

    Few are mildly suspicious: such goods seldom come this way.
    """


@shipment_feature(
    count("shipments", by=("hs_code", "origin_country"), days=365),
    unit=Unit.COUNT,
    when_missing="never; a new origin has 0",
    indicator="D42",
    source=DATE_2020,
    warns=SuspiciousSide.LOW,
    shows_from=3,
    sentence="{value} shipments of these goods came from this origin in a year",
    sentence_of_none="no shipment of these goods came from this origin in a year",
    sentence_of_one="one shipment of these goods came from this origin in a year",
    among=Peers.GOODS,
)
def goods_origin_shipments_365d() -> None:
    """Shipments of the same goods code and origin in a year.

    Few are mildly suspicious: the origin hardly makes such goods.
    """


@shipment_feature(
    count("shipments", by=("consignee_id", "dispatch_country")),
    unit=Unit.COUNT,
    when_missing="never; a new lane has 0",
    indicator="J05",
    source=FATF_TRADE_2021,
    warns=SuspiciousSide.LOW,
    shows_from=2,
    sentence="its consignee received {value} shipments from this country before",
    sentence_of_none="its consignee received no shipment from this country before",
    sentence_of_one="its consignee received one shipment from this country before",
)
def consignee_dispatch_shipments() -> None:
    """Earlier shipments to the same consignee from the same country of dispatch.

    None is mildly suspicious for a consignee that is well known.
    """


@shipment_feature(
    unit=Unit.SHARE,
    when_missing="such goods were never sent from there",
    indicator="D42",
    source=DATE_2020,
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
    shows_from=0.25,
    sentence="earlier consignments of such goods from there with its origin: {same_origin} of "
    "{sent}",
)
def origin_of_dispatch_ratio(
    same_origin: Column = count("shipments", by=("hs_code", "dispatch_country", "origin_country")),
    sent: Column = count("shipments", by=("hs_code", "dispatch_country")),
) -> Column:
    """Share of the earlier shipments of the same goods code from the same country of dispatch that
    had the same origin.

    A low share is suspicious: such goods do not usually come this way from where they were made.
    """
    return ratio(same_origin, sent)


@route_feature(
    unit=Unit.SHARE,
    when_missing="the carrier was never seen before",
    indicator="J05",
    source=FATF_TRADE_2021,
    direction=MonotoneConstraint.LOWER_IS_RISKIER,
    shows_from=0.1,
    sentence="earlier journeys of its carrier on this corridor: {on_corridor} of {journeys}",
)
def corridor_of_carrier_ratio(
    on_corridor: Column = count("journeys", by=("carrier_id", "origin", "destination")),
    journeys: Column = count("journeys", by="carrier_id"),
) -> Column:
    """Share of the carrier's earlier journeys that ran between the same places.

    A low share is mildly suspicious: the carrier usually goes elsewhere.
    """
    return ratio(on_corridor, journeys)


@route_feature(
    distinct("journeys", "carrier_id", by=("origin", "destination", "mode"), days=365),
    unit=Unit.COUNT,
    when_missing="never; a new corridor has 0",
    indicator=None,
    source=PRACTICE,
    sentence="{value} different carriers used this corridor in a year",
    sentence_of_none="no carrier used this corridor in a year",
    sentence_of_one="one carrier used this corridor in a year",
)
def corridor_carriers_365d() -> None:
    """Different carriers on the same origin, destination and mode in a year.

    Neither many nor few are suspicious by themselves; they tell how open the way is.
    """
