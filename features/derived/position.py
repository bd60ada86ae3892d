"""Where a route's conveyance was heard, and the silences between."""

from functools import cache

import numpy as np

from features.derived.linked_record import flag, known_before, previous, run_beside, seen_beside
from features.engine.columns import NO_INSTANT, Columns, hours_between, kinds_of, rows
from features.engine.expressions.program import Program
from features.records import Position
from features.reference.geography.distances import great_circle_km

# Slower than this a vessel drifts or waits; a vehicle stands.
SLOW_KN = 2

# What a position reads of the one before, as `previous_...`, and what stands there for the first.
OF_THE_POSITION_BEFORE = {"observed_at": NO_INSTANT, "latitude": np.nan, "longitude": np.nan}


def attached_positions(subjects: Columns, positions: Columns) -> Columns:
    """One row per position heard before the route's instant, in the order of hearing."""
    heard = known_before(positions, positions["journey_id"], positions["observed_at"], subjects)
    events = rows(heard, np.lexsort((heard["observed_at"], heard["journey_id"])))
    journeys = events["journey_id"]
    before = {
        f"previous_{name}": previous(events[name], journeys, missing)
        for name, missing in OF_THE_POSITION_BEFORE.items()
    }
    return run_beside(position_program(), events | before, journeys, subjects)


@cache
def position_program() -> Program:
    """What a position shows."""
    kinds = kinds_of(Position)
    before = {f"previous_{name}": kinds[name] for name in OF_THE_POSITION_BEFORE}
    return seen_beside("positions", "route", kinds | before, _seen)


def _seen(position: Columns, route: Columns) -> Columns:
    gap_hours = hours_between(position["previous_observed_at"], position["observed_at"])
    moved_km = great_circle_km(
        position["previous_latitude"],
        position["previous_longitude"],
        position["latitude"],
        position["longitude"],
    )
    is_gap = gap_hours > 0
    m_per_h = np.rint(moved_km * 1000) / np.where(is_gap, gap_hours, 1)
    return {
        "subject_id": position["journey_id"],
        "known_at": position["observed_at"],
        "record_id": position["observed_at"],
        "gap_minutes": np.rint(gap_hours * 60),
        "implied_m_per_h": np.where(is_gap, np.rint(m_per_h), np.nan),
        "is_slow": flag(position["speed_kn"] < SLOW_KN),
    }
