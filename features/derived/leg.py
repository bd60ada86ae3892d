"""The columns of a leg of a route, after the leg before."""

import numpy as np

from features.derived.beside_subject import flag
from features.derived.journey import direct_km
from features.engine.columns import (
    HOUR_US,
    NO_INSTANT,
    Column,
    Columns,
    hours_between,
    is_missing,
)
from features.records import SubjectKind


def derive_leg(kind: SubjectKind, leg: Columns, route: Columns) -> Columns:
    """The columns of a leg relative to its route.

    The leg before is the one before among those known by then, so that a leg reported later changes
    nothing.
    """
    mode = np.where(is_missing(leg["mode"]), route["mode"], leg["mode"])
    distance_m = np.rint(direct_km(leg["origin"], leg["destination"]) * 1000)
    hours = hours_between(leg["departed_at"], leg["arrived_at"])
    dwell_hours = hours_between(leg["previous_arrived_at"], leg["departed_at"])
    return {
        "subject_id": leg["journey_id"],
        "known_at": leg["known_at"],
        "record_id": leg["sequence"],
        "distance_m": distance_m,
        "speed_m_per_h": np.where(hours > 0, np.rint(distance_m / _positive(hours)), np.nan),
        "dwell_minutes": np.rint(np.maximum(dwell_hours, 0) * 60),
        "is_unconnected": _is_unconnected(leg["previous_destination"], leg["origin"]),
        "is_night_arrival": _is_at_night(leg["arrived_at"]),
        "is_mode_switch": flag(mode != route["mode"]),
    }


def _is_unconnected(ended: Column, origin: Column) -> Column:
    """Whether a leg starts elsewhere than the leg before ended."""
    return flag((ended != origin) & ~is_missing(ended))


def _is_at_night(instants: Column) -> Column:
    """Whether an instant lies between 22 and 5 o'clock UTC."""
    hour = np.mod(instants, 24 * HOUR_US) // HOUR_US
    return np.where(instants == NO_INSTANT, np.nan, (hour >= 22) | (hour < 5))


def _positive(numbers: Column) -> Column:
    return np.where(numbers > 0, numbers, 1)
