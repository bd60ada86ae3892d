"""Tracking: where the conveyance was heard, and where it was not."""

from features.definition import ROUTE_ONLY, Peers, Unit, feature
from features.engine.columns import Column
from features.engine.expressions.arithmetic import ratio
from features.engine.windows.window import count, largest, total
from features.publications import US_MARITIME_2020, WINDWARD


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.HOURS,
    when_missing="no position was heard twice",
    indicator="J11",
    source=US_MARITIME_2020,
    sentence="it was not heard for {value} hours",
    among=Peers.CORRIDOR,
)
def longest_silence_hours(
    minutes: Column = largest("positions", "gap_minutes", by="subject_id"),
) -> Column:
    """Longest time between two positions that were heard.

    A long silence is suspicious where others are heard: a transponder may have been switched off.
    """
    return minutes / 60


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.KNOTS,
    when_missing="no position was heard twice",
    indicator="J13",
    source=US_MARITIME_2020,
    sentence="between two positions it would have moved at {value} knots",
    among=Peers.CORRIDOR,
)
def implied_speed_kn(
    m_per_h: Column = largest("positions", "implied_m_per_h", by="subject_id"),
) -> Column:
    """Fastest movement that two positions heard one after the other imply.

    A speed that the conveyance cannot reach is suspicious: a position was forged.
    """
    return m_per_h / 1852


@feature(
    subjects=ROUTE_ONLY,
    unit=Unit.SHARE,
    when_missing="no position was heard",
    indicator="J16",
    source=WINDWARD,
    sentence="it hardly moved at {value} of the positions heard",
    among=Peers.CORRIDOR,
)
def slow_position_ratio(
    slow: Column = total("positions", "is_slow", by="subject_id"),
    positions: Column = count("positions", by="subject_id"),
) -> Column:
    """Share of the positions at which the conveyance moved slower than two knots.

    A high share outside ports is suspicious: it waited for someone.
    """
    return ratio(slow, positions)
