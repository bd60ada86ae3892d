"""Derive the columns of a journey: its location, distance and load."""

import numpy as np

from features.derived.scales import log_micro
from features.engine.columns import Column, Columns
from features.engine.string_table import STRING_TABLE
from features.reference.geography.distances import great_circle_km
from features.reference.geography.places import country, latitude, longitude

# Modes of transport by vessel.
BY_WATER = ("sea", "inland_waterway")


def derive_journey(journey: Columns) -> Columns:
    """Return the columns that follow from a journey's own record."""
    origin, destination = journey["origin"], journey["destination"]
    distance_km = np.rint(direct_km(origin, destination) * 1000) / 1000
    distance_log_milli = np.rint(log_micro(distance_km) / 1000)
    return {
        "subject_id": journey["journey_id"],
        "known_at": journey["declared_at"],
        "direct_distance_km": distance_km,
        "origin_country": STRING_TABLE.map_texts(origin, country),
        "destination_country": STRING_TABLE.map_texts(destination, country),
        "hire_return_country": STRING_TABLE.map_texts(journey["hire_return_location"], country),
        "declared_cargo_mass_g": np.rint(journey["declared_cargo_mass_kg"] * 1000),
        "declared_cargo_mass_log_micro": log_micro(journey["declared_cargo_mass_kg"]),
        "distance_log_milli": distance_log_milli,
        "squared_distance_log_milli": distance_log_milli**2,
    }


def direct_km(origins: Column, destinations: Column) -> Column:
    """Return the great-circle distance in km between places, by code; NaN if one is unknown."""
    ends = [
        STRING_TABLE.map_numbers(place, angle)
        for place in (origins, destinations)
        for angle in (latitude, longitude)
    ]
    return great_circle_km(*ends)
