"""Distress calls from undeclared craft, forwarded to rescuers without any decision.

AIS and beacons identify a craft by number only. Nothing is scored and no case is opened: an
alert records who calls, from where, and who was notified. If the journey is declared later and
becomes a rescue, that rescue continues the alert and refers to it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from features.messages.ais import number_in
from features.records import Journey, Mode, Position
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.case_state import Case
from serving.review.rescue.rescue_centres import RescueCentre, RescueCentres

# Older calls for help are loaded history, about which nobody is notified.
HEARD_WITHIN = timedelta(days=7)

# A call this soon after the one before is the same emergency, even if that was acknowledged.
SAME_EMERGENCY_WITHIN = timedelta(hours=6)


@dataclass(frozen=True)
class DistressAlert:
    """One emergency of a ship or beacon: its newest call and the state of the alert.

    `last` is None if its record was erased. `journey` was received, but has no decision. `case_id`
    is the rescue that continues the alert; `earlier` holds other alerts of the ship within a week,
    oldest first. `state` holds the owner and how it ended, by the rules of cases; `acts` are the
    events behind that state.
    """

    alert_id: str
    opened_at: datetime
    last: Position | None
    journey: Journey | None = None
    acknowledged_at: datetime | None = None
    step: int = 0
    case_id: str | None = None
    earlier: tuple[str, ...] = ()
    ended_at: datetime | None = None
    state: Case | None = None
    acts: tuple[StoredEvent, ...] = ()

    @property
    def mmsi(self) -> str | None:
        """The craft's MMSI, from its journey or else its AIS record; None if unknown."""
        if self.journey is not None:
            return self.journey.mmsi
        return number_in(self.last.journey_id) if self.last else None

    @property
    def mode(self) -> Mode:
        """Return the mode of transport; "sea" if there is no journey."""
        return self.journey.mode if self.journey else "sea"

    @property
    def is_open(self) -> bool:
        """Return whether nobody has acknowledged or ended it and no rescue continues it."""
        return self.acknowledged_at is None and self.case_id is None and self.ended_at is None

    def centre(self, centres: RescueCentres | None) -> RescueCentre | None:
        """Return the coordination centre for its last position; None if none is configured."""
        return centres.centre_for(self.mode, self.last) if centres else None
