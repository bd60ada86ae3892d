"""The recent load of each office: its scores, its arrivals a day, and what lanes took today."""

from bisect import bisect_left, insort
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from features.records import SubjectKind
from serving.triage.capacity import Workday
from serving.triage.lane_rule import Lane

REMEMBERED = timedelta(days=14)
# A distribution of fewer scores says little about its upper end.
FEWEST_SCORES = 200
MOST_SCORES = 5_000

Key = tuple[SubjectKind, str | None]


@dataclass(frozen=True)
class RecentPlacement:
    """What counts of one decision; `office_id` is None where no office was named.

    `probability` is None where no model was used.
    """

    kind: SubjectKind
    office_id: str | None
    at: datetime
    probability: float | None
    lane: Lane


@dataclass
class _OfficeLoad:
    """The newest subjects of one kind at one office, as they arrived, and their scores sorted."""

    arrived: deque[tuple[datetime, float | None]] = field(default_factory=deque)
    scores: list[float] = field(default_factory=list)

    def count(self, at: datetime, probability: float | None) -> None:
        self.arrived.append((at, probability))
        if probability is not None:
            insort(self.scores, probability)
        while len(self.arrived) > MOST_SCORES or self.arrived[0][0] < at - REMEMBERED:
            _, oldest = self.arrived.popleft()
            if oldest is not None:
                del self.scores[bisect_left(self.scores, oldest)]

    def per_day(self, at: datetime) -> float:
        elapsed = max((at - self.arrived[0][0]) / timedelta(days=1), 1.0)
        return len(self.arrived) / elapsed


class RecentLoad:
    """The newest decisions, by kind of subject and office; days are those of UTC.

    Not safe for threads: whoever shares one holds a lock.
    """

    def __init__(self) -> None:
        self._by_office: dict[Key, _OfficeLoad] = defaultdict(_OfficeLoad)
        self._taken: Counter[tuple[str | None, Lane]] = Counter()
        self._arrived: Counter[str | None] = Counter()
        self._today = ""

    @classmethod
    def of_placements(cls, placements: Iterable[RecentPlacement]) -> Self:
        """The load of these placements, oldest first."""
        recent = cls()
        for placement in placements:
            recent.count(placement)
        return recent

    def count(self, placement: RecentPlacement) -> None:
        """Count one more; those of a day that is over no longer count as taken.

        A placement of another worker before midnight may be read after it.
        """
        day = placement.at.date().isoformat()
        if day > self._today:
            self._taken.clear()
            self._arrived.clear()
            self._today = day
        self._by_office[placement.kind, placement.office_id].count(
            placement.at, placement.probability
        )
        if day == self._today:
            self._taken[placement.office_id, placement.lane] += 1
            self._arrived[placement.office_id] += 1

    def scores(self, kind: SubjectKind, office_id: str | None) -> list[float] | None:
        """The newest scores, ascending; None where they are too few to set a threshold by."""
        load = self._by_office.get((kind, office_id))
        return load.scores if load and len(load.scores) >= FEWEST_SCORES else None

    def per_day(self, office_id: str | None, at: datetime) -> float:
        """How many subjects of both kinds came to the office per day."""
        kinds: tuple[SubjectKind, ...] = ("route", "shipment")
        loads = (self._by_office.get((kind, office_id)) for kind in kinds)
        return sum(load.per_day(at) for load in loads if load)

    def workday(self, office_id: str | None, lane: Lane, capacity: int, at: datetime) -> Workday:
        """The workday of one lane of an office at an instant."""
        is_today = at.date().isoformat() == self._today
        taken = self._taken[office_id, lane] if is_today else 0
        arrived = self._arrived[office_id] if is_today else 0
        return Workday(capacity, taken, arrived, self.per_day(office_id, at), _part_left(at))


def _part_left(at: datetime) -> float:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return 1.0 - (at - midnight) / timedelta(days=1)
