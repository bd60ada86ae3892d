"""The derived columns of a journey: where it lies, how far it goes, how much it carries."""

import numpy as np

from features.derived.scales import log_micro
from features.engine.columns import Column, Columns
from features.engine.string_table import STRING_TABLE
from features.reference.geography.distances import great_circle_km
from features.reference.geography.places import country, latitude, longitude


def derive_journey(journey: Columns) -> Columns:
    """The columns that a journey's own record implies."""
    origin, destination = journey["origin"], journey["destination"]
    return {
        "subject_id": journey["journey_id"],
        "known_at": journey["declared_at"],
        "direct_distance_km": np.rint(direct_km(origin, destination) * 1000) / 1000,
        "origin_country": STRING_TABLE.map_texts(origin, country),
        "destination_country": STRING_TABLE.map_texts(destination, country),
        "declared_cargo_mass_g": np.rint(journey["declared_cargo_mass_kg"] * 1000),
        "declared_cargo_mass_log_micro": log_micro(journey["declared_cargo_mass_kg"]),
    }


def direct_km(origins: Column, destinations: Column) -> Column:
    """Great-circle distance between places by their codes; NaN where one is unknown."""
    ends = [
        STRING_TABLE.map_numbers(place, angle)
        for place in (origins, destinations)
        for angle in (latitude, longitude)
    ]
    return great_circle_km(*ends)
