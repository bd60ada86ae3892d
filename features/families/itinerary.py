"""Itinerary: the way a journey takes, and the time it takes for it."""

import numpy as np

from features.definition import ROUTE_ONLY, Peers, Unit, feature
from features.engine.columns import Column, hours_between, is_missing
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window import count, largest, total
from features.publications import (
    ICS2,
    PRACTICE,
    SEA_CONTAINERS_2002,
    UK_VEHICLES,
    UNODC_2018,
    UNODC_SEA_2011,
    US_MARITIME_2020,
)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.KILOMETRES,
    when_missing="origin or destination is unknown",
    indicator="J04",
    source=UNODC_2018,
    sentence="its ends are {value} km apart",
)
def direct_distance_km(direct_distance_km: Column) -> Column:
    """Great-circle distance from origin to destination.

    Neither near nor far is suspicious by itself; it sets the scale of the journey.
    """
    return direct_distance_km


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="never; no leg known is 0",
    indicator="J02",
    source=SEA_CONTAINERS_2002,
    sentence="{value} legs were known",
    sentence_of_one="one leg was known",
    among=Peers.CORRIDOR,
)
def leg_count(legs: Column = count("legs", by="subject_id")) -> Column:
    """Legs of the journey known when it was declared.

    More than the corridor needs is suspicious: every transfer is a chance to add or take.
    """
    return legs


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.RATIO,
    when_missing="no leg is known, or a place is unknown",
    indicator="J01",
    source=US_MARITIME_2020,
    sentence="its legs add up to {value} times the direct distance",
    among=Peers.CORRIDOR,
)
def detour_ratio(
    direct_distance_km: Column,
    legs_m: Column = total("legs", "distance_m", by="subject_id"),
    legs: Column = count("legs", by="subject_id"),
) -> Column:
    """Length of the known legs over the direct distance.

    Far over 1 is suspicious: the way costs more than the trade can bear.
    """
    return ratio(legs_m / 1000, direct_distance_km) * ratio(legs, legs)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.HOURS,
    when_missing="no stop between two legs is known",
    indicator="J08",
    source=SEA_CONTAINERS_2002,
    sentence="its longest stop lasted {value} hours",
    among=Peers.CORRIDOR,
)
def longest_dwell_hours(
    minutes: Column = largest("legs", "dwell_minutes", by="subject_id"),
) -> Column:
    """Longest known stop between two legs.

    A long stop is suspicious where the trade usually moves on.
    """
    return minutes / 60


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="never; no leg known is 0",
    indicator="J09",
    source=UK_VEHICLES,
    sentence="{value} of its legs start elsewhere than the one before ended",
    sentence_of_one="one of its legs starts elsewhere than the one before ended",
)
def unconnected_leg_count(
    unconnected: Column = total("legs", "is_unconnected", by="subject_id"),
) -> Column:
    """Legs that start elsewhere than the leg before ended.

    Any is suspicious: a stretch of the way was not reported.
    """
    return unconnected


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="never; no leg known is 0",
    indicator="J20",
    source=UNODC_SEA_2011,
    sentence="{value} of its legs ended at night",
    sentence_of_one="one of its legs ended at night",
    among=Peers.CORRIDOR,
)
def night_arrival_count(
    nights: Column = total("legs", "is_night_arrival", by="subject_id"),
) -> Column:
    """Legs that ended between 22 and 5 o'clock UTC.

    Arrivals at night are mildly suspicious off the hours of port or crossing.
    """
    return nights


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="never; no leg known is 0",
    indicator="J33",
    source=UNODC_2018,
    sentence="{value} of its legs use another mode than declared",
    sentence_of_one="one of its legs uses another mode than declared",
    among=Peers.CORRIDOR,
)
def mode_switch_count(
    switches: Column = total("legs", "is_mode_switch", by="subject_id"),
) -> Column:
    """Legs by another mode of transport than the journey declares.

    More than usual is mildly suspicious.
    """
    return switches


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.RATIO,
    when_missing="no leg with both instants is known",
    indicator="J17",
    source=US_MARITIME_2020,
    sentence="its fastest leg went {value} times as fast as its arrival needs",
    among=Peers.CORRIDOR,
)
def fastest_leg_ratio(
    direct_distance_km: Column,
    declared_at: Column,
    due_at: Column,
    fastest_m_per_h: Column = largest("legs", "speed_m_per_h", by="subject_id"),
) -> Column:
    """Speed of the fastest known leg over the speed that the announced arrival needs.

    Far over 1 is suspicious: instants or places were invented.
    """
    return ratio(
        fastest_m_per_h / 1000, ratio(direct_distance_km, hours_between(declared_at, due_at))
    )


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.HOURS,
    when_missing="never",
    indicator="D01",
    source=ICS2,
    sentence="it was declared {value} hours before it is due",
    among=Peers.CORRIDOR,
)
def declared_before_due_hours(declared_at: Column, due_at: Column) -> Column:
    """Hours from the declaration to the announced arrival.

    A declaration at the last hour is suspicious.
    """
    return hours_between(declared_at, due_at)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.HOURS,
    when_missing="no booking is known",
    indicator="J26",
    source=PRACTICE,
    sentence="it was booked {value} hours before it was declared",
    among=Peers.CORRIDOR,
)
def booked_before_hours(booked_at: Column, declared_at: Column) -> Column:
    """Hours from the booking to the declaration.

    A very short notice is mildly suspicious.
    """
    return hours_between(booked_at, declared_at)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.YES_NO,
    when_missing="a place is unknown",
    indicator="J30",
    source=UNODC_2018,
    sentence="it crosses a border: {value}",
)
def is_cross_border(origin_country: Column, destination_country: Column) -> Column:
    """Whether origin and destination lie in different countries.

    Neither is suspicious by itself; controls differ at a border.
    """
    is_known = ~(is_missing(origin_country) | is_missing(destination_country))
    return np.where(is_known, origin_country != destination_country, np.nan)
