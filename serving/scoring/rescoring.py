"""Score subjects again when something becomes known of them, or nothing does for too long.

When is said by `rescoring_rules` for records, and by `danger_watch` for danger to life.

Whoever waits stands in the database from the commit of the record on, so a kill loses nobody. A
subject is planned from what is durable: the records that did not count in its newest decision. So
the same records again score nothing, and of two workers one decides. The request is the first one's
body with a later `as_of`, and with the version of the declaration that stands as of then; nobody
asked for it, so it has a caller of its own.

An amended declaration is scored again as for any record, one that was withdrawn no more, unless
lives are at risk: whoever withdraws a journey calls no search off.

Signs of danger to life wait for no rule: a route is scored as of when a record shows them, or as of
when silence or delay does, which is planned with the decision and cancelled by what becomes known.

Nobody is scored again by the rules whose case has ended, who is masked by now, or who waited until
its days are over by the clock; nor at all who is in the rescue lane: people were called. Danger to
life is heard for some days, masked or not, and no longer.
"""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol, Self

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

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5
BATCH_SIZE = 64
TRY_AGAIN_AFTER = timedelta(seconds=10)
BEHIND_AFTER = timedelta(minutes=1)


@dataclass(frozen=True)
class WaitingSubject:
    """A subject, by its token, of which something became known; `arrivals` says how often.

    `due_at` is since when it waits for its turn, or until when. From `danger_at` on signs of danger
    to life are known, and it comes before all others.
    """

    subject_kind: str
    token: str
    arrivals: int
    due_at: datetime
    danger_at: datetime | None = None


class RescoringQueue(Protocol):
    """The subjects that wait to be scored again. Every method raises LogUnavailable."""

    def begin(self) -> None:
        """Look through decisions from now on; of earlier ones only records that come count."""
        ...

    def find(self, now: datetime) -> None:
        """Add subjects that were decided since the last look and had records before."""
        ...

    def due(self, now: datetime, limit: int) -> list[WaitingSubject]:
        """The subjects that are due: in danger first, then routes, the longest first."""
        ...

    def earlier(self, waiting: WaitingSubject) -> EarlierDecisions | None:
        """Return what was decided about one of them; None where nothing is left of it."""
        ...

    def decision(self, decision_id: str) -> Decision | None:
        """A decision; None where it was erased."""
        ...

    def has_rescue_ended(self, case_ids: Set[str]) -> bool:
        """Return whether rescues among these cases were all closed, and there was one."""
        ...

    def has_ended(self, case_id: str) -> bool:
        """Return whether the case of a first decision was closed."""
        ...

    def put_off(self, waits: Iterable[WaitingSubject]) -> None:
        """Let each wait until it is due, but for what becomes known meanwhile."""
        ...

    def remove(self, done: Sequence[WaitingSubject]) -> None:
        """Let them wait no more, unless something became known since they were read."""
        ...


@dataclass(frozen=True)
class RescoringPlan:
    """What is to be done about a waiting subject: score it, or wait until then, or neither.

    `danger_at` is where signs of danger to life are why, or will be: as of when.
    """

    request: ScoreRequest | None = None
    until: datetime | None = None
    danger_at: datetime | None = None


NOTHING = RescoringPlan()


class Rescoring:
    """Scores waiting subjects again on a thread of its own; `on_decided` is told of each."""

    def __init__(
        self,
        queue: RescoringQueue,
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
        """Whether who is being scored, or was when it failed, has waited for more than a minute."""
        since = self._waits_since
        return since is not None and self._clock() - since > BEHIND_AFTER

    def start(self) -> None:
        """Start to score who waits."""
        self.queue.begin()
        self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish who is being scored; the others are scored when the service is back."""
        self.polling.stop()

    def score_due(self) -> int:
        """Score every subject that is due; returns how many new decisions that made."""
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
        """Score these, and whose life is in danger before the others: some take long."""
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
                if plans[waiting].danger_at:  # it is over, or would be asked for ever
                    done.append(waiting)
                    _report_unconfirmed(answer.decision)
        if later:
            self.queue.put_off(later)
        if done:
            self.queue.remove(done)
        return made

    def _planned(self, waiting: WaitingSubject, now: datetime) -> RescoringPlan:
        """The plan; one subject whose plan fails keeps no other waiting."""
        try:
            return self._plan(waiting, now)
        except Unprocessable as refusal:  # its request is none that this release would take
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
        if known.standing is None:  # it was withdrawn: danger alone is waited for
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
        """As of when records show danger; None too where all that do waited for too long."""
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
        declared = (known.submission, known.last)  # the last may be ahead of the clock
        shown = (watch.danger_shown(earlier, each, known_at, now) for each in declared)
        return next(filter(None, shown), None)

    def _danger_to_come(
        self, earlier: EarlierDecisions, submission: Submission, now: datetime
    ) -> datetime | None:
        """When silence or delay puts it in danger; None too where that waited for too long."""
        danger = self._batcher.danger_watch.danger_to_come(earlier, submission)
        if danger is not None and now - danger > HEARD_FOR:
            _report_too_late(earlier.newest)
            return None
        return danger

    def _plan_after_rescue(
        self, earlier: EarlierDecisions, rows: Sequence[ReceivedRecord], now: datetime
    ) -> RescoringPlan:
        """Nobody in the rescue lane is scored again, but who calls for help once that has ended."""
        newest = earlier.newest
        counted, in_time = names_counted(newest), _heard_in_time(earlier, rows, now)
        unheard = [row for row in in_time if _name_of(row) not in counted]
        heard = [each for each in (row.record for row in unheard) if isinstance(each, Position)]
        called_at = [each.observed_at for each in heard if each.is_distress]
        if not called_at or not self.queue.has_rescue_ended({earlier.first_id, newest.decision_id}):
            return NOTHING
        as_of = max(newest.next_from, min(max(called_at) + JUST_AFTER, now))
        return RescoringPlan(_request(earlier, rows, as_of, now), danger_at=as_of)

    def _received(self, submission: Submission) -> list[ReceivedRecord]:
        """The records of a subject that were received, and those of the journey that brings it."""
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
        """As of when the rules score a subject again for records; None where they don't.

        What becomes known while the declaration is withdrawn scores nothing.
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
        by_clock = max(as_of, now)  # whoever waited while a service stood still is not scored late
        if self._rules.is_over(by_clock, self._first_due_at(earlier), earlier.later_scores):
            log.info("rescoring_ended", because="over", decision_id=newest.decision_id)
            return None
        return as_of

    def _first_due_at(self, earlier: EarlierDecisions) -> datetime:
        """Return when a journey was due by its first declaration: no amendment moves the bounds."""
        submission = earlier.newest.submission
        if any(each is not None and each.version > 1 for each in _declarations(submission)):
            first = self.queue.decision(earlier.first_id)
            submission = first.submission if first else submission
        return due_at(submission)


@dataclass(frozen=True)
class _KnownByNow:
    """What is known of a subject by some records, and which of them did not count yet.

    `standing` is None where its declaration was withdrawn, `last` the newest that was none.
    """

    standing: Submission | None
    last: Submission
    records: Sequence[NamedRecord]

    @classmethod
    def of_rows(cls, newest: Decision, rows: Sequence[ReceivedRecord], now: datetime) -> Self:
        """That of a subject by its newest decision and rows about it."""
        decided = newest.submission
        stands = as_standing(decided, rows, now)
        last = _with_all_known(as_declared_last(decided, rows), rows, now)
        standing = _with_all_known(stands, rows, now) if stands else None
        records = [*not_counted(newest, standing or last), *amendments(decided, rows)]
        return cls(standing, last, records)

    @property
    def submission(self) -> Submission:
        """The declaration that stands, or the last that did."""
        return self.standing or self.last


def _heard_in_time(
    earlier: EarlierDecisions, rows: Sequence[ReceivedRecord], now: datetime
) -> list[ReceivedRecord]:
    """The records that counted already, and those that did not wait for too long to be heard."""
    counted, since = names_counted(earlier.newest), now - HEARD_FOR
    if earlier.first_at >= since:  # nobody could hear of it before
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
    """A submission with every record of its own that was received, as of now."""
    as_of_now = submission.model_copy(update={"as_of": now})
    own = [row for row in rows if row.subject_kind == submission.subject_kind]
    enriched, _ = enrich(as_of_now, own)
    return enriched


def _report_unconfirmed(decision: Decision) -> None:
    """Say where the decision did not find the danger that it was made for."""
    if decision.lane != "rescue":
        log.error("danger_not_confirmed", decision_id=decision.decision_id)


def _report_too_late(newest: Decision) -> None:
    """Say that a sign of danger was read so late that nobody is called for it."""
    log.error("danger_heard_too_late", decision_id=newest.decision_id)


def due_at(submission: Submission) -> datetime:
    """When the journey of a subject is due; the declaration where that was not known by then."""
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
        idempotency_key=f"after {newest.decision_id}",  # so that each is followed once
        body=orjson.dumps(body | {"as_of": as_of.isoformat()}),
        at=now,
        answer_format=_as_id,
    )


def _amended(
    submission: Submission, rows: Sequence[ReceivedRecord], as_of: datetime
) -> dict[str, Any]:
    """The declarations of a submission of which another version stands at an instant, as JSON."""
    standing = as_standing(submission, rows, as_of) or as_declared_last(submission, rows)
    fields = SUBJECT_TYPES[submission.subject_kind].submission_fields
    changed = [(name, getattr(standing, name)) for name in fields]
    return {
        name: each.model_dump(mode="json", exclude_none=True)
        for name, each in changed
        if each is not None and each.version != getattr(submission, name).version
    }


def _caller(offices: set[str | None]) -> Caller:
    """Who scores again: for the office of before, and for the one that an amendment names."""
    own = frozenset(filter(None, offices))
    return Caller(SCORES_AGAIN, "scoring again", frozenset({"score"}), own)


def _as_id(decision: Decision) -> bytes:
    """The answer that nobody waits for."""
    return decision.decision_id.encode()
