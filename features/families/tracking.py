"""Tracking: where the conveyance was heard, and where it was not."""

import numpy as np

from features.definition import (
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    route_feature,
)
from features.derived.journey import BY_WATER
from features.engine.columns import Column, is_missing
from features.engine.windows.window_declaration import (
    distinct,
    hours_since_latest,
    largest,
    latest,
    mean,
)
from features.publications import US_MARITIME_2020, WINDWARD

MIN_DRIFT_MINUTES = 30
# More vessels in one square and hour are a fleet, or at an anchorage missing from the tables.
MAX_AT_A_MEETING = 3


def silent_on_the_way(silent: Column, arrived: Column, reported: Column) -> Column:
    """Return the hours from the last position until now, or until an arrival.

    `arrived` (from legs) and `reported` (from events) are hours ago; the earlier arrival counts.
    """
    # The larger number of hours ago is the earlier arrival.
    arrived = np.fmax(arrived, reported)
    return np.where(is_missing(arrived), silent, np.maximum(silent - arrived, 0))


@route_feature(
    unit=Unit.HOURS,
    when_missing="no position was heard",
    indicator="J11",
    source=US_MARITIME_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    shows_from=6,
    sentence="it was not heard for {value}",
    among=Peers.CORRIDOR,
)
def longest_silence_hours(
    minutes: Column = largest("positions", "gap_minutes", by="subject_id"),
    silent: Column = hours_since_latest("positions", by="subject_id"),
    arrived: Column = hours_since_latest("legs", by="subject_id", where="is_arrived"),
    reported: Column = hours_since_latest("events", by="subject_id", where="is_arrived"),
) -> Column:
    """Longest time without a position, between two or from the last one until now, or until it was
    known to have arrived.

    More than others have is suspicious: a transponder may have been switched off.
    """
    return np.fmax(minutes / 60, silent_on_the_way(silent, arrived, reported))


@route_feature(
    unit=Unit.HOURS,
    when_missing="no position was heard",
    indicator="J11",
    source=US_MARITIME_2020,
    warns=SuspiciousSide.HIGH,
    shows_from=6,
    sentence="it has not been heard on its way for {value}",
    among=Peers.CORRIDOR,
)
def hours_since_last_heard(
    silent: Column = hours_since_latest("positions", by="subject_id"),
    arrived: Column = hours_since_latest("legs", by="subject_id", where="is_arrived"),
    reported: Column = hours_since_latest("events", by="subject_id", where="is_arrived"),
) -> Column:
    """Time from the last position that was heard until now, or until it was known to have arrived.

    A long silence that goes on is suspicious where others are heard all the way.
    """
    return silent_on_the_way(silent, arrived, reported)


@route_feature(
    unit=Unit.HOURS,
    when_missing="it was not heard within 30 nautical miles of a port and outside of it",
    indicator="J12",
    source=US_MARITIME_2020,
    warns=SuspiciousSide.HIGH,
    shows_from=3,
    sentence="it fell silent within 30 nautical miles of a port for {value}",
    among=Peers.CORRIDOR,
)
def coastal_silence_hours(
    minutes: Column = largest("positions", "coastal_gap_minutes", by="subject_id"),
    is_off_coast: Column = latest("positions", "is_off_coast", by="subject_id"),
    silent: Column = hours_since_latest("positions", by="subject_id"),
    arrived: Column = hours_since_latest("legs", by="subject_id", where="is_arrived"),
    reported: Column = hours_since_latest("events", by="subject_id", where="is_arrived"),
) -> Column:
    """Longest silence of a vessel that began off a coast: within 30 nautical miles of a port, and
    not in it. One that goes on counts until now, or until the vessel was known to have arrived.

    A long one is suspicious: a transponder may have been switched off for a landing.
    """
    going_on = np.where(is_off_coast == 1, silent_on_the_way(silent, arrived, reported), np.nan)
    return np.fmax(minutes / 60, going_on)


@route_feature(
    unit=Unit.KNOTS,
    when_missing="no position was heard twice",
    indicator="J13",
    source=US_MARITIME_2020,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="between two positions it would have moved at {value} knots",
    among=Peers.CORRIDOR,
)
def implied_speed_kn(
    m_per_h: Column = largest("positions", "implied_m_per_h", by="subject_id"),
) -> Column:
    """Fastest movement that two positions heard one after the other imply, over five minutes or
    more.

    More than the conveyance can do is suspicious: a position was forged, or jammed.
    """
    return m_per_h / 1852


@route_feature(
    mean("positions", "is_slow", by="subject_id"),
    unit=Unit.SHARE,
    when_missing="no speed was heard outside ports, or it does not travel by water",
    indicator="J16",
    source=WINDWARD,
    warns=SuspiciousSide.HIGH,
    shows_from=0.25,
    sentence="it hardly moved at {value} of its positions outside ports",
    sentence_of_none="it never moved slowly outside ports",
    among=Peers.CORRIDOR,
)
def slow_position_ratio() -> None:
    """Share of the positions of a vessel, heard with a speed and outside ports, at which it moved
    slower than two knots.

    A high share is suspicious: it waited for someone.
    """


@route_feature(
    unit=Unit.COUNT,
    when_missing="it is not known to have drifted far from ports for half an hour, or more than "
    "three others did there",
    indicator="J15",
    source=US_MARITIME_2020,
    warns=SuspiciousSide.HIGH,
    sentence="{value} other journeys hardly moved within the same three nautical miles and hour as "
    "it did, far from ports",
    sentence_of_none="no other journey hardly moved within the same three nautical miles and "
    "hour as it did",
    sentence_of_one="one other journey hardly moved within the same three nautical miles and hour "
    "as it did, far from ports",
    among=Peers.CORRIDOR,
)
def meeting_count_30d(
    mode: Column,
    drift_minutes: Column = largest("positions", "drift_minutes", by="subject_id"),
    journeys: Column = distinct(
        "drifts", "journey_id", by="latest_drift_cell", matching="drift_cell", days=30
    ),
) -> Column:
    """Other journeys that hardly moved in the square of three nautical miles and the hour in which
    a vessel last did, ten nautical miles or more from ports.

    Any is suspicious: goods or people may have changed over at sea. It has to have drifted for half
    an hour; more than three others are a fleet, or lie at an anchorage.
    """
    # The count includes the journey itself.
    others = journeys - 1
    is_known = np.isin(mode, BY_WATER) & (drift_minutes >= MIN_DRIFT_MINUTES)
    return np.where(is_known & (others >= 0) & (others <= MAX_AT_A_MEETING), others, np.nan)
