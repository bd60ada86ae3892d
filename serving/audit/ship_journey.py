"""Which ship a declared journey is of: what is noted beside it, so that it is found by its ship."""

from dataclasses import dataclass
from typing import Self

from features.messages.ais import journey_of_ship
from features.records import Journey
from features.submission import Submission


@dataclass(frozen=True)
class ShipJourney:
    """A version of a journey with when it is under way (instants are ISO, UTC).

    `mmsi` is empty of a later version that names no ship: it takes the place of one that did.
    """

    mmsi: str
    journey_id: str
    version: int
    declared_at: str
    begins_at: str
    due_at: str
    is_withdrawn: bool

    @classmethod
    def of_submission(cls, submission: Submission) -> Self | None:
        """That of a route, or of the journey of a shipment; None where it never named a ship."""
        return None if submission.journey is None else cls.of_journey(submission.journey)

    @classmethod
    def of_journey(cls, journey: Journey) -> Self | None:
        """That of a journey; None of one that never named a ship."""
        if journey.mmsi is None and journey.version == 1:
            return None
        return cls(
            mmsi=journey.mmsi or "",
            journey_id=journey.journey_id,
            version=journey.version,
            declared_at=journey.declared_at.isoformat(),
            begins_at=(journey.departed_at or journey.declared_at).isoformat(),
            due_at=journey.due_at.isoformat(),
            is_withdrawn=journey.withdrawn,
        )


def names_of_calls(journey: Journey) -> tuple[str, ...]:
    """The journeys under which a ship may have called before this one was declared of it."""
    of_ship = (journey_of_ship(journey.mmsi),) if journey.mmsi else ()
    return journey.journey_id, *of_ship
