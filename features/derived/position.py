"""Derive the columns of a position: the speed, and the silence before it."""

import numpy as np

from features.derived.beside_subject import flag
from features.derived.drifting import SLOW_KN
from features.derived.journey import BY_WATER
from features.engine.columns import Column, Columns, hours_between, is_missing
from features.records import SubjectKind
from features.reference.geography.distances import great_circle_km

# Within 10 km of a port a vessel is in it; within 30 nautical miles it is off a coast. There is no
# table of coasts away from ports.
IN_PORT_KM = 10.0
OFF_COAST_KM = 55.56

# A drifting vessel moves no farther than this between two positions.
DRIFT_M = 10_000

# Fixes of an unmoving vessel differ by tens of metres. Shorter intervals are raised to this, which
# prevents absurd speeds.
MIN_HOURS_OF_MOVEMENT = 5 / 60


def derive_position(
    kind: SubjectKind,
    position: Columns,
    route: Columns,
) -> Columns:
    """Return the columns of a position, relative to the preceding one.

    Slow applies to travel by water outside ports only, as drivers must rest. An unknown speed is
    missing. A coastal gap begins off a coast, outside ports. Drift cells count until the
    declaration, since those of other craft are known only until then.
    """
    gap_hours = hours_between(position["previous_observed_at"], position["observed_at"])
    moved_km = great_circle_km(
        position["previous_latitude"],
        position["previous_longitude"],
        position["latitude"],
        position["longitude"],
    )
    is_gap = gap_hours > 0
    m_per_h = np.rint(moved_km * 1000) / np.maximum(gap_hours, MIN_HOURS_OF_MOVEMENT)
    gap_minutes, port_km = np.rint(gap_hours * 60), position["port_km"]
    cell, cell_before = position["drift_cell"], position["previous_drift_cell"]
    is_adrift = ~is_missing(cell) & ~is_missing(cell_before) & (moved_km * 1000 < DRIFT_M)
    is_by_water = np.isin(route["mode"], BY_WATER)
    is_slow = np.where(is_missing(position["speed_kn"]), np.nan, position["speed_kn"] < SLOW_KN)
    return {
        "subject_id": position["journey_id"],
        "known_at": position["observed_at"],
        "record_id": position["observed_at"],
        "gap_minutes": gap_minutes,
        "implied_m_per_h": np.where(is_gap, np.rint(m_per_h), np.nan),
        "is_slow": np.where(is_by_water & ~(port_km < IN_PORT_KM), is_slow, np.nan),
        "coastal_gap_minutes": np.where(
            is_by_water & _is_off_coast(position["previous_port_km"]), gap_minutes, np.nan
        ),
        "is_off_coast": flag(is_by_water & _is_off_coast(port_km)),
        "drift_cell": np.where(position["observed_at"] < route["declared_at"], cell, np.nan),
        "drift_minutes": np.where(is_by_water & is_adrift, gap_minutes, np.nan),
    }


def _is_off_coast(port_km: Column) -> Column:
    """Return whether a point is off a coast and not in a port."""
    return (port_km >= IN_PORT_KM) & (port_km < OFF_COAST_KM)
