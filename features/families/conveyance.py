"""Conveyance: what carries the journey, who runs it, and what they did before."""

import numpy as np

from features.definition import (
    Peers,
    SuspiciousSide,
    Unit,
    route_feature,
)
from features.derived.journey import BY_WATER
from features.engine.columns import Column, hours_between, is_missing
from features.engine.expressions.arithmetic import earlier_of, ratio, ratio_of_logs
from features.engine.windows.window_declaration import count, mean
from features.publications import IMO_CIRC_896, PRACTICE, WINDWARD

# With fewer journeys the range of a kind of craft cannot be estimated.
MIN_OF_KIND = 30
# Standard deviations above the mean beyond which 1 % of normal values lie.
WITHIN_99_PERCENT = 2.326


@route_feature(
    unit=Unit.CATEGORY,
    when_missing="never",
    indicator=None,
    source=PRACTICE,
    sentence="it travels with a {value}",
    among=Peers.CORRIDOR,
)
def conveyance_kind(conveyance_kind: Column) -> Column:
    """Kind of conveyance.

    None is suspicious by itself; it tells what else is usual.
    """
    return conveyance_kind


@route_feature(
    unit=Unit.CATEGORY,
    when_missing="never",
    indicator=None,
    source=PRACTICE,
    sentence="its journey is declared by {value}",
)
def mode(mode: Column) -> Column:
    """Mode of transport that the journey declares.

    None is suspicious by itself.
    """
    return mode


@route_feature(
    unit=Unit.COUNT,
    when_missing="no certified capacity is known",
    indicator=None,
    source=PRACTICE,
    sentence="it is certified for {value} people",
    sentence_of_one="it is certified for one person",
    among=Peers.CORRIDOR,
)
def certified_capacity_count(certified_capacity: Column) -> Column:
    """People that the conveyance is certified to carry.

    None is suspicious by itself; it tells a ferry from a van.
    """
    return certified_capacity


@route_feature(
    unit=Unit.KILOGRAMS,
    when_missing="no mass was declared",
    indicator=None,
    source=PRACTICE,
    sentence="it declares {value} kg of cargo",
    among=Peers.CORRIDOR,
)
def declared_cargo_mass_kg(declared_cargo_mass_kg: Column) -> Column:
    """Mass of the cargo that the journey declares.

    Neither much nor little is suspicious by itself; what is usual says whether it is.
    """
    return declared_cargo_mass_kg


@route_feature(
    unit=Unit.RATIO,
    when_missing="no mass was declared, or the conveyance did not travel in a year",
    indicator="J27",
    source=WINDWARD,
    warns=SuspiciousSide.LOW,
    shows_from=0.5,
    sentence="it carries {value} its usual load",
    sentence_of_none="it carries no cargo at all",
)
def cargo_mass_to_usual_ratio_365d(
    declared_cargo_mass_g: Column,
    usual: Column = mean("journeys", "declared_cargo_mass_g", by="conveyance_id", days=365),
) -> Column:
    """Declared mass over the mean mass of the same conveyance in a year.

    Far under 1 is suspicious: a voyage that does not pay for itself.
    """
    return ratio(declared_cargo_mass_g, usual)


@route_feature(
    unit=Unit.YES_NO,
    when_missing="it does not travel by road, or the registration or a place is unknown",
    indicator="J18",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    sentence="the vehicle is registered at neither end of its journey",
    sentence_of_none="the vehicle is registered at one end of its journey",
    among=Peers.CORRIDOR,
)
def is_registered_elsewhere(
    mode: Column, registration_country: Column, origin_country: Column, destination_country: Column
) -> Column:
    """Whether a vehicle on the road is registered at neither end of its way.

    If so, it is mildly suspicious; cross-trade is honest, and at sea and in the air it is usual.
    """
    elsewhere = (registration_country != origin_country) & (
        registration_country != destination_country
    )
    is_unplaced = is_missing(origin_country) | is_missing(destination_country)
    is_known = (mode == "road") & ~(is_missing(registration_country) | is_unplaced)
    return np.where(is_known, elsewhere, np.nan)


@route_feature(
    unit=Unit.YES_NO,
    when_missing="the conveyance is not known to be hired, or a place is unknown",
    indicator="J25",
    source=PRACTICE,
    warns=SuspiciousSide.HIGH,
    sentence="the hired conveyance is to be returned in another country than its journey begins in",
    sentence_of_none="the hired conveyance is to be returned where its journey begins",
)
def is_hire_returned_abroad(hire_return_country: Column, origin_country: Column) -> Column:
    """Whether a hired conveyance is to be returned in another country than its journey begins in.

    If so, it is suspicious: nobody who comes back needs a one-way hire. Where the hire began is not
    known, so that the country of the journey's origin stands for it.
    """
    is_known = ~(is_missing(hire_return_country) | is_missing(origin_country))
    return np.where(is_known, hire_return_country != origin_country, np.nan)


@route_feature(
    unit=Unit.HOURS_BEFORE,
    when_missing="the conveyance is not known to be hired",
    indicator=None,
    source=PRACTICE,
    sentence="its hire began {value} before it left or was declared",
    sentence_below_zero="its hire began {value} after it left or was declared",
)
def hired_before_hours(hire_started_at: Column, departed_at: Column, declared_at: Column) -> Column:
    """Hours from the start of the hire to the departure, or to the declaration where that came
    first.

    Neither long nor short is suspicious by itself: when the hire was booked is not known.
    """
    return hours_between(hire_started_at, earlier_of(departed_at, declared_at))


@route_feature(
    unit=Unit.RATIO,
    when_missing="it does not travel by water, a place is unknown, or few of its kind travelled",
    indicator="J23",
    source=IMO_CIRC_896,
    warns=SuspiciousSide.HIGH,
    sentence="its distance is {value} what an estimated 99 of 100 journeys of such a craft keep to",
)
def distance_to_range_ratio_365d(
    mode: Column,
    direct_distance_km: Column,
    journeys: Column = count("journeys", by=("conveyance_kind", "mode"), days=365),
    typical: Column = mean(
        "journeys", "distance_log_milli", by=("conveyance_kind", "mode"), days=365
    ),
    squared: Column = mean(
        "journeys", "squared_distance_log_milli", by=("conveyance_kind", "mode"), days=365
    ),
) -> Column:
    """Direct distance of a vessel's journey over the range of its kind, which 99 of 100 journeys of
    a year keep to.

    Far over 1 is suspicious: a craft unfit for its way. The range is estimated from the mean and
    the spread of the logarithms of distances, where at least thirty journeys are known.
    """
    # Rounding can make the variance slightly negative.
    spread = np.sqrt(np.maximum(squared - typical**2, 0))
    range_km = np.exp((typical + WITHIN_99_PERCENT * spread) / 1000)
    is_known = np.isin(mode, BY_WATER) & (journeys >= MIN_OF_KIND)
    return np.where(is_known, ratio(direct_distance_km, range_km), np.nan)


@route_feature(
    unit=Unit.RATIO,
    when_missing="no mass was declared, or nothing of this kind travelled in a year",
    indicator="J27",
    source=WINDWARD,
    warns=SuspiciousSide.LOW,
    shows_from=0.5,
    sentence="it carries {value} the typical load of its kind of conveyance",
    sentence_of_none="it carries no cargo of weight",
)
def cargo_mass_to_kind_ratio_365d(
    declared_cargo_mass_kg: Column,
    declared_cargo_mass_log_micro: Column,
    typical: Column = mean(
        "journeys", "declared_cargo_mass_log_micro", by="conveyance_kind", days=365
    ),
) -> Column:
    """Declared mass over the year's geometric mean of loaded conveyances of the same kind.

    Far under 1 is suspicious: a run that does not pay for itself; an empty one is 0.
    """
    loaded = ratio_of_logs(declared_cargo_mass_log_micro, typical)
    # Zero for an empty run, but missing if no typical load is known.
    return np.where(declared_cargo_mass_kg == 0, typical * 0, loaded)
