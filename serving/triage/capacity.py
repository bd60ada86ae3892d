"""What an office can look at: shares of its arrivals, paced over the day by its capacity."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

from serving.settings import Settings
from serving.triage.cutoffs import Cutoff
from serving.triage.lane_rule import LaneCutoffs

# How much wider than on an even day a lane may open to use what the day has left; without a bound
# the last arrivals of a quiet day would all be taken, whatever their score.
MOST_CATCHING_UP = 3.0
# How much of a day what the office usually sees weighs against what today brought so far.
PRIOR_DAYS = 0.25

# However much is explored, control cases take no more of the subjects than this.
MOST_EXPLORED = 0.2


@dataclass(frozen=True)
class Shares:
    """Which part of all subjects each lane takes; together at most 1."""

    inspect: float
    document_check: float
    post_review: float

    def __post_init__(self) -> None:
        if self.inspect + self.document_check + self.post_review > 1:
            raise ValueError("the shares of the lanes add up to more than all subjects")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """The shares that this machine's settings name."""
        return cls(
            settings.inspect_share, settings.document_check_share, settings.post_review_share
        )

    def cutoffs(self, scores: Sequence[float], control_probability: float) -> LaneCutoffs:
        """The cutoffs that fill the lanes from subjects that score like these, which ascend.

        The control draw takes its part out of what the lanes after it would have taken.
        """
        undrawn = max(1 - control_probability, 1e-9)
        checked = self.inspect + self.document_check / undrawn
        return LaneCutoffs(
            Cutoff.for_share(self.inspect, scores),
            Cutoff.for_share(checked, scores),
            Cutoff.for_share(checked + self.post_review / undrawn, scores),
        )


@dataclass(frozen=True)
class Workday:
    """One lane of one office on one day.

    `capacity`, `taken` and `arrived` count subjects; `usual_per_day` is how many the office lately
    saw, and `part_left`, in 0..1, what is left of the day.
    """

    capacity: int
    taken: int
    arrived: int
    usual_per_day: float
    part_left: float

    def share(self) -> float:
        """The share of the arrivals from now on the lane takes, in 0..1.

        What is left of the capacity over what is still expected: it makes up for a morning that
        took too many or too few, so that the load of a day meets its capacity.
        """
        if self.taken >= self.capacity:
            return 0.0
        per_day = self._per_day()
        even = self.capacity / max(per_day, 1.0)
        left = (self.capacity - self.taken) / max(per_day * self.part_left, 1.0)
        return min(left, even * MOST_CATCHING_UP, 1.0)

    def _per_day(self) -> float:
        """How many arrive today, judged by the usual and by the day so far."""
        elapsed = 1.0 - self.part_left
        return (self.usual_per_day * PRIOR_DAYS + self.arrived) / (PRIOR_DAYS + elapsed)


def control_probability(floor: float, per_day: int, unselected_per_day: float) -> float:
    """The probability of the control draw: at least `floor`, and enough for `per_day` on average.

    The lane is sized by count, since its outcomes are what measures everything else.
    """
    return min(1.0, max(floor, per_day / max(unselected_per_day, 1.0)))


def explored(control_probability: float, factor: float) -> float:
    """The probability of the control draw while more is explored: bounded, and never less."""
    return max(control_probability, min(control_probability * factor, MOST_EXPLORED))
