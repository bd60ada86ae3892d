"""Rescues as rescuers see them: one incident for each vessel or vehicle.

Several cases may concern the same people: a route and the shipments on it, or a craft that was
declared again. They are one incident if they share an identifier of the conveyance: id, hull
number, radio number or plate.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

from features.records import Journey, Position
from features.submission import Submission
from serving.access.actors import Actor
from serving.audit.decision import Decision
from serving.errors import Erased
from serving.review.cases.case_records import CaseFilter, CaseRow
from serving.review.cases.case_state import Case, Status
from serving.review.cases.cases import Cases
from serving.review.cases.reviewer import Reviewer
from serving.review.rescue.distress_alerts import DistressAlert
from serving.review.rescue.rescue_calls import OpenRescueCall, RescueCallEvent
from serving.review.rescue.rescue_centres import RescueCentre, RescueCentres
from serving.triage.life_at_risk import DangerSignal, last_heard

if TYPE_CHECKING:
    from serving.storage.repositories.rescue_call_repository import RescueCallRepository

NOT_ENDED: tuple[Status, ...] = (
    "open",
    "assigned",
    "waiting",
    "action_proposed",
    "action_ordered",
    "result_in",
)
PAGE = 200
MAX_ENDED_SHOWN = 20

# Adds the positions known by now to a submission.
Enriched = Callable[[Submission], Submission]


@dataclass(frozen=True)
class RescueReport:
    """One rescue case: what was reported, and who was called for it.

    `is_unheard` is true while a call has no acknowledgement, or if nobody was called at all.
    """

    row: CaseRow
    state: Case
    decision: Decision
    submission: Submission
    calls: tuple[RescueCallEvent, ...]
    is_unheard: bool

    @property
    def journey(self) -> Journey:
        """The journey of the conveyance; a rescue always has one."""
        assert self.submission.journey is not None, "without a journey there is no signal"
        return self.submission.journey

    @property
    def reported_at(self) -> datetime:
        """The instant of the newest score, at which its counts and signs hold."""
        return self.decision.scored_at

    @property
    def known_by(self) -> frozenset[tuple[str, str]]:
        """Return the identifiers of the conveyance; a plate counts within its country."""
        journey = self.journey
        # Two countries may issue the same plate.
        plate = journey.plate_number and f"{journey.registration_country} {journey.plate_number}"
        names = {
            "conveyance": journey.conveyance_id,
            "imo": journey.imo_number,
            "mmsi": journey.mmsi,
            "plate": plate,
        }
        return frozenset((kind, str(value)) for kind, value in names.items() if value)


@dataclass(frozen=True)
class PersonsReport:
    """A reported number of people on board, with its time; never who they are."""

    count: float
    at: datetime


@dataclass(frozen=True)
class RescueIncident:
    """The rescues of one vessel or vehicle, in the order in which they were opened."""

    reports: tuple[RescueReport, ...]

    @property
    def case_id(self) -> str:
        """The first case, which stands for the incident."""
        return self.reports[0].row.case_id

    @property
    def case_ids(self) -> tuple[str, ...]:
        """The ids of all its cases."""
        return tuple(report.row.case_id for report in self.reports)

    @property
    def newest(self) -> RescueReport:
        """Return the newest report."""
        return self._newest_first[0]

    @cached_property
    def _newest_first(self) -> list[RescueReport]:
        return sorted(self.reports, key=lambda e: (e.reported_at, e.row.seq), reverse=True)

    @property
    def began_at(self) -> datetime:
        """The instant at which its first case was opened."""
        return self.reports[0].row.opened_at

    def known(self, field: str) -> object:
        """Return the newest reported value of a field of the journey; None if there is none."""
        values = (getattr(report.journey, field) for report in self._newest_first)
        return next((value for value in values if value is not None), None)

    @cached_property
    def submission(self) -> Submission:
        """The newest report with the positions of all reports, in order of time."""
        # Reports repeat positions; keep one of each.
        positions = {
            (each.observed_at, each.latitude, each.longitude): each
            for report in self.reports
            for each in report.submission.positions
        }
        in_order = tuple(positions[key] for key in sorted(positions))
        return self.newest.submission.model_copy(update={"positions": in_order})

    @property
    def last(self) -> Position | None:
        """Return the last known position; None if there is none."""
        return last_heard(self.submission)

    @property
    def persons(self) -> tuple[PersonsReport, ...]:
        """The reported counts of people, newest first, each count once."""
        counts: dict[float, PersonsReport] = {}
        for report in self._newest_first:
            if (count := report.journey.persons_on_board) is not None:
                # Newest first, so a repeated count keeps its latest time.
                counts.setdefault(count, PersonsReport(count, report.reported_at))
        return tuple(counts.values())

    @property
    def beyond_capacity(self) -> float | None:
        """Return the number of people beyond the certified capacity; None if unknown."""
        certified = self.known("certified_capacity")
        if not self.persons or not isinstance(certified, int | float):
            return None
        return max(self.persons[0].count - certified, 0)

    @property
    def signals(self) -> tuple[DangerSignal, ...]:
        """The signs of danger, those of the newest report first, each once."""
        signals: dict[str, DangerSignal] = {}
        for report in self._newest_first:
            for signal in report.decision.danger_signals:
                signals.setdefault(signal.code, signal)
        return tuple(signals.values())

    @property
    def referred_because(self) -> str | None:
        """Return the words of the officer who referred it; None if records alone showed it."""
        actions = (report.state.action for report in self.reports)
        return next((action.text for action in actions if action), None)

    @property
    def is_unheard(self) -> bool:
        """Return whether a call about it still lacks an acknowledgement."""
        return any(report.is_unheard for report in self.reports)

    @property
    def unheard_since(self) -> datetime | None:
        """The opening of its longest waiting case; None if every call is acknowledged."""
        return min((r.row.opened_at for r in self.reports if r.is_unheard), default=None)

    @property
    def is_ended(self) -> bool:
        """Return whether every case of it is closed."""
        return all(report.state.status == "closed" for report in self.reports)

    @property
    def owners(self) -> tuple[Actor, ...]:
        """The owners of its cases: usually one person, at first nobody."""
        owners = {r.state.owner.identity: r.state.owner for r in self.reports if r.state.owner}
        return tuple(owners.values())

    @property
    def calls(self) -> "CallsMade":
        """Return the steps of all calls about its cases, in order."""
        steps = [step for report in self.reports for step in report.calls]
        return CallsMade(tuple(sorted(steps, key=lambda step: step.at)))

    def centre(self, centres: RescueCentres | None) -> RescueCentre | None:
        """Return the coordination centre for its position; None if none is configured."""
        if centres is None:
            return None
        return centres.centre_for(self.newest.journey.mode, self.last)


@dataclass(frozen=True)
class CallsMade:
    """The steps of the calls of one incident, in order."""

    steps: tuple[RescueCallEvent, ...]

    def _of(self, action: str) -> list[RescueCallEvent]:
        return [step for step in self.steps if step.action == action]

    @property
    def taken(self) -> RescueCallEvent | None:
        """The last call that an address accepted, which means delivery only."""
        return next(reversed(self._of("called")), None)

    @property
    def refused(self) -> int:
        """Return the number of attempts that no address accepted."""
        return len(self._of("refused"))

    @property
    def escalated(self) -> int:
        """Return how often a call moved on because nobody acknowledged it."""
        return len(self._of("escalated"))

    @property
    def acknowledged(self) -> RescueCallEvent | None:
        """The last acknowledgement, by the person who acts."""
        return next(reversed(self._of("acknowledged")), None)


@dataclass(frozen=True)
class ToldAlert:
    """An alert of an undeclared craft, with the steps of its calls."""

    alert: DistressAlert
    calls: CallsMade

    @property
    def last(self) -> Position | None:
        """The position of its last call; None if its record was erased."""
        return self.alert.last

    @property
    def is_unheard(self) -> bool:
        """Return whether it still lacks an acknowledgement."""
        return self.alert.is_open

    @property
    def is_ended(self) -> bool:
        """Return whether people ended it."""
        return self.alert.ended_at is not None

    def centre(self, centres: RescueCentres | None) -> RescueCentre | None:
        """Return the coordination centre for its position; None if none is configured."""
        return self.alert.centre(centres)


@dataclass(frozen=True)
class RescueBoard:
    """All open incidents, and the newest closed ones.

    Incidents without an acknowledgement come first, the longest waiting at the top. `alerts` are
    distress calls of undeclared craft. `unreadable` counts open cases whose decision was erased.
    """

    incidents: tuple[RescueIncident, ...]
    ended: tuple[RescueIncident, ...]
    unreadable: int = 0
    alerts: tuple[ToldAlert, ...] = ()

    @property
    def unheard_alerts(self) -> tuple[ToldAlert, ...]:
        """The distress alerts without an acknowledgement."""
        return tuple(each for each in self.alerts if each.is_unheard)

    @property
    def heard_alerts(self) -> tuple[ToldAlert, ...]:
        """The open distress alerts with an acknowledgement."""
        return tuple(each for each in self.alerts if not each.is_unheard and not each.is_ended)

    @property
    def ended_alerts(self) -> tuple[ToldAlert, ...]:
        """The distress alerts that people ended."""
        return tuple(each for each in self.alerts if each.is_ended)

    @property
    def is_everyone_helped(self) -> bool:
        """Return whether everyone known is helped; an unreadable report means no."""
        return not (self.unheard or self.unheard_alerts or self.unreadable)

    @property
    def unheard(self) -> tuple[RescueIncident, ...]:
        """The incidents without an acknowledgement."""
        return tuple(each for each in self.incidents if each.is_unheard)

    @property
    def heard(self) -> tuple[RescueIncident, ...]:
        """The incidents with an acknowledgement."""
        return tuple(each for each in self.incidents if not each.is_unheard)


@dataclass(frozen=True)
class RescueReading:
    """Rescues as one person may read them: cases, calls, and positions known by now."""

    cases: Cases
    outbox: "RescueCallRepository"
    reviewer: Reviewer
    enriched: Enriched

    def board(self) -> RescueBoard:
        """Return all open incidents and the newest closed ones."""
        # All pages: no open rescue may be missing from the board.
        rows = [*self._rows(NOT_ENDED)]
        reports = [*self._reports(rows)]
        ended = self.cases.list_cases(
            self.reviewer, CaseFilter(statuses=("closed",)), MAX_ENDED_SHOWN
        )
        # Closed cases stay apart: a later rescue of the same craft is another incident.
        over = tuple(RescueIncident((report,)) for report in self._reports(ended.found))
        return RescueBoard(
            tuple(sorted(incidents(reports), key=_place)), over, len(rows) - len(reports)
        )

    def incident(self, case_id: str) -> RescueIncident:
        """Return all open cases of a case's conveyance as one incident, or a closed case alone.

        Raises NotFound, or Erased if its decision was erased.
        """
        row, state = self.cases.case(self.reviewer, case_id)
        own = self._report(row, state, self.outbox.unacknowledged())
        if state.status == "closed":
            return RescueIncident((own,))
        found = incidents(self._reports(self._rows(NOT_ENDED)))
        return next((each for each in found if case_id in each.case_ids), RescueIncident((own,)))

    def report(self, case_id: str) -> RescueReport:
        """Return one rescue case; raises NotFound, or Erased if its decision was erased."""
        row, state = self.cases.case(self.reviewer, case_id)
        return self._report(row, state, self.outbox.unacknowledged())

    def _rows(self, statuses: tuple[Status, ...]) -> Iterator[CaseRow]:
        before: tuple[int, str] | None = None
        while True:
            wanted = CaseFilter(statuses=statuses, before=before)
            listed = self.cases.list_cases(self.reviewer, wanted, PAGE)
            yield from listed.found
            if (before := listed.next) is None:
                return

    def _reports(self, rows: Iterable[CaseRow]) -> Iterator[RescueReport]:
        """Yield the reports of cases, skipping those whose decision was erased."""
        open_calls = self.outbox.unacknowledged()
        for row in rows:
            state = self.cases.state_of(self.reviewer, row)
            try:
                yield self._report(row, state, open_calls)
            except Erased:
                continue

    def _report(self, row: CaseRow, state: Case, open_calls: list[OpenRescueCall]) -> RescueReport:
        decision = self.cases.decision(row.case_id)
        calls = tuple(self.outbox.events(row.case_id))
        # Each later decision about the subject may have a call of its own.
        own = {row.case_id, *(score.decision_id for score in self.cases.scores(row))}
        waits = any(call.decision_id in own for call in open_calls)
        # Without any acknowledgement it is unheard, even if no call was ever made.
        is_heard = any(step.action == "acknowledged" for step in calls)
        return RescueReport(
            row=row,
            state=state,
            decision=decision,
            submission=self.enriched(decision.submission),
            calls=calls,
            is_unheard=state.status != "closed" and (waits or not is_heard),
        )


def incidents(reports: Iterable[RescueReport]) -> list[RescueIncident]:
    """Group reports into incidents: reports with any identifier in common belong together."""
    groups: list[tuple[set[tuple[str, str]], list[RescueReport]]] = []
    for report in reports:
        names, own = set(report.known_by), [report]
        # A report may connect groups that had nothing in common before, so join all that match.
        apart = []
        for known, others in groups:
            if known & names:
                names |= known
                own = [*others, *own]
            else:
                apart.append((known, others))
        groups = [*apart, (names, own)]
    return [
        RescueIncident(tuple(sorted(own, key=lambda each: (each.row.opened_at, each.row.seq))))
        for _, own in groups
    ]


def _place(incident: RescueIncident) -> tuple[bool, datetime, int]:
    """Return an incident's sort key on the board: unattended first, then the oldest."""
    since = incident.unheard_since or incident.began_at
    return not incident.is_unheard, since, incident.reports[0].row.seq
