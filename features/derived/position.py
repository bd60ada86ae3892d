"""The columns of a position of a route's conveyance: its speed and the silence before it."""

import numpy as np

from features.derived.beside_subject import flag
from features.engine.columns import Columns, hours_between
from features.records import SubjectKind
from features.reference.geography.distances import great_circle_km

# Slower than this a vessel drifts or waits; a vehicle stands.
SLOW_KN = 2


def derive_position(
    kind: SubjectKind,
    position: Columns,
    route: Columns,
) -> Columns:
    """The columns of a position, after the position before."""
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
