"""Conveyance: what carries the journey, who runs it, and what they did before."""

import numpy as np
import pandas as pd

from features.arithmetic import ratio
from features.asof.windows import count, days_since_first, distinct, hours_since_latest, mean
from features.columns import Column, hours_between
from features.definition import ROUTE_ONLY, SHIPMENT_ONLY, Unit, feature

_UNODC = "UNODC, Global Study on Smuggling of Migrants (2018)"
_US2020 = "US State, Treasury and Coast Guard, maritime advisory (14 May 2020)"
_SEA = "European Commission, Good Practice Guide for Sea Container Control (2002)"
_PRACTICE = "practice of reviewers; no single published source"


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.CATEGORY,
    when_missing="never",
    indicator="J23",
    source="IMO, MSC/Circ.896/Rev.1 on unsafe practices in the transport of migrants by sea",
    sentence="it travels with a {value}",
)
def conveyance_kind(conveyance_kind: Column) -> Column:
    """Kind of conveyance.

    A craft unfit for its way is suspicious.
    """
    return conveyance_kind


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.CATEGORY,
    when_missing="never",
    indicator="J33",
    source=_UNODC,
    sentence="its journey is declared by {value}",
)
def mode(mode: Column) -> Column:
    """Mode of transport that the journey declares.

    None is suspicious by itself.
    """
    return mode


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="no certified capacity is known",
    indicator="J23",
    source="IMO, MSC/Circ.896/Rev.1 on unsafe practices in the transport of migrants by sea",
    sentence="it is certified for {value} people",
)
def certified_capacity_count(certified_capacity: Column) -> Column:
    """People that the conveyance is certified to carry.

    None is suspicious by itself; it tells a ferry from a van.
    """
    return certified_capacity


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.KILOGRAMS,
    when_missing="no mass was declared",
    indicator="J28",
    source=_SEA,
    sentence="it declares {value} kg of cargo",
)
def declared_cargo_mass_kg(declared_cargo_mass_kg: Column) -> Column:
    """Mass of the cargo that the journey declares.

    Little or none is suspicious for a conveyance that usually carries a load.
    """
    return declared_cargo_mass_kg


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.RATIO,
    when_missing="no mass was declared, or the conveyance did not travel in a year",
    indicator="J27",
    source="Windward, notes on deceptive shipping practices",
    sentence="it carries {value} times its usual load",
)
def cargo_mass_to_usual_ratio_365d(
    declared_cargo_mass_g: Column,
    usual: Column = mean("journeys", "declared_cargo_mass_g", by="conveyance_id", days=365),
) -> Column:
    """Declared mass over the mean mass of the same conveyance in a year.

    Far under 1 is suspicious: a voyage that does not pay for itself.
    """
    return ratio(declared_cargo_mass_g, usual)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.YES_NO,
    when_missing="the registration or a place is unknown",
    indicator="J18",
    source=_US2020,
    sentence="the conveyance is registered at neither end of its way: {value}",
)
def is_registered_elsewhere(
    registration_country: Column, origin_country: Column, destination_country: Column
) -> Column:
    """Whether the conveyance is registered at neither end of its way.

    Mildly suspicious by road; usual at sea.
    """
    elsewhere = (registration_country != origin_country) & (
        registration_country != destination_country
    )
    is_missing = pd.isna(registration_country) | pd.isna(origin_country)
    return np.where(is_missing | pd.isna(destination_country), np.nan, elsewhere)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.YES_NO,
    when_missing="the conveyance is not known to be hired",
    indicator="J25",
    source="FINTRAC, indicators of human trafficking in transactions (2016)",
    sentence="the conveyance is hired one way: {value}",
)
def is_one_way_hire(hire_return_location: Column, origin: Column) -> Column:
    """Whether a hired conveyance is to be returned elsewhere than it set out.

    A one-way hire is suspicious: nobody who comes back needs one.
    """
    return np.where(pd.isna(hire_return_location), np.nan, hire_return_location != origin)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.HOURS,
    when_missing="the conveyance is not known to be hired",
    indicator="J26",
    source=_PRACTICE,
    sentence="it was hired {value} hours before it was declared",
)
def hired_before_hours(hire_started_at: Column, declared_at: Column) -> Column:
    """Hours from the start of the hire to the declaration.

    A very short notice is suspicious.
    """
    return hours_between(hire_started_at, declared_at)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="never; a new conveyance has 0",
    indicator="J31",
    source=_PRACTICE,
    sentence="the conveyance made {value} journeys in 7 days",
)
def conveyance_journeys_7d(
    journeys: Column = count("journeys", by="conveyance_id", days=7),
) -> Column:
    """Journeys of the same conveyance in 7 days.

    Many short trips are suspicious where others make few.
    """
    return journeys


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="never; a new conveyance has 0",
    indicator="J31",
    source=_PRACTICE,
    sentence="the conveyance made {value} journeys in a year",
)
def conveyance_journeys_365d(
    journeys: Column = count("journeys", by="conveyance_id", days=365),
) -> Column:
    """Journeys of the same conveyance in a year.

    Few are mildly suspicious: little is known about it.
    """
    return journeys


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.HOURS,
    when_missing="the conveyance was never seen before",
    indicator="D26",
    source=_PRACTICE,
    sentence="the conveyance was last declared {value} hours ago",
)
def conveyance_hours_since_latest(
    hours: Column = hours_since_latest("journeys", by="conveyance_id"),
) -> Column:
    """Hours since the last journey of the same conveyance.

    A conveyance that wakes after a long silence is mildly suspicious.
    """
    return hours


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="never; a new conveyance has 0",
    indicator="J14",
    source=_US2020,
    sentence="{value} different carriers ran this conveyance in 90 days",
)
def conveyance_carriers_90d(
    carriers: Column = distinct("journeys", "carrier_id", by="conveyance_id", days=90),
) -> Column:
    """Different carriers that ran the same conveyance in 90 days.

    Several are suspicious: it changes hands.
    """
    return carriers


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.COUNT,
    when_missing="never; a new carrier has 0",
    indicator="J05",
    source=_PRACTICE,
    sentence="its carrier made {value} journeys in 30 days",
)
def carrier_journeys_30d(
    journeys: Column = count("journeys", by="carrier_id", days=30),
) -> Column:
    """Journeys of the same carrier in 30 days.

    Few are mildly suspicious.
    """
    return journeys


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.DAYS,
    when_missing="the carrier was never seen before",
    indicator="D33",
    source="FATF and Egmont Group, Trade-Based Money Laundering: Risk Indicators (2021)",
    sentence="its carrier was first seen {value} days ago",
)
def carrier_days_since_first(
    days: Column = days_since_first("journeys", by="carrier_id"),
) -> Column:
    """Days since the carrier was first seen.

    A very new carrier is suspicious.
    """
    return days


@feature(
    subjects=SHIPMENT_ONLY,
    unit=Unit.COUNT,
    when_missing="its journey was not declared before it",
    indicator="J05",
    source=_PRACTICE,
    sentence="the carrier of its journey made {value} journeys in 90 days",
)
def journey_carrier_journeys_90d(
    journeys: Column = count("journeys", by="journey_carrier_id", matching="carrier_id", days=90),
) -> Column:
    """Journeys in 90 days of the carrier that brings the shipment.

    Few are mildly suspicious.
    """
    return journeys
