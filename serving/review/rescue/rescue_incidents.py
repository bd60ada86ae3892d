"""Rescues as those who help see them: one incident for each vessel or vehicle.

Several cases may be about the same people: a route and the shipments on it, or one craft that was
declared again. What makes them one is what the conveyance is known by: id, hull, radio or plate.
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
from serving.review.cases.case_records import CaseFilter, CaseRecord
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
MOST_ENDED_SHOWN = 20

# A submission with where its conveyance was heard by now.
Enriched = Callable[[Submission], Submission]


@dataclass(frozen=True)
class RescueReport:
    """One rescue case: what was reported, and who was called for it.

    `is_unheard` holds while a call of it has no person who acts, or nobody was called at all.
    """

    row: CaseRecord
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
        """When it was scored last, which is as of when its counts and signs hold."""
        return self.decision.scored_at

    @property
    def known_by(self) -> frozenset[tuple[str, str]]:
        """Return what the conveyance is known by; a plate counts in its own country."""
        journey = self.journey
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
    """The number of people reported on board, and when; never who they are."""

    count: float
    at: datetime


@dataclass(frozen=True)
class RescueIncident:
    """The rescues of one vessel or vehicle, the first reported first."""

    reports: tuple[RescueReport, ...]

    @property
    def case_id(self) -> str:
        """The case that stands for the incident: the first."""
        return self.reports[0].row.case_id

    @property
    def case_ids(self) -> tuple[str, ...]:
        """Every case of it."""
        return tuple(report.row.case_id for report in self.reports)

    @property
    def newest(self) -> RescueReport:
        """Return what was reported last."""
        return self._newest_first[0]

    @cached_property
    def _newest_first(self) -> list[RescueReport]:
        return sorted(self.reports, key=lambda e: (e.reported_at, e.row.seq), reverse=True)

    @property
    def began_at(self) -> datetime:
        """When the first of it was opened."""
        return datetime.fromisoformat(self.reports[0].row.opened_at)

    def known(self, field: str) -> object:
        """A field of the journey as it was reported last; None where no report has it."""
        values = (getattr(report.journey, field) for report in self._newest_first)
        return next((value for value in values if value is not None), None)

    @cached_property
    def submission(self) -> Submission:
        """The newest report with every position that any of them has."""
        positions = {
            (each.observed_at, each.latitude, each.longitude): each
            for report in self.reports
            for each in report.submission.positions
        }
        in_order = tuple(positions[key] for key in sorted(positions))
        return self.newest.submission.model_copy(update={"positions": in_order})

    @property
    def last(self) -> Position | None:
        """Return where it was heard last; None where it never was."""
        return last_heard(self.submission)

    @property
    def persons(self) -> tuple[PersonsReport, ...]:
        """The counts that were reported, the newest first, without what only repeats one."""
        counts: dict[float, PersonsReport] = {}
        for report in self._newest_first:
            if (count := report.journey.persons_on_board) is not None:
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
        """Return whether somebody is still to say that they act."""
        return any(report.is_unheard for report in self.reports)

    @property
    def unheard_since(self) -> datetime | None:
        """Since when somebody is to say that they act; None where everybody's call is answered."""
        waiting = [r.row.opened_at for r in self.reports if r.is_unheard]
        return datetime.fromisoformat(min(waiting)) if waiting else None

    @property
    def is_ended(self) -> bool:
        """Return whether every case of it is closed."""
        return all(report.state.status == "closed" for report in self.reports)

    @property
    def owners(self) -> tuple[Actor, ...]:
        """Who works on it: mostly one person, nobody at first."""
        owners = {r.state.owner.identity: r.state.owner for r in self.reports if r.state.owner}
        return tuple(owners.values())

    @property
    def calls(self) -> "CallsMade":
        """Return what became of the calls of all its cases."""
        steps = [step for report in self.reports for step in report.calls]
        return CallsMade(tuple(sorted(steps, key=lambda step: step.at)))

    def centre(self, centres: RescueCentres | None) -> RescueCentre | None:
        """The coordination centre that answers for where it is; None where none was set."""
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
        """The last call that an address took; delivery, and no more."""
        return next(reversed(self._of("called")), None)

    @property
    def refused(self) -> int:
        """Return how many attempts no address took."""
        return len(self._of("refused"))

    @property
    def escalated(self) -> int:
        """Return how often it went on to another address, for want of a person."""
        return len(self._of("escalated"))

    @property
    def acknowledged(self) -> RescueCallEvent | None:
        """Who said last that they act."""
        return next(reversed(self._of("acknowledged")), None)


@dataclass(frozen=True)
class ToldAlert:
    """An alert of whom nobody declared, with what became of it."""

    alert: DistressAlert
    calls: CallsMade

    @property
    def last(self) -> Position | None:
        """From where it called last; None where its record can be read no more."""
        return self.alert.last

    @property
    def is_unheard(self) -> bool:
        """Return whether somebody is still to say that they act."""
        return self.alert.is_open

    @property
    def is_ended(self) -> bool:
        """Return whether people ended it."""
        return self.alert.ended_at is not None

    def centre(self, centres: RescueCentres | None) -> RescueCentre | None:
        """The coordination centre that answers for where it is; None where none was set."""
        return self.alert.centre(centres)


@dataclass(frozen=True)
class RescueBoard:
    """Every incident that is not over, and the newest that are.

    What nobody acts on stands first, the longest waiting before all. `alerts` are the calls of
    ships that nobody declared. `unreadable` counts cases whose decision was erased before they
    ended.
    """

    incidents: tuple[RescueIncident, ...]
    ended: tuple[RescueIncident, ...]
    unreadable: int = 0
    alerts: tuple[ToldAlert, ...] = ()

    @property
    def unheard_alerts(self) -> tuple[ToldAlert, ...]:
        """The distress alerts on which nobody acts yet."""
        return tuple(each for each in self.alerts if each.is_unheard)

    @property
    def heard_alerts(self) -> tuple[ToldAlert, ...]:
        """The distress alerts on which somebody acts."""
        return tuple(each for each in self.alerts if not each.is_unheard and not each.is_ended)

    @property
    def ended_alerts(self) -> tuple[ToldAlert, ...]:
        """The distress alerts that people ended."""
        return tuple(each for each in self.alerts if each.is_ended)

    @property
    def is_everyone_helped(self) -> bool:
        """Return whether everyone known is helped; an unreadable report counts as not."""
        return not (self.unheard or self.unheard_alerts or self.unreadable)

    @property
    def unheard(self) -> tuple[RescueIncident, ...]:
        """The incidents on which nobody acts yet."""
        return tuple(each for each in self.incidents if each.is_unheard)

    @property
    def heard(self) -> tuple[RescueIncident, ...]:
        """The incidents on which somebody acts."""
        return tuple(each for each in self.incidents if not each.is_unheard)


@dataclass(frozen=True)
class RescueReading:
    """Reads rescues for one person: cases, calls, and where each conveyance was heard by now."""

    cases: Cases
    outbox: "RescueCallRepository"
    reviewer: Reviewer
    enriched: Enriched

    def board(self) -> RescueBoard:
        """All that is not over, and the newest that is."""
        rows = [*self._rows(NOT_ENDED)]
        reports = [*self._reports(rows)]
        ended = self.cases.list_cases(
            self.reviewer, CaseFilter(statuses=("closed",)), MOST_ENDED_SHOWN
        )
        over = tuple(RescueIncident((report,)) for report in self._reports(ended.found))
        return RescueBoard(
            tuple(sorted(incidents(reports), key=_place)), over, len(rows) - len(reports)
        )

    def incident(self, case_id: str) -> RescueIncident:
        """The incident of a case: all that is not over of its conveyance, or the ended case alone.

        Raises NotFound, or Erased where the time of its decision was over.
        """
        row, state = self.cases.case(self.reviewer, case_id)
        own = self._report(row, state, self.outbox.unacknowledged())
        if state.status == "closed":
            return RescueIncident((own,))
        found = incidents(self._reports(self._rows(NOT_ENDED)))
        return next((each for each in found if case_id in each.case_ids), RescueIncident((own,)))

    def report(self, case_id: str) -> RescueReport:
        """One rescue case by itself; raises NotFound, or Erased where its decision was."""
        row, state = self.cases.case(self.reviewer, case_id)
        return self._report(row, state, self.outbox.unacknowledged())

    def _rows(self, statuses: tuple[Status, ...]) -> Iterator[CaseRecord]:
        before: tuple[int, str] | None = None
        while True:
            wanted = CaseFilter(statuses=statuses, before=before)
            listed = self.cases.list_cases(self.reviewer, wanted, PAGE)
            yield from listed.found
            if (before := listed.next) is None:
                return

    def _reports(self, rows: Iterable[CaseRecord]) -> Iterator[RescueReport]:
        """The reports of cases, without those whose decision was erased."""
        open_calls = self.outbox.unacknowledged()
        for row in rows:
            state = self.cases.state_of(self.reviewer, row)
            try:
                yield self._report(row, state, open_calls)
            except Erased:
                continue

    def _report(
        self, row: CaseRecord, state: Case, open_calls: list[OpenRescueCall]
    ) -> RescueReport:
        decision = self.cases.decision(row.case_id)
        calls = tuple(self.outbox.events(row.case_id))
        own = {row.case_id, *(score.decision_id for score in self.cases.scores(row))}
        waits = any(call.decision_id in own for call in open_calls)
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
    """Reports by conveyance: those that anything in common links are one incident."""
    groups: list[tuple[set[tuple[str, str]], list[RescueReport]]] = []
    for report in reports:
        names, own = set(report.known_by), [report]
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
    """Return an incident's place on the board: unattended first, then the oldest."""
    since = incident.unheard_since or incident.began_at
    return not incident.is_unheard, since, incident.reports[0].row.seq
