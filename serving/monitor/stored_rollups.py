"""Rows that monitoring stores: visits, and pairs of scores."""

from dataclasses import dataclass

# A kind of subject and a day (ISO date).
DayKey = tuple[str, str]


@dataclass(frozen=True)
class Visit:
    """A decision that sent someone to inspect, with its groups.

    `subject_id` is stored and read as the subject's token. `undrawn_lane` is the lane it would have
    had without the control draw.
    """

    seq: int
    decision_id: str
    subject_kind: str
    subject_id: str
    scored_at: str
    stratum: str
    lane: str
    probability: float
    office: str
    model: str
    mode: str
    region: str
    operator: str
    undrawn_lane: str


@dataclass(frozen=True)
class ScorePair:
    """The scores of champion and challenger for one decision's vector, and the decision's lane."""

    decision_id: str
    version: str
    lane: str
    champion: float
    challenger: float
