"""The recent load of each office: its scores, daily arrivals, and the lanes' share of them."""

import math
from bisect import bisect_left, insort
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Self

from features.records import SUBJECT_KINDS, SubjectKind
from serving.triage.arrival_profile import ArrivalProfile
from serving.triage.capacity import Workday, carried_over
from serving.triage.lane_declarations import PACED, Lane
from serving.triage.office_days import OfficeDays

REMEMBERED = timedelta(days=14)
# With fewer scores the upper end of the distribution, where the cutoffs lie, is too uncertain.
MIN_SCORES = 200
MAX_SCORES = 5_000

Key = tuple[SubjectKind, str | None]


@dataclass(frozen=True)
class RecentPlacement:
    """The counted fields of one decision; `office_id` is None if no office was named.

    `ranked_by` is the value that lanes ranked by, a probability unless harm is weighed; None if no
    model was used. `lane_before` is the subject's previous lane if it was scored again; None the
    first time.
    """

    kind: SubjectKind
    office_id: str | None
    at: datetime
    ranked_by: float | None
    lane: Lane
    lane_before: Lane | None = None


@dataclass
class _OfficeLoad:
    """The newest subjects of one kind at one office, and their sorted scores.

    `taken` holds, by lane, the sorted scores of what it received; unscored subjects sort below all
    scored ones.
    """

    arrived: deque[tuple[datetime, float | None, Lane]] = field(default_factory=deque)
    scores: list[float] = field(default_factory=list)
    taken: dict[Lane, list[float]] = field(default_factory=lambda: {lane: [] for lane in PACED})

    def count(self, at: datetime, probability: float | None, lane: Lane) -> None:
        self.arrived.append((at, probability, lane))
        if probability is not None:
            insort(self.scores, probability)
        if lane in self.taken:
            insort(self.taken[lane], -math.inf if probability is None else probability)
        # Bounded by number and by age, so that memory stays limited and old traffic does not set
        # cutoffs.
        while len(self.arrived) > MAX_SCORES or self.arrived[0][0] < at - REMEMBERED:
            self._forget(*self.arrived.popleft())

    def _forget(self, _: datetime, probability: float | None, lane: Lane) -> None:
        if probability is not None:
            del self.scores[bisect_left(self.scores, probability)]
        if lane in self.taken:
            score = -math.inf if probability is None else probability
            del self.taken[lane][bisect_left(self.taken[lane], score)]

    def taken_below(self, lane: Lane, share: float) -> int:
        """Return how many came into a lane although their score is not in this upper share."""
        if not self.scores:
            return len(self.taken.get(lane, ()))
        place = len(self.scores) - math.ceil(min(share, 1.0) * len(self.scores))
        lowest_above = self.scores[place] if place < len(self.scores) else math.inf
        return bisect_left(self.taken.get(lane, ()), lowest_above)

    def per_day(self, at: datetime) -> float:
        elapsed = max((at - self.arrived[0][0]) / timedelta(days=1), 1.0)
        return len(self.arrived) / elapsed


class RecentLoad:
    """The newest decisions, by kind of subject and office.

    `time_zones` are those of offices; days of other offices are in UTC. Not thread-safe: sharing
    one requires a lock.
    """

    def __init__(self, time_zones: Mapping[str, tzinfo] | None = None) -> None:
        self._by_office: dict[Key, _OfficeLoad] = defaultdict(_OfficeLoad)
        self._days: dict[str | None, OfficeDays] = {}
        self._time_zones = time_zones or {}

    @classmethod
    def of_placements(
        cls,
        placements: Iterable[RecentPlacement],
        time_zones: Mapping[str, tzinfo] | None = None,
    ) -> Self:
        """Build the load from placements, oldest first."""
        recent = cls(time_zones)
        for placement in placements:
            recent.count(placement)
        return recent

    def count(self, placement: RecentPlacement) -> None:
        """Count a placement; for a subject scored again, only a change of lane counts."""
        if placement.lane_before is not None:
            if placement.lane != placement.lane_before:
                self._days_of(placement.office_id).count_taken(placement.at, placement.lane)
            return
        self._by_office[placement.kind, placement.office_id].count(
            placement.at, placement.ranked_by, placement.lane
        )
        self._days_of(placement.office_id).count(placement.at, placement.lane)

    def scores(self, kind: SubjectKind, office_id: str | None) -> list[float] | None:
        """Return the newest scores, ascending; None if too few to set a threshold."""
        load = self._by_office.get((kind, office_id))
        return load.scores if load and len(load.scores) >= MIN_SCORES else None

    def usual_per_day(self, office_id: str | None, at: datetime) -> float:
        """Return the usual number of subjects, of both kinds, at the office on this weekday."""
        local = at.astimezone(self._days_of(office_id).time_zone)
        return self._profile(office_id, at).by_weekday[local.weekday()]

    def workday(
        self, office_id: str | None, lane: Lane, capacity: int, at: datetime, *, above: float = 0.0
    ) -> Workday:
        """Return the workday of one lane of an office at an instant.

        `above`, in 0..1, is the widest share of arrivals that higher lanes take by score.
        """
        days, profile = self._days_of(office_id), self._profile(office_id, at)
        local = at.astimezone(days.time_zone)
        today = local.date()
        workday = Workday(
            capacity=capacity,
            taken=days.taken(today, lane),
            usual_per_day=profile.usual_per_day,
            expected=profile.expected(local, days.arrived(today)),
            carried_over=carried_over(capacity, days.loads_before(today, lane)),
        )
        certain = self._certain_share(office_id, lane, above + workday.widest_share)
        return replace(workday, certain_share=certain)

    def used_ratio(self, lane: Lane, capacities: Mapping[str, int], at: datetime) -> float | None:
        """Return what a lane took at these offices on whole days, divided by their capacity.

        None if no whole day is known.
        """
        used = capacity = 0
        for office_id, per_day in capacities.items():
            days = self._days_of(office_id)
            loads = days.loads_before(at.astimezone(days.time_zone).date(), lane)
            used += sum(taken for _, taken in loads)
            capacity += per_day * len(loads)
        return used / capacity if capacity else None

    def _certain_share(self, office_id: str | None, lane: Lane, by_score: float) -> float:
        """Return the share of arrivals in a lane that is not due to a score in the upper share."""
        loads = self._loads(office_id)
        taken = sum(load.taken_below(lane, by_score) for load in loads)
        return taken / max(sum(len(load.arrived) for load in loads), 1)

    def _profile(self, office_id: str | None, at: datetime) -> ArrivalProfile:
        days = self._days_of(office_id)
        learnt = days.profile(at.astimezone(days.time_zone).date())
        if learnt:
            return learnt
        return ArrivalProfile.even(sum(load.per_day(at) for load in self._loads(office_id)))

    def _loads(self, office_id: str | None) -> list[_OfficeLoad]:
        loads = (self._by_office.get((kind, office_id)) for kind in SUBJECT_KINDS)
        return [load for load in loads if load]

    def _days_of(self, office_id: str | None) -> OfficeDays:
        days = self._days.get(office_id)
        if days is None:
            zone = self._time_zones.get(office_id or "", UTC)
            days = self._days[office_id] = OfficeDays(zone)
        return days
