"""What an office lately saw: its scores, how many arrive in a day, and what today took."""

from bisect import bisect_left, insort
from collections import Counter, defaultdict, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Self

from features.records import SubjectKind
from serving.triage.capacity import Workday
from serving.triage.placement import Lane

REMEMBERED = timedelta(days=14)
# A distribution of fewer scores says little about its upper end.
FEWEST_SCORES = 200
MOST_SCORES = 5_000

Key = tuple[SubjectKind, str | None]


@dataclass(frozen=True)
class Placed:
    """What is remembered of a decision; `office_id` is None where no office was named.

    `probability` is None where no model was asked.
    """

    kind: SubjectKind
    office_id: str | None
    at: datetime
    probability: float | None
    lane: Lane


@dataclass
class _Seen:
    """The newest subjects of one kind at one office, as they arrived, and their scores sorted."""

    arrived: deque[tuple[datetime, float | None]] = field(default_factory=deque)
    scores: list[float] = field(default_factory=list)

    def add(self, at: datetime, probability: float | None) -> None:
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


class Recent:
    """The newest decisions, by kind of subject and office; days are those of UTC.

    Not safe for threads: whoever shares one holds a lock.
    """

    def __init__(self) -> None:
        self._seen: dict[Key, _Seen] = defaultdict(_Seen)
        self._taken: Counter[tuple[str | None, Lane]] = Counter()
        self._arrived: Counter[str | None] = Counter()
        self._today = ""

    @classmethod
    def of(cls, placed: Iterable[Placed]) -> Self:
        """Everything that was placed, oldest first."""
        recent = cls()
        for each in placed:
            recent.add(each)
        return recent

    def add(self, placed: Placed) -> None:
        """Count one more; those of a day that is over no longer count as taken.

        What another worker placed before midnight may be heard of after it.
        """
        day = placed.at.date().isoformat()
        if day > self._today:
            self._taken.clear()
            self._arrived.clear()
            self._today = day
        self._seen[placed.kind, placed.office_id].add(placed.at, placed.probability)
        if day == self._today:
            self._taken[placed.office_id, placed.lane] += 1
            self._arrived[placed.office_id] += 1

    def scores(self, kind: SubjectKind, office_id: str | None) -> list[float] | None:
        """The newest scores, ascending; None where they are too few to set a threshold by."""
        seen = self._seen.get((kind, office_id))
        return seen.scores if seen and len(seen.scores) >= FEWEST_SCORES else None

    def per_day(self, office_id: str | None, at: datetime) -> float:
        """How many subjects of both kinds the office saw per day."""
        kinds: tuple[SubjectKind, ...] = ("route", "shipment")
        seen = (self._seen.get((kind, office_id)) for kind in kinds)
        return sum(each.per_day(at) for each in seen if each)

    def workday(self, office_id: str | None, lane: Lane, capacity: int, at: datetime) -> Workday:
        """How one lane of an office stands at an instant."""
        is_today = at.date().isoformat() == self._today
        taken = self._taken[office_id, lane] if is_today else 0
        arrived = self._arrived[office_id] if is_today else 0
        return Workday(capacity, taken, arrived, self.per_day(office_id, at), _part_left(at))


def _part_left(at: datetime) -> float:
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    return 1.0 - (at - midnight) / timedelta(days=1)
