"""Itinerary: the way a journey takes, and the time it takes for it."""

import numpy as np

from features.definition import (
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    route_feature,
)
from features.engine.columns import Column, hours_between, is_missing
from features.engine.expressions.arithmetic import earlier_of, ratio
from features.engine.windows.window_declaration import count, largest, total
from features.publications import (
    PRACTICE,
    SEA_CONTAINERS_2002,
    UNODC_SEA_2011,
    US_MARITIME_2020,
)

# Kinds of conveyance that usually operate by day and may land away from ports.
SMALL = ("small_craft", "fishing_vessel")


@route_feature(
    unit=Unit.KILOMETRES,
    when_missing="origin or destination is unknown",
    indicator=None,
    source=PRACTICE,
    sentence="its distance is {value} km",
)
def direct_distance_km(direct_distance_km: Column) -> Column:
    """Great-circle distance from origin to destination.

    Neither near nor far is suspicious by itself; it sets the scale of the journey.
    """
    return direct_distance_km


@route_feature(
    count("legs", by="subject_id"),
    unit=Unit.COUNT,
    when_missing="never; no leg known is 0",
    indicator="J02",
    source=SEA_CONTAINERS_2002,
    warns=SuspiciousSide.HIGH,
    shows_from=2,
    sentence="{value} legs are known",
    sentence_of_none="no leg is known",
    sentence_of_one="one leg is known",
    among=Peers.CORRIDOR,
    known_by="leg_count",
)
def leg_count() -> None:
    """Legs of the journey known when it was declared.

    More than the corridor needs is suspicious: every transfer is a chance to add or take.
    """


@route_feature(
    unit=Unit.RATIO,
    when_missing="its legs are not known all the way, or a place is unknown",
    indicator="J01",
    source=US_MARITIME_2020,
    warns=SuspiciousSide.HIGH,
    shows_from=1.2,
    sentence="the length of its legs is {value} the direct distance",
    among=Peers.CORRIDOR,
)
def detour_ratio(
    direct_distance_km: Column,
    legs_m: Column = total("legs", "distance_m", by="subject_id"),
    legs: Column = count("legs", by="subject_id"),
    measured: Column = total("legs", "is_measured", by="subject_id"),
    unconnected: Column = total("legs", "is_unconnected", by="subject_id"),
    gaps: Column = total("legs", "is_after_gap", by="subject_id"),
    starts: Column = total("legs", "is_start", by="subject_id"),
    arrivals: Column = total("legs", "is_arrival", by="subject_id"),
) -> Column:
    """Length of the legs, known from the origin to the destination, over the direct distance.

    Both are great circles, so that whoever has to go around land or a mountain is over 1 as well:
    what the way needs is what others on the corridor take, not 1. Far over that is suspicious: the
    way costs more than the trade can bear.
    """
    is_connected = (unconnected == 0) & (gaps == 0)
    is_whole = (starts > 0) & (arrivals > 0) & is_connected & (measured == legs)
    way = ratio(legs_m / 1000, direct_distance_km)
    # Rounding can put a direct way slightly below 1.
    return np.where(is_whole, np.maximum(way, 1), np.nan)


@route_feature(
    unit=Unit.HOURS,
    when_missing="no stop between two legs is known",
    indicator="J08",
    source=SEA_CONTAINERS_2002,
    warns=SuspiciousSide.HIGH,
    shows_from=24,
    sentence="its longest stop lasted {value}",
    among=Peers.CORRIDOR,
)
def longest_dwell_hours(
    minutes: Column = largest("legs", "dwell_minutes", by="subject_id"),
) -> Column:
    """Longest known stop between two legs.

    A long stop is suspicious where the trade usually moves on.
    """
    return minutes / 60


@route_feature(
    total("legs", "is_unconnected", by="subject_id"),
    unit=Unit.COUNT,
    when_missing="never; no leg known is 0",
    indicator="J09",
    source=PRACTICE,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="{value} of its legs start elsewhere than the one before ended",
    sentence_of_none="each of its legs starts where the one before ended",
    sentence_of_one="one of its legs starts elsewhere than the one before ended",
    known_by="leg_count",
)
def unconnected_leg_count() -> None:
    """Legs that start elsewhere than the leg before ended, by their numbers one after the other.

    Any is suspicious: a stretch of the way was left out. A leg whose number says that the one
    before is not known yet does not count.
    """


@route_feature(
    unit=Unit.COUNT,
    when_missing="it is no small craft and no fishing vessel",
    indicator="J20",
    source=UNODC_SEA_2011,
    warns=SuspiciousSide.HIGH,
    sentence="it landed at night {value} times",
    sentence_of_none="it never landed at night",
    sentence_of_one="it landed at night once",
    among=Peers.CORRIDOR,
    known_by="leg_count",
)
def night_landing_count(
    conveyance_kind: Column,
    nights: Column = total("legs", "is_night_landing", by="subject_id"),
) -> Column:
    """Landings of a small craft or fishing vessel between 22 and 5 o'clock by the sun.

    Any is suspicious; ports work ships at night, so that of these nothing is said.
    """
    return np.where(np.isin(conveyance_kind, SMALL), nights, np.nan)


@route_feature(
    total("legs", "is_mode_switch", by="subject_id"),
    unit=Unit.COUNT,
    when_missing="never; no leg known is 0",
    indicator="J33",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    sentence="{value} of its legs use another mode than declared",
    sentence_of_none="none of its legs uses another mode than declared",
    sentence_of_one="one of its legs uses another mode than declared",
    among=Peers.CORRIDOR,
    known_by="leg_count",
)
def mode_switch_count() -> None:
    """Legs by another mode of transport than the journey declares.

    More than usual is mildly suspicious.
    """


@route_feature(
    unit=Unit.RATIO,
    when_missing="no leg with both instants is known",
    indicator="J17",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    sentence="the speed of its fastest leg was {value} the highest usual speed of its mode",
    among=Peers.CORRIDOR,
)
def fastest_leg_ratio(
    ppm: Column = largest("legs", "speed_to_fastest_ppm", by="subject_id"),
) -> Column:
    """Speed of the fastest known leg over what its mode of transport hardly exceeds.

    Far over 1 is suspicious: instants or places were invented.
    """
    return ppm / 1e6


@route_feature(
    unit=Unit.HOURS_BEFORE,
    when_missing="never",
    indicator="D01",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=24,
    sentence="it was declared {value} before it is due",
    sentence_below_zero="it was declared {value} after it was due",
    among=Peers.CORRIDOR,
)
def declared_before_due_hours(declared_at: Column, due_at: Column) -> Column:
    """Hours from the declaration to the announced arrival.

    A declaration at the last hour is suspicious.
    """
    return hours_between(declared_at, due_at)


@route_feature(
    unit=Unit.HOURS_BEFORE,
    when_missing="no booking is known",
    indicator="J26",
    source=PRACTICE,
    warns=SuspiciousSide.LOW,
    shows_from=24,
    sentence="it was booked {value} before it left or was declared",
    sentence_below_zero="it was booked {value} after it left or was declared",
    among=Peers.CORRIDOR,
)
def booked_before_hours(booked_at: Column, departed_at: Column, declared_at: Column) -> Column:
    """Hours from the booking to the departure, or to the declaration where that came first.

    A very short notice is mildly suspicious.
    """
    return hours_between(booked_at, earlier_of(departed_at, declared_at))


@route_feature(
    unit=Unit.YES_NO,
    when_missing="a place is unknown",
    indicator=None,
    source=PRACTICE,
    sentence="it crosses a border",
    sentence_of_none="it crosses no border",
)
def is_cross_border(origin_country: Column, destination_country: Column) -> Column:
    """Whether origin and destination lie in different countries.

    Neither is suspicious by itself; controls differ at a border.
    """
    is_known = ~(is_missing(origin_country) | is_missing(destination_country))
    return np.where(is_known, origin_country != destination_country, np.nan)
