"""Where decisions put their subjects, as the decision log tells it to every worker."""

from dataclasses import dataclass


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
