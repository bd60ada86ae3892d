"""Calls for help of whom nobody declared: told to rescuers as they are, without any decision.

AIS and beacons name a number alone. Nothing is scored and no case is opened: an alert says who
calls, from where, and who was told. When the journey is declared and becomes a rescue, that goes on
with it, and says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from features.messages.ais import number_in
from features.records import Journey, Mode, Position
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.case_state import Case
from serving.review.rescue.rescue_centres import RescueCentre, RescueCentres

# So old a call for help may be when it comes to be told: not history that is loaded.
HEARD_WITHIN = timedelta(days=7)

# So soon after the one before a call is of the same emergency, though somebody acts.
SAME_EMERGENCY_WITHIN = timedelta(hours=6)


@dataclass(frozen=True)
class DistressAlert:
    """One emergency of a ship or beacon: its newest call, and what became of the alert.

    `last` is None where its record was erased. `journey` is one that was received and that nobody
    decided about. `case_id` is the rescue that goes on with it, `earlier` other alerts of the ship
    within a week, the oldest first. `state` says who has it and how it ended, by the rules of
    cases; `acts` are the events of that.
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
        """The number that it is called by over radio."""
        if self.journey is not None:
            return self.journey.mmsi
        return number_in(self.last.journey_id) if self.last else None

    @property
    def mode(self) -> Mode:
        """Return how it moves: by sea, where nobody says otherwise."""
        return self.journey.mode if self.journey else "sea"

    @property
    def is_open(self) -> bool:
        """Return whether nobody acts on it yet, nor any rescue goes on with it."""
        return self.acknowledged_at is None and self.case_id is None and self.ended_at is None

    def centre(self, centres: RescueCentres | None) -> RescueCentre | None:
        """The coordination centre that answers for where it calls from; None where none was set."""
        return centres.centre_for(self.mode, self.last) if centres else None
