"""Conveyance: what carries the journey, who runs it, and what they did before."""

import numpy as np

from features.definition import ROUTE_ONLY, Peers, Unit, feature
from features.engine.columns import Column, hours_between, is_missing
from features.engine.expressions.arithmetic import ratio, ratio_of_logs
from features.engine.windows.window import mean
from features.publications import (
    FINTRAC_2016,
    IMO_CIRC_896,
    PRACTICE,
    SEA_CONTAINERS_2002,
    UNODC_2018,
    US_MARITIME_2020,
    WINDWARD,
)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.CATEGORY,
    when_missing="never",
    indicator="J23",
    source=IMO_CIRC_896,
    sentence="it travels with a {value}",
    among=Peers.CORRIDOR,
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
    source=UNODC_2018,
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
    source=IMO_CIRC_896,
    sentence="it is certified for {value} people",
    sentence_of_one="it is certified for one person",
    among=Peers.CORRIDOR,
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
    source=SEA_CONTAINERS_2002,
    sentence="it declares {value} kg of cargo",
    among=Peers.CORRIDOR,
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
    source=WINDWARD,
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
    source=US_MARITIME_2020,
    sentence="the conveyance is registered at neither end of its way: {value}",
    among=Peers.CORRIDOR,
)
def is_registered_elsewhere(
    registration_country: Column, origin_country: Column, destination_country: Column
) -> Column:
    """Whether the conveyance is registered at neither end of its way.

    If so, it is mildly suspicious by road; at sea it is usual.
    """
    elsewhere = (registration_country != origin_country) & (
        registration_country != destination_country
    )
    is_unplaced = is_missing(origin_country) | is_missing(destination_country)
    return np.where(is_missing(registration_country) | is_unplaced, np.nan, elsewhere)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.YES_NO,
    when_missing="the conveyance is not known to be hired",
    indicator="J25",
    source=FINTRAC_2016,
    sentence="the conveyance is hired one way: {value}",
)
def is_one_way_hire(hire_return_location: Column, origin: Column) -> Column:
    """Whether a hired conveyance is to be returned elsewhere than it set out.

    A one-way hire is suspicious: nobody who comes back needs one.
    """
    return np.where(is_missing(hire_return_location), np.nan, hire_return_location != origin)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.HOURS,
    when_missing="the conveyance is not known to be hired",
    indicator="J26",
    source=PRACTICE,
    sentence="it was hired {value} hours before it was declared",
)
def hired_before_hours(hire_started_at: Column, declared_at: Column) -> Column:
    """Hours from the start of the hire to the declaration.

    A very short notice is suspicious.
    """
    return hours_between(hire_started_at, declared_at)


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.RATIO,
    when_missing="no mass was declared, or nothing of this kind travelled in a year",
    indicator="J27",
    source=WINDWARD,
    sentence="it carries {value} times what conveyances of its kind typically do",
)
def cargo_mass_to_kind_ratio_365d(
    declared_cargo_mass_log_micro: Column,
    typical: Column = mean(
        "journeys", "declared_cargo_mass_log_micro", by="conveyance_kind", days=365
    ),
) -> Column:
    """Declared mass over the year's geometric mean of conveyances of the same kind.

    Far under 1 is suspicious: a run that does not pay for itself.
    """
    return ratio_of_logs(declared_cargo_mass_log_micro, typical)
