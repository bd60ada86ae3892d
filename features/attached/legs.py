"""The legs of a route, each after the one before."""

import numpy as np

from features.attached.beside import beside_their_subject, flag, previous
from features.columns import HOUR_US, NO_INSTANT, Column, Columns, hours_between, is_missing, rows
from features.subjects import direct_km
from features.vocabulary import NO_TEXT


def attached_legs(subjects: Columns, legs: Columns) -> Columns:
    """One row per leg that was known before its journey's instant, in the order of the way.

    The leg before is the one before among those known by then, so that a leg reported later
    changes nothing.
    """
    events, subject = beside_their_subject(
        legs, legs["journey_id"], legs["known_at"], subjects, ("mode",)
    )
    order = np.lexsort((events["sequence"], events["journey_id"]))
    events, subject = rows(events, order), rows(subject, order)
    mode = np.where(is_missing(events["mode"]), subject["mode"], events["mode"])
    distance_m = np.rint(direct_km(events["origin"], events["destination"]) * 1000)
    hours = hours_between(events["departed_at"], events["arrived_at"])
    return events | {
        "record_id": events["sequence"],
        "distance_m": distance_m,
        "speed_m_per_h": np.where(hours > 0, np.rint(distance_m / _positive(hours)), np.nan),
        "dwell_minutes": _dwell_minutes(events),
        "is_unconnected": _is_unconnected(events),
        "is_night_arrival": _is_at_night(events["arrived_at"]),
        "is_mode_switch": flag(mode != subject["mode"]),
    }


def _dwell_minutes(events: Columns) -> Column:
    arrived_at = previous(events["arrived_at"], events["journey_id"], NO_INSTANT)
    return np.rint(np.maximum(hours_between(arrived_at, events["departed_at"]), 0) * 60)


def _is_unconnected(events: Columns) -> Column:
    """Whether a leg starts elsewhere than the leg before ended."""
    ended = previous(events["destination"], events["journey_id"], NO_TEXT)
    return flag((ended != events["origin"]) & ~is_missing(ended))


def _is_at_night(instants: Column) -> Column:
    """Whether an instant lies between 22 and 5 o'clock UTC."""
    hour = np.mod(instants, 24 * HOUR_US) // HOUR_US
    return np.where(instants == NO_INSTANT, np.nan, (hour >= 22) | (hour < 5))


def _positive(numbers: Column) -> Column:
    return np.where(numbers > 0, numbers, 1)
