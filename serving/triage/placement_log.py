"""Placements of decisions, as every worker reads them from the decision log."""

from dataclasses import dataclass


@dataclass(frozen=True)
class LoggedPlacement:
    """The lane and instant of one decision; `seq` is its position in the log.

    `lane_before` is the previous lane of a subject that was scored again; None the first time.
    `subject_id` is the subject's token; rows of older releases hold the id. `probability` is None
    if no model was used; `ranked_by` is None if lanes ranked by the probability alone.
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
    """The number of subjects of one kind in a lane, and their share of that kind."""

    subject_kind: str
    lane: str
    subjects: int
    share: float
