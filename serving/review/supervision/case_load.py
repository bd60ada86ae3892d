"""The case load: waiting cases, their age, and the share decided in time.

The time limit of a case is the arrival of its conveyance. A case that was opened after its limit
could not be decided in time, so it counts in no share.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from statistics import median
from typing import Literal

from serving.review.cases.case_records import CaseTimes
from serving.review.supervision.first_judgements import NO_OFFICE
from serving.review.supervision.supervision import CaseEnd
from serving.triage.lane_declarations import ALWAYS_IN_TIME, shown_lane
from training.confidence_intervals import Estimate, proportion

Which = Literal["opened", "decided", "waiting", "overdue", "late", "found", "not_found"]


@dataclass(frozen=True)
class LoadFigures:
    """The figures of one group of cases: an office, a lane, or all.

    `in_time` is a share of the cases whose limit was met or is over, `found` of those with a
    result. Hours count from the opening to the first step, and to now for the oldest waiting case.
    """

    group: str
    opened: int
    decided: int
    waiting: int
    overdue: int
    late: int
    in_time: Estimate
    limited: int
    median_hours: float | None
    oldest_hours: float | None
    found: Estimate
    finds: int
    results: int


@dataclass(frozen=True)
class CaseLoad:
    """The cases opened in a span, those that wait now, and the results of the span."""

    times: tuple[CaseTimes, ...]
    ends: tuple[CaseEnd, ...]
    opened: tuple[datetime, datetime]
    now: datetime

    def of_lane(self, lane: str) -> "CaseLoad":
        """Return the load of one lane, as lanes are shown."""
        return self._only(lambda each: shown_lane(each.lane) == lane)

    def of_office(self, office: str) -> "CaseLoad":
        """Return the load of one office."""
        return self._only(lambda each: (each.office_id or NO_OFFICE) == office)

    @property
    def lanes(self) -> list[str]:
        """All lanes that have a case."""
        seen = {each.lane for each in self.times} | {each.lane for each in self.ends}
        return sorted(set(map(shown_lane, seen)))

    @property
    def offices(self) -> list[str]:
        """All offices that have a case."""
        named = [*(e.office_id for e in self.times), *(e.office_id for e in self.ends)]
        return sorted({office or NO_OFFICE for office in named})

    def figures(self, group: str = "all") -> LoadFigures:
        """Return the figures of all its cases."""
        decided = [each for each in self._opened if each.decided_at is not None]
        limited = [each for each in self._opened if self._is_over_or_decided(each)]
        late = [each for each in limited if self.is_late(each)]
        waiting = [each for each in self.times if each.is_waiting]
        # Unsettled results say nothing about how often something is found.
        conclusive = [each for each in self.ends if each.is_find is not None]
        finds = sum(bool(each.is_find) for each in conclusive)
        hours = [_hours(each.opened_at, each.decided_at) for each in decided if each.decided_at]
        ages = [_hours(each.opened_at, self.now) for each in waiting]
        return LoadFigures(
            group=group,
            opened=len(self._opened),
            decided=len(decided),
            waiting=len(waiting),
            overdue=sum(map(self.is_overdue, waiting)),
            late=len(late),
            in_time=proportion(len(limited) - len(late), len(limited)),
            limited=len(limited),
            median_hours=median(hours) if hours else None,
            oldest_hours=max(ages, default=None),
            found=proportion(finds, len(conclusive)),
            finds=finds,
            results=len(conclusive),
        )

    def behind(self, which: Which) -> list[str]:
        """Return the ids of the cases that a figure counts."""
        if which in ("found", "not_found"):
            return [each.case_id for each in self.ends if each.is_find is (which == "found")]
        is_it: dict[Which, Callable[[CaseTimes], bool]] = {
            "opened": self._is_opened,
            "decided": lambda each: self._is_opened(each) and each.decided_at is not None,
            "waiting": lambda each: each.is_waiting,
            "overdue": lambda each: each.is_waiting and self.is_overdue(each),
            "late": lambda each: (
                self._is_opened(each) and self._is_over_or_decided(each) and self.is_late(each)
            ),
        }
        return [each.case_id for each in self.times if is_it[which](each)]

    def is_overdue(self, case: CaseTimes) -> bool:
        """Return whether its limit, if any, is over."""
        return case.lane not in ALWAYS_IN_TIME and case.due_at <= self.now

    @staticmethod
    def is_late(case: CaseTimes) -> bool:
        """Return whether nobody took a first step before its limit."""
        return case.decided_at is None or case.decided_at > case.due_at

    @property
    def _opened(self) -> list[CaseTimes]:
        return [each for each in self.times if self._is_opened(each)]

    def _is_opened(self, case: CaseTimes) -> bool:
        return self.opened[0] <= case.opened_at < self.opened[1]

    def _is_over_or_decided(self, case: CaseTimes) -> bool:
        # A case opened after its limit could be decided in time by nobody, so no share counts it.
        could_be_met = case.lane not in ALWAYS_IN_TIME and case.due_at > case.opened_at
        return could_be_met and (case.decided_at is not None or self.is_overdue(case))

    def _only(self, is_it: "Callable[[CaseTimes | CaseEnd], bool]") -> "CaseLoad":
        times = tuple(each for each in self.times if is_it(each))
        return CaseLoad(times, tuple(e for e in self.ends if is_it(e)), self.opened, self.now)


def by_office(load: CaseLoad, also: Iterable[str] = ()) -> list[LoadFigures]:
    """Return the figures of every office with a case, and of those in `also`."""
    offices = sorted({*load.offices, *also})
    return [load.of_office(office).figures(office) for office in offices]


def by_lane(load: CaseLoad) -> list[LoadFigures]:
    """Return the figures of every lane."""
    return [load.of_lane(lane).figures(lane) for lane in load.lanes]


def _hours(begin: datetime, end: datetime) -> float:
    return (end - begin) / timedelta(hours=1)
