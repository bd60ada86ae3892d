"""Where decisions put their subjects, as the decision log tells it to every worker."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True)
class LoggedPlacement:
    """Where and when a decision put its subject; `seq` is its place in the log.

    `lane_before` is where the subject was before it was scored again, None the first time.
    `subject_id` is the token of the subject, in rows of an older release its id; `probability` is
    None where no model was used, and `ranked_by` where lanes ranked by the probability alone.
    """

    seq: int
    subject_kind: str
    subject_id: str
    office_id: str | None
    scored_at: str
    probability: float | None
    lane: str
    lane_before: str | None = None
    ranked_by: float | None = None


@dataclass(frozen=True)
class LaneCount:
    """How many subjects of one kind came into a lane, and which share of all of that kind."""

    subject_kind: str
    lane: str
    subjects: int
    share: float


class PlacementLog(Protocol):
    """The placements in the decision log. Every method raises LogUnavailable where it fails."""

    def subject_token(self, kind: str, subject_id: str) -> str:
        """The token by which placements name a subject."""
        ...

    def first_drawn(self, kind: str, subject_id: str) -> str | None:
        """The fingerprint of the seed of a subject's first decision, empty where it names none.

        None where there is no decision about it.
        """
        ...

    def size(self) -> int:
        """How many decisions there are."""
        ...

    def since(self, instant: datetime) -> list[LoggedPlacement]:
        """The placements of the newest decisions since an instant, oldest first."""
        ...

    def after(self, seq: int) -> list[LoggedPlacement]:
        """The placements of the decisions after a place in the log, in order."""
        ...
