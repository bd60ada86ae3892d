"""The capacity of an office as shares of its arrivals, adjusted for each day."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from serving.settings import Settings
from serving.triage.cutoffs import Cutoff
from serving.triage.lane_choice import LaneCutoffs

# The factor by which a lane may open wider on a quiet day. Without a bound it would take everything
# that arrives on such a day, whatever its score.
MAX_WIDENING = 3.0
# The part of the capacity to aim for. The margin keeps the average use within capacity although
# traffic grows or scores drift.
AIMED_USE = 0.98
# The days over which a lane compensates for a surplus or deficit. With fewer, random variation
# would move the share more from day to day.
CORRECTION_DAYS = 3.0


@dataclass(frozen=True)
class Shares:
    """The part of all subjects that each lane takes; together at most 1."""

    inspect: float
    document_check: float
    post_review: float

    def __post_init__(self) -> None:
        if self.inspect + self.document_check + self.post_review > 1:
            raise ValueError("the shares of the lanes add up to more than all subjects")

    @classmethod
    def from_settings(cls, settings: Settings) -> Self:
        """Return the shares in this machine's settings."""
        return cls(
            settings.inspect_share, settings.document_check_share, settings.post_review_share
        )

    def cutoffs(self, scores: Sequence[float], control_probability: float) -> LaneCutoffs:
        """Return the cutoffs that fill the lanes, given ascending scores of similar subjects.

        The control draw takes its part from what lower lanes would have taken.
        """
        # Lower lanes see only what the control draw left over, so their shares are scaled up by it.
        undrawn = max(1 - control_probability, 1e-9)
        checked = self.inspect + self.document_check / undrawn
        return LaneCutoffs(
            Cutoff.for_share(self.inspect, scores),
            Cutoff.for_share(checked, scores),
            Cutoff.for_share(checked + self.post_review / undrawn, scores),
        )


@dataclass(frozen=True)
class Workday:
    """One lane of one office on one local day.

    `capacity` and `taken` count subjects; `usual_per_day` and `expected` are the arrivals of a
    usual day and of this one. `carried_over` is the unused capacity of earlier days, negative if
    they took too many. `certain_share`, in 0..1, is the share of arrivals that come into the lane
    whatever their score.
    """

    capacity: int
    taken: int
    usual_per_day: float
    expected: float
    carried_over: float = 0.0
    certain_share: float = 0.0

    def share(self) -> float:
        """Return the share of arrivals, in 0..1, that the lane takes by score now.

        It does not depend on what the day took so far, up to `most_per_day`: otherwise subjects
        declared late in the day would find the lane closed. Later days compensate for a surplus.
        """
        if self.taken >= most_per_day(self.capacity):
            return 0.0
        wanted = AIMED_USE * self.capacity + self.carried_over / CORRECTION_DAYS
        share = wanted / max(self.expected, 1.0) - self.certain_share
        return min(max(share, 0.0), self.widest_share)

    @property
    def widest_share(self) -> float:
        """The largest share, in 0..1, that the lane may take by score."""
        return min(MAX_WIDENING * self.capacity / max(self.usual_per_day, 1.0), 1.0)


def most_per_day(capacity: int) -> float:
    """Return the number in a lane at which the score selects no more that day.

    This is twice the capacity, or three standard deviations above it where chance alone may exceed
    that.
    """
    return capacity + max(capacity, 3 * math.sqrt(capacity))


def carried_over(capacity: int, days: Iterable[tuple[int, int]]) -> float:
    """Return the capacity that these days, as (arrived, taken) pairs, leave to later ones.

    Negative if they took too many. A day leaves no more than arrived. At most one day's surplus
    capacity is carried over, and at most two days' excess.
    """
    most = most_per_day(capacity) - capacity
    balance = 0.0
    for arrived, taken in days:
        balance = max(-2 * most, min(balance + min(AIMED_USE * capacity, arrived) - taken, most))
    return balance
