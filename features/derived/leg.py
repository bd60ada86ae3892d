"""Derive the columns of a leg of a route, relative to the preceding leg."""

import numpy as np

from features.derived.beside_subject import flag
from features.derived.journey import BY_WATER, direct_km
from features.engine.columns import DAY_US, HOUR_US, Column, Columns, hours_between, is_missing
from features.engine.string_table import STRING_TABLE
from features.records import Mode, SubjectKind
from features.reference.geography.places import longitude

# Speeds in km/h that a mode hardly exceeds over a whole leg, port to port or stop to stop.
FASTEST_KMH: dict[Mode, float] = {
    "sea": 75.0,
    "inland_waterway": 45.0,
    "road": 110.0,
    "rail": 250.0,
    "air": 1_050.0,
}


def derive_leg(kind: SubjectKind, leg: Columns, route: Columns) -> Columns:
    """Return the columns of a leg relative to its route.

    The preceding leg is the previous one known at that time, so that a leg reported later changes
    nothing. If a leg between them is missing by number, neither the stop nor the connection is
    known. Night is determined by the sun at the end of the leg, or at its start if the end is
    unknown; an announced arrival does not count yet.
    """
    mode = np.where(is_missing(leg["mode"]), route["mode"], leg["mode"])
    distance_m = np.rint(direct_km(leg["origin"], leg["destination"]) * 1000)
    hours = hours_between(leg["departed_at"], leg["arrived_at"])
    m_per_h = np.where(hours > 0, np.rint(distance_m / np.where(hours > 0, hours, 1)), np.nan)
    dwell_hours = hours_between(leg["previous_arrived_at"], leg["departed_at"])
    is_first = is_missing(leg["previous_destination"])
    is_after_gap = ~is_first & (leg["sequence"] > leg["previous_sequence"] + 1)
    starts_elsewhere = ~is_first & (leg["previous_destination"] != leg["origin"])
    has_arrived = ~is_missing(leg["arrived_at"]) & (leg["arrived_at"] <= leg["known_at"])
    is_arrival = leg["destination"] == route["destination"]
    return {
        "subject_id": leg["journey_id"],
        "known_at": leg["known_at"],
        "record_id": leg["sequence"],
        "distance_m": distance_m,
        "is_measured": flag(~is_missing(distance_m)),
        "speed_to_fastest_ppm": np.rint(1000 * m_per_h / _fastest_kmh(mode)),
        "dwell_minutes": np.where(
            starts_elsewhere | is_after_gap, np.nan, np.rint(np.maximum(dwell_hours, 0) * 60)
        ),
        "is_unconnected": flag(starts_elsewhere & ~is_after_gap),
        "is_after_gap": flag(is_after_gap),
        "is_start": flag(is_first & (leg["origin"] == route["origin"])),
        "is_arrival": flag(is_arrival),
        "is_arrived": flag(is_arrival & has_arrived),
        "is_night_landing": np.where(
            has_arrived & np.isin(mode, BY_WATER), _is_at_night(leg), np.nan
        ),
        "is_mode_switch": flag(mode != route["mode"]),
    }


def _fastest_kmh(mode: Column) -> Column:
    """Return the speed in km/h that the mode of transport hardly exceeds."""
    kmh = np.full_like(mode, np.nan, dtype=np.float64)
    for name, fastest in FASTEST_KMH.items():
        kmh = np.where(mode == name, fastest, kmh)
    return kmh


def _is_at_night(leg: Columns) -> Column:
    """Return whether a leg ended between 22:00 and 05:00 solar time (15 degrees per hour)."""
    ends, begins = (
        STRING_TABLE.map_numbers(leg[name], longitude) for name in ("destination", "origin")
    )
    degrees = np.where(np.isnan(ends), begins, ends)
    hour = np.mod(np.mod(leg["arrived_at"], DAY_US) / HOUR_US + degrees / 15, 24)
    is_night = (hour >= 22) | (hour < 5)
    return np.where(np.isnan(degrees), np.nan, is_night)
