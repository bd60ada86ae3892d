"""The index entry of a ship's journey, by which the journey is found from its ship."""

from dataclasses import dataclass
from datetime import datetime
from typing import Self

from features.messages.ais import journey_of_ship
from features.records import Journey
from features.submission import Submission


@dataclass(frozen=True)
class ShipJourney:
    """A version of a journey with its period under way .

    `mmsi` is empty for a later version without a ship: it replaces one that had a ship.
    """

    mmsi: str
    journey_id: str
    version: int
    declared_at: datetime
    begins_at: datetime
    due_at: datetime
    is_withdrawn: bool

    @classmethod
    def of_submission(cls, submission: Submission) -> Self | None:
        """Return the entry of a route, or of a shipment's journey; None without a ship."""
        return None if submission.journey is None else cls.of_journey(submission.journey)

    @classmethod
    def of_journey(cls, journey: Journey) -> Self | None:
        """Return the entry of a journey; None if it never named a ship."""
        # A later version without a ship must still replace one that had a ship.
        if journey.mmsi is None and journey.version == 1:
            return None
        return cls(
            mmsi=journey.mmsi or "",
            journey_id=journey.journey_id,
            version=journey.version,
            declared_at=journey.declared_at,
            begins_at=journey.departed_at or journey.declared_at,
            due_at=journey.due_at,
            is_withdrawn=journey.withdrawn,
        )


def names_of_calls(journey: Journey) -> tuple[str, ...]:
    """Return the journeys under which a ship may have called before this one was declared."""
    of_ship = (journey_of_ship(journey.mmsi),) if journey.mmsi else ()
    return journey.journey_id, *of_ship
