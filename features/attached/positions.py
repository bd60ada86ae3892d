"""Where a route's conveyance was heard, and the silences between."""

import numpy as np

from features.attached.beside import beside_their_subject, flag, previous
from features.columns import NO_INSTANT, Column, Columns, hours_between, rows
from features.geography.distances import great_circle_km

# Slower than this a vessel drifts or waits; a vehicle stands.
SLOW_KN = 2


def attached_positions(subjects: Columns, positions: Columns) -> Columns:
    """One row per position heard before the route's instant, in the order of hearing."""
    events, _ = beside_their_subject(
        positions, positions["journey_id"], positions["observed_at"], subjects
    )
    order = np.lexsort((events["observed_at"], events["journey_id"]))
    events = rows(events, order)
    journeys = events["journey_id"]
    heard_at = previous(events["observed_at"], journeys, NO_INSTANT)
    gap_hours = hours_between(heard_at, events["observed_at"])
    moved_m = np.rint(1000 * _moved_km(events))
    is_gap = gap_hours > 0
    return events | {
        "record_id": events["observed_at"],
        "gap_minutes": np.rint(gap_hours * 60),
        "implied_m_per_h": np.where(
            is_gap, np.rint(moved_m / np.where(is_gap, gap_hours, 1)), np.nan
        ),
        "is_slow": flag(events["speed_kn"] < SLOW_KN),
    }


def _moved_km(events: Columns) -> Column:
    journeys = events["journey_id"]
    latitude, longitude = events["latitude"], events["longitude"]
    return great_circle_km(
        previous(latitude, journeys, np.nan),
        previous(longitude, journeys, np.nan),
        latitude,
        longitude,
    )
