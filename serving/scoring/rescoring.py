"""Score subjects again when new records arrive, or when their absence becomes a danger sign.

`rescoring_rules` decides when records lead to a new score, `danger_watch` when danger to life does.

The queue is a table, filled in the same transaction as the records, so a crash loses no subject.
Each subject is planned from durable state: the records that did not count in its newest decision.
Receiving the same records again therefore scores nothing, and of two workers only one decides. A
rescore repeats the first request's body with a later `as_of` and the version of the declaration in
force at that instant. Nobody asked for it, so it has a caller of its own.

An amended declaration is rescored like any new record. A withdrawn one is not, unless lives are at
risk: withdrawing a journey does not call off a search.

Signs of danger to life bypass the rules. A route is scored as of the instant at which records show
danger, or at which silence or delay does; the latter is scheduled with the decision and cancelled
by later records.

The rules do not rescore a subject whose case is closed, that is masked, or whose rescoring period
has passed by the clock. A subject in the rescue lane is not rescored at all, since people were
already called. Danger to life is acted on for HEARD_FOR, masked or not, and no longer.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Self

import orjson
import structlog

from features.records import Journey, Position, Shipment
from features.rescoring_rules import JUST_AFTER, RESCORED_AFTER, RescoringRules
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.earlier_decisions import SCORES_AGAIN, EarlierDecisions
from serving.errors import ServingError, Unprocessable
from serving.history.received_records import ReceivedRecord
from serving.process.background_threads import PollingThread
from serving.scoring.batcher import RequestBatcher, ScoreRequest
from serving.scoring.danger_watch import HEARD_FOR
from serving.scoring.enrichment import enrich
from serving.scoring.new_evidence import NamedRecord, names_counted, not_counted
from serving.scoring.standing_declarations import amendments, as_declared_last, as_standing

if TYPE_CHECKING:
    from serving.storage.repositories.record_repository import RecordRepository
    from serving.storage.repositories.rescoring_repository import RescoringRepository

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5
BATCH_SIZE = 64
TRY_AGAIN_AFTER = timedelta(seconds=10)
# A subject that has waited for longer is reported as a degraded mode.
BEHIND_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class WaitingSubject:
    """A subject, by its token, with new records to consider; `arrivals` counts the additions.

    `due_at` is when it becomes, or became, due. From `danger_at` on, signs of danger to life are
    known and the subject takes precedence over all others.
    """

    subject_kind: str
    token: str
    arrivals: int
    due_at: datetime
    danger_at: datetime | None = None


@dataclass(frozen=True)
class RescoringPlan:
    """The next step for a waiting subject: score it now, wait until an instant, or neither.

    `danger_at` is the instant of the danger to life that is, or will be, the reason.
    """

    request: ScoreRequest | None = None
    until: datetime | None = None
    danger_at: datetime | None = None


NOTHING = RescoringPlan()


class Rescoring:
    """Rescores waiting subjects on a thread of its own and passes new decisions to `on_decided`."""

    def __init__(
        self,
        queue: "RescoringRepository",
        records: "RecordRepository",
        batcher: RequestBatcher,
        rules: RescoringRules,
        clock: Callable[[], datetime],
        on_decided: Callable[[Decision], None] = lambda _: None,
        is_masked: Callable[[Decision], bool] = lambda _: False,
    ):
        self.queue = queue
        self._records = records
        self._batcher = batcher
        self._rules = rules
        self._clock = clock
        self._on_decided = on_decided
        self._is_masked = is_masked
        self._waits_since: datetime | None = None
        self.polling = PollingThread("rescoring", self.score_due, waits="rescoring_waits")

    @property
    def is_behind(self) -> bool:
        """True if the oldest due subject of the last poll waited longer than BEHIND_AFTER."""
        since = self._waits_since
        return since is not None and self._clock() - since > BEHIND_AFTER

    def start(self) -> None:
        """Start to score waiting subjects."""
        self.queue.begin()
        self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish the current batch and stop; the others stay queued for the next start."""
        self.polling.stop()

    def score_due(self) -> int:
        """Score every due subject and return the number of new decisions."""
        made = 0
        while not self.polling.is_over:
            self.polling.thread.tell_progress()
            now = self._clock()
            self.queue.find(now)
            due = self.queue.due(now, BATCH_SIZE)
            self._waits_since = min((each.due_at for each in due), default=None)
            if not due:
                break
            made += self._score(due, now)
        return made

    def _score(self, due: Sequence[WaitingSubject], now: datetime) -> int:
        """Score subjects in danger first and separately, because the others can take long."""
        plans = {waiting: self._planned(waiting, now) for waiting in due}
        in_danger = {waiting: plan for waiting, plan in plans.items() if plan.danger_at}
        others = {waiting: plan for waiting, plan in plans.items() if not plan.danger_at}
        return sum(self._carry_out(each, now) for each in (in_danger, others) if each)

    def _carry_out(self, plans: Mapping[WaitingSubject, RescoringPlan], now: datetime) -> int:
        requests = {waiting: plan.request for waiting, plan in plans.items() if plan.request}
        later = [
            replace(waiting, due_at=plan.until, danger_at=plan.danger_at)
            for waiting, plan in plans.items()
            if plan.until
        ]
        done = [waiting for waiting, plan in plans.items() if plan == NOTHING]
        # The batcher hands results to an event loop; this thread has none, so it runs one per
        # batch.
        answers = asyncio.run(self._batcher.answer_all([*requests.values()]))
        made = 0
        for waiting, answer in zip(requests, answers, strict=True):
            if isinstance(answer, ServingError):
                log.warning("not_scored_again", exception=type(answer).__name__)
                danger_at = plans[waiting].danger_at
                later.append(replace(waiting, due_at=now + TRY_AGAIN_AFTER, danger_at=danger_at))
            elif answer.decision is not None:
                self._on_decided(answer.decision)
                made += 1
                # Remove it even if the decision found no danger, else it would be rescored forever.
                if plans[waiting].danger_at:
                    done.append(waiting)
                    _report_unconfirmed(answer.decision)
        if later:
            self.queue.put_off(later)
        if done:
            self.queue.remove(done)
        return made

    def _planned(self, waiting: WaitingSubject, now: datetime) -> RescoringPlan:
        """Return the plan; contain failures so that one subject does not hold up the others."""
        try:
            return self._plan(waiting, now)
        except Unprocessable as refusal:  # stored by an older release, no longer accepted
            log.warning("not_scored_again", exception=type(refusal).__name__)
            return NOTHING
        except Exception as failure:
            log.error("rescoring_failed", exception=type(failure).__name__)
            return RescoringPlan(until=now + TRY_AGAIN_AFTER, danger_at=waiting.danger_at)

    def _plan(self, waiting: WaitingSubject, now: datetime) -> RescoringPlan:
        earlier = self.queue.earlier(waiting)
        if earlier is None:
            log.info("rescoring_ended", because="erased")
            return NOTHING
        decided = earlier.newest.submission
        rows = self._received(decided)
        if earlier.newest.lane == "rescue":
            return self._plan_after_rescue(earlier, rows, now)
        known = _KnownByNow.of_rows(earlier.newest, rows, now)
        shown = self._danger_shown(earlier, rows, known, now)
        danger = self._danger_to_come(earlier, known.submission, now)
        begun = danger if danger is not None and danger <= now else None
        if as_of := next(filter(None, (shown, begun)), None):
            return RescoringPlan(_request(earlier, rows, as_of, now), danger_at=as_of)
        if known.standing is None:  # withdrawn: from here on only danger matters
            return RescoringPlan(until=danger, danger_at=danger)
        by_rules = self._instant_by_rules(earlier, known.records, rows, now)
        if by_rules is not None and by_rules <= now:
            return RescoringPlan(_request(earlier, rows, by_rules, now))
        until = min((at for at in (danger, by_rules) if at), default=None)
        return RescoringPlan(until=until, danger_at=danger)

    def _danger_shown(
        self,
        earlier: EarlierDecisions,
        rows: Sequence[ReceivedRecord],
        known: "_KnownByNow",
        now: datetime,
    ) -> datetime | None:
        """Return the instant at which records show danger; None if only expired ones do."""
        shown = self._shown_by(earlier, known, now)
        in_time = _heard_in_time(earlier, rows, now)
        if shown is None or len(in_time) == len(rows):
            return shown
        newest = earlier.newest
        heard = _KnownByNow.of_rows(newest, in_time, now)
        if self._shown_by(earlier, heard, now) is None:
            _report_too_late(newest)
            return None
        return shown

    def _shown_by(
        self, earlier: EarlierDecisions, known: "_KnownByNow", now: datetime
    ) -> datetime | None:
        watch, known_at = self._batcher.danger_watch, [at for _, at in known.records]
        # The newest version may be dated ahead of the clock and not be in force yet, but it can
        # still reveal danger.
        declared = (known.submission, known.last)
        shown = (watch.danger_shown(earlier, each, known_at, now) for each in declared)
        return next(filter(None, shown), None)

    def _danger_to_come(
        self, earlier: EarlierDecisions, submission: Submission, now: datetime
    ) -> datetime | None:
        """Return when silence or delay puts a subject in danger; None if that instant expired."""
        danger = self._batcher.danger_watch.danger_to_come(earlier, submission)
        if danger is not None and now - danger > HEARD_FOR:
            _report_too_late(earlier.newest)
            return None
        return danger

    def _plan_after_rescue(
        self, earlier: EarlierDecisions, rows: Sequence[ReceivedRecord], now: datetime
    ) -> RescoringPlan:
        """Plan a rescore only for a new distress call after the earlier rescue has ended."""
        newest = earlier.newest
        counted, in_time = names_counted(newest), _heard_in_time(earlier, rows, now)
        unheard = [row for row in in_time if _name_of(row) not in counted]
        heard = [each for each in (row.record for row in unheard) if isinstance(each, Position)]
        called_at = [each.observed_at for each in heard if each.is_distress]
        if not called_at or not self.queue.has_rescue_ended({earlier.first_id, newest.decision_id}):
            return NOTHING
        # Records count strictly before `as_of`, hence JUST_AFTER; scoring instants never go back,
        # hence `next_from`. A call dated ahead by a wrong clock is scored as of now.
        as_of = max(newest.next_from, min(max(called_at) + JUST_AFTER, now))
        return RescoringPlan(_request(earlier, rows, as_of, now), danger_at=as_of)

    def _received(self, submission: Submission) -> list[ReceivedRecord]:
        """Return the received records of a subject and of the journey that carries it."""
        subjects = [(str(submission.subject_kind), submission.subject_id)]
        if submission.journey is not None and submission.subject_kind != "route":
            subjects.append(("route", submission.journey.journey_id))
        about = self._records.about(subjects)
        return [row for subject in subjects for row in about[subject]]

    def _instant_by_rules(
        self,
        earlier: EarlierDecisions,
        known: Sequence[NamedRecord],
        rows: Sequence[ReceivedRecord],
        now: datetime,
    ) -> datetime | None:
        """Return the scoring instant that the rules give for new records; None for no rescore.

        Records that become known while the declaration is withdrawn do not count.
        """
        newest = earlier.newest
        kinds = (
            *RESCORED_AFTER[newest.subject_kind],
            SUBJECT_TYPES[newest.subject_kind].record_file,
        )
        known_at = sorted(at for name, at in known if name.partition("/")[0] in kinds)
        if not known_at or self.queue.has_ended(earlier.first_id):
            return None
        instants = (self._rules.next_instant(at, newest.next_from) for at in known_at)
        stands = (at for at in instants if as_standing(newest.submission, rows, at))
        if (as_of := next(stands, None)) is None:
            return None
        if self._is_masked(newest):
            log.info("rescoring_ended", because="masked", decision_id=newest.decision_id)
            return None
        # Measured by the clock, so that a backlog after an outage is not scored past its period.
        by_clock = max(as_of, now)
        if self._rules.is_over(by_clock, self._first_due_at(earlier), earlier.later_scores):
            log.info("rescoring_ended", because="over", decision_id=newest.decision_id)
            return None
        return as_of

    def _first_due_at(self, earlier: EarlierDecisions) -> datetime:
        """Return when the journey was due in its first declaration.

        Amendments do not count, since they could otherwise extend the rescoring period without
        limit.
        """
        submission = earlier.newest.submission
        if any(each is not None and each.version > 1 for each in _declarations(submission)):
            first = self.queue.decision(earlier.first_id)
            submission = first.submission if first else submission
        return due_at(submission)


@dataclass(frozen=True)
class _KnownByNow:
    """The state of a subject as of now, and the records that did not count yet.

    `standing` is None if the declaration was withdrawn; `last` is its newest version that is not a
    withdrawal.
    """

    standing: Submission | None
    last: Submission
    records: Sequence[NamedRecord]

    @classmethod
    def of_rows(cls, newest: Decision, rows: Sequence[ReceivedRecord], now: datetime) -> Self:
        """Derive the state from the newest decision and the received rows."""
        decided = newest.submission
        stands = as_standing(decided, rows, now)
        last = _with_all_known(as_declared_last(decided, rows), rows, now)
        standing = _with_all_known(stands, rows, now) if stands else None
        records = [*not_counted(newest, standing or last), *amendments(decided, rows)]
        return cls(standing, last, records)

    @property
    def submission(self) -> Submission:
        """The declaration in force, or the last one if it was withdrawn."""
        return self.standing or self.last


def _heard_in_time(
    earlier: EarlierDecisions, rows: Sequence[ReceivedRecord], now: datetime
) -> list[ReceivedRecord]:
    """Return rows that already counted, and new ones received within HEARD_FOR."""
    counted, since = names_counted(earlier.newest), now - HEARD_FOR
    if earlier.first_at >= since:  # decided so recently that no row can be too old
        return [*rows]
    return [
        row
        for row in rows
        if _name_of(row) in counted or datetime.fromisoformat(row.received_at) >= since
    ]


def _name_of(row: ReceivedRecord) -> str:
    return f"{row.kind}/{row.record_id}"


def _declarations(submission: Submission) -> tuple[Journey | Shipment | None, ...]:
    return submission.journey, submission.shipment


def _with_all_known(
    submission: Submission, rows: Sequence[ReceivedRecord], now: datetime
) -> Submission:
    """Return a submission with all its own received records, as of now."""
    as_of_now = submission.model_copy(update={"as_of": now})
    own = [row for row in rows if row.subject_kind == submission.subject_kind]
    enriched, _ = enrich(as_of_now, own)
    return enriched


def _report_unconfirmed(decision: Decision) -> None:
    """Log an error if a decision made for danger did not find it."""
    if decision.lane != "rescue":
        log.error("danger_not_confirmed", decision_id=decision.decision_id)


def _report_too_late(newest: Decision) -> None:
    """Log an error for a danger sign that was read too late to call anyone."""
    log.error("danger_heard_too_late", decision_id=newest.decision_id)


def due_at(submission: Submission) -> datetime:
    """Return when the journey of a subject is due.

    Falls back to the instant of the declaration where no journey was known by then.
    """
    journey = submission.journey
    if SUBJECT_TYPES[submission.subject_kind].has_journey and (
        journey is None or journey.declared_at >= submission.declared_at
    ):
        return submission.declared_at
    assert journey is not None, "a route is a journey"
    return journey.due_at


def _request(
    earlier: EarlierDecisions, rows: Sequence[ReceivedRecord], as_of: datetime, now: datetime
) -> ScoreRequest:
    newest = earlier.newest
    body = {**orjson.loads(newest.request), **_amended(newest.submission, rows, as_of)}
    return ScoreRequest(
        caller=_caller({newest.office_id, (body.get("shipment") or {}).get("office_id")}),
        # One follow-up per decision: a second worker that plans the same one gets this answer.
        idempotency_key=f"after {newest.decision_id}",
        body=orjson.dumps(body | {"as_of": as_of.isoformat()}),
        at=now,
        answer_format=_as_id,
    )


def _amended(
    submission: Submission, rows: Sequence[ReceivedRecord], as_of: datetime
) -> dict[str, Any]:
    """Return, as JSON, the declarations that differ in version from the submitted ones."""
    standing = as_standing(submission, rows, as_of) or as_declared_last(submission, rows)
    fields = SUBJECT_TYPES[submission.subject_kind].submission_fields
    changed = [(name, getattr(standing, name)) for name in fields]
    return {
        name: each.model_dump(mode="json", exclude_none=True)
        for name, each in changed
        if each is not None and each.version != getattr(submission, name).version
    }


def _caller(offices: set[str | None]) -> Caller:
    """Return the internal caller, allowed for the previous office and an amendment's new one."""
    own = frozenset(filter(None, offices))
    return Caller(SCORES_AGAIN, "scoring again", frozenset({"score"}), own)


def _as_id(decision: Decision) -> bytes:
    """Return the decision id as the body; nobody reads the answer of a rescore."""
    return decision.decision_id.encode()
