"""What an office can look at: shares of its arrivals, set for each day by its capacity."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Self

from serving.settings import Settings
from serving.triage.cutoffs import Cutoff
from serving.triage.lane_rule import LaneCutoffs

# How much wider than on a usual day a lane may open where few arrive; without a bound all that a
# quiet day brings would be taken, whatever its score.
MAX_WIDENING = 3.0
# Which part of the capacity is aimed at, so that no more than all of it is taken on average though
# traffic grows or scores drift.
AIMED_USE = 0.98
# Over how many days a lane makes up for what was taken too many or too few. The shorter, the more
# chance moves the share from day to day.
CORRECTION_DAYS = 3.0


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
    """One lane of one office on one local day.

    `capacity` and `taken` count subjects, `usual_per_day` and `expected` the arrivals of a usual
    day and of this one. `carried_over` is what the days before left of their capacity, below 0 what
    they took beyond it; `certain_share`, in 0..1, the share of arrivals that come into the lane
    whatever their score.
    """

    capacity: int
    taken: int
    usual_per_day: float
    expected: float
    carried_over: float = 0.0
    certain_share: float = 0.0

    def share(self) -> float:
        """The share of arrivals, in 0..1, that the lane takes by their score now.

        It does not follow what the day took so far, up to `most_per_day`: else whoever is declared
        late would find the lane closed. Days that took too many are made up for by later ones.
        """
        if self.taken >= most_per_day(self.capacity):
            return 0.0
        wanted = AIMED_USE * self.capacity + self.carried_over / CORRECTION_DAYS
        share = wanted / max(self.expected, 1.0) - self.certain_share
        return min(max(share, 0.0), self.widest_share)

    @property
    def widest_share(self) -> float:
        """The share, in 0..1, beyond which the lane never takes anything by its score."""
        return min(MAX_WIDENING * self.capacity / max(self.usual_per_day, 1.0), 1.0)


def most_per_day(capacity: int) -> float:
    """Return how many a lane may hold before the score selects no more that day.

    Twice the capacity, or three standard deviations above it where chance alone may bring more.
    """
    return capacity + max(capacity, 3 * math.sqrt(capacity))


def carried_over(capacity: int, days: Iterable[tuple[int, int]]) -> float:
    """What these days, each given as arrivals and what a lane took of them, leave to later ones.

    Below 0 it is what they took too many. A day can leave no more than arrived; at most one day
    above is carried over, and two below.
    """
    most = most_per_day(capacity) - capacity
    balance = 0.0
    for arrived, taken in days:
        balance = max(-2 * most, min(balance + min(AIMED_USE * capacity, arrived) - taken, most))
    return balance
