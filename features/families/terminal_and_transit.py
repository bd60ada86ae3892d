"""Terminal and transit: how long goods stay where they land, and whether a transit ends in time."""

import numpy as np

from features.definition import (
    BOTH,
    MonotoneConstraint,
    Peers,
    SuspiciousSide,
    Unit,
    feature,
    shipment_feature,
)
from features.engine.columns import Column, is_missing
from features.engine.windows.window_declaration import hours_since_latest, largest, latest, smallest
from features.publications import EUROPOL_2023, SEA_CONTAINERS_2002, UCC_TRANSIT

MINUTES_A_DAY = 24 * 60


@shipment_feature(
    unit=Unit.DAYS,
    when_missing="it is not known to have been discharged and to have left the terminal after that",
    indicator="J08",
    source=SEA_CONTAINERS_2002,
    warns=SuspiciousSide.HIGH,
    shows_from=5,
    sentence="it stayed at the terminal for {value}",
    among=Peers.CORRIDOR,
)
def terminal_dwell_days(
    discharged: Column = smallest(
        "events", "minutes_after_declaration", by="subject_id", where="is_discharged"
    ),
    out: Column = smallest(
        "events", "minutes_after_declaration", by="subject_id", where="is_gate_out"
    ),
) -> Column:
    """Time from discharge at the destination until it first passed out of the gate.

    More than others take is suspicious: what was hidden in it waits for those who fetch it.
    """
    # A gate-out before the discharge is the subject of the next feature.
    return np.where(out < discharged, np.nan, out - discharged) / MINUTES_A_DAY


@shipment_feature(
    unit=Unit.HOURS,
    when_missing="it is not known both to have arrived and to have left the terminal",
    indicator="D20",
    source=EUROPOL_2023,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="it passed out of the gate {value} before it arrived",
    sentence_of_none="it passed out of the gate after it arrived",
)
def gate_out_before_arrival_hours(
    landed: Column = smallest(
        "events", "minutes_after_declaration", by="subject_id", where="is_landed"
    ),
    out: Column = smallest(
        "events", "minutes_after_declaration", by="subject_id", where="is_gate_out"
    ),
) -> Column:
    """How long before it arrived or was discharged at the destination it passed out of the gate;
    0 where it did so after that.

    More is suspicious: another container left under its number, or one of the reports is false.
    """
    return np.maximum(landed - out, 0) / 60


@feature(
    subjects=BOTH,
    unit=Unit.DAYS,
    when_missing="no transit with a time limit was opened",
    indicator="D46",
    source=UCC_TRANSIT,
    direction=MonotoneConstraint.HIGHER_IS_RISKIER,
    sentence="its transit ran {value} over its time limit",
    sentence_of_none="its transit kept to its time limit",
)
def transit_overdue_days(
    hours_open: Column = hours_since_latest("events", by="subject_id", where="is_transit_opened"),
    time_left: Column = latest(
        "events", "limit_minutes_after_known", by="subject_id", where="is_transit_opened"
    ),
    opened: Column = latest(
        "events", "minutes_after_declaration", by="subject_id", where="is_transit_opened"
    ),
    limit: Column = latest(
        "events", "limit_minutes_after_declaration", by="subject_id", where="is_transit_opened"
    ),
    discharged: Column = largest(
        "events", "minutes_after_declaration", by="subject_id", where="is_transit_discharged"
    ),
) -> Column:
    """Time from the limit of its last transit until that was discharged, or until now where it was
    not; 0 within the limit.

    More is suspicious: goods that never reach the office of destination were diverted.
    """
    # A discharge before the last opening belongs to an earlier transit.
    is_open = is_missing(discharged) | (discharged < opened)
    minutes = np.where(is_open, hours_open * 60 - time_left, discharged - limit)
    return np.maximum(minutes, 0) / MINUTES_A_DAY
