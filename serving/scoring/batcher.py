"""Batch score requests: decide each once, store it durably, and only then answer it.

One thread decides all requests that are waiting, because they share one history lookup and an
additional row in a scorer call costs little. While one batch is being written the next one gathers;
a second computing thread would only contend with the first. Requests of one batch do not see each
other: each is scored against what was durable when its batch began, whether alone or with others.
"""

import asyncio
import itertools
import math
import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_all
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.decision_log_writer import LogWriter, PendingDecision
from serving.audit.errors import AnsweredMeanwhile
from serving.audit.ship_journey import ShipJourney
from serving.errors import LogUnavailable, ServingError, Unavailable
from serving.process.background_threads import BackgroundThread
from serving.request_parsing import read_submission
from serving.scoring.assessment import AssessmentRequest, Assessor
from serving.scoring.danger_watch import HEARD_ONLY, DangerWatch
from serving.scoring.future_dispatch import FutureDispatcher
from serving.scoring.idempotency import (
    Answer,
    Claim,
    IdempotencyClaims,
    repeated_answer,
    stored_answer,
)
from serving.scoring.shadow_scoring import ShadowRequest, ShadowScoring
from serving.scoring.ships import EarlierCalls

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository

# Bounds the latency of a batch's first request, which is written only after all are decided.
BATCH_SIZE = 64

# The rows of a large call are decided in groups of about this time, and the requests of others come
# in between: nobody waits for more than the group in progress and their own.
LARGE_CALL_GROUP_S = 0.2
MAX_LARGE_CALL_GROUP = 256  # the capacity of the log writer

# Callers that were just answered often send their next request at once. This short wait lets them
# join the batch and costs a lone request little.
ASK_AGAIN_WITHIN_S = 0.003

NOT_DURABLE_YET = "the decision is not durable yet; ask again with the same idempotency key"

NOBODY_DECIDES = "the thread that decides has died, and nothing is decided until a new start"

AnswerFormat = Callable[[Decision], bytes]


@dataclass(frozen=True)
class ScoreRequest:
    """A request to score one subject: caller, idempotency key, body, and format of the answer."""

    caller: Caller
    idempotency_key: str
    body: bytes
    at: datetime
    answer_format: AnswerFormat

    @property
    def claim(self) -> Claim:
        """The caller id and idempotency key, which identify exactly one decision."""
        return self.caller.key_id, self.idempotency_key

    def read(self) -> AssessmentRequest:
        """Parse the body; raises BodyMalformed or SubmissionRefused."""
        return AssessmentRequest(self.caller, read_submission(self.body), self.body, self.at)


BatchResult = Answer | Exception


@dataclass
class PendingRequest:
    """A queued request, with the future that its caller awaits."""

    request: ScoreRequest
    future: "asyncio.Future[BatchResult]"
    dispatcher: FutureDispatcher[BatchResult]
    row: int = 0  # its place in its call
    is_decided: bool = False

    def finish(self, result: BatchResult) -> None:
        """Hand the result to the caller's event loop; safe from any thread."""
        self.dispatcher.dispatch(self.future, result)


@dataclass(frozen=True)
class ClaimedRequest:
    """A parsed request whose idempotency key is claimed, so nothing else decides it meanwhile."""

    pending: PendingRequest
    assessment: AssessmentRequest

    @property
    def claim(self) -> Claim:
        """The claim that this request holds."""
        return self.pending.request.claim


class RequestBatcher:
    """Collects requests into batches and decides each once."""

    def __init__(
        self,
        assessor: Assessor,
        answers: "DecisionRepository",
        writer: LogWriter,
        shadow_scoring: ShadowScoring,
        deadline_s: float,
        earlier_calls: EarlierCalls,
        danger_watch: DangerWatch = HEARD_ONLY,
    ):
        self.assessor = assessor
        self._earlier_calls = earlier_calls
        self.danger_watch = danger_watch
        self._answers = answers
        self.writer = writer
        self.shadow_scoring = shadow_scoring
        self.claims = IdempotencyClaims()
        self._deadline_s = deadline_s
        self._dispatcher: FutureDispatcher[BatchResult] | None = None
        self._overdue: set[Future[None]] = set()
        # By the instant at which a request is due, then by arrival.
        self._queue: queue.PriorityQueue[tuple[float, int, PendingRequest | None]] = (
            queue.PriorityQueue()
        )
        self._arrivals = itertools.count()
        self._row_s = LARGE_CALL_GROUP_S / BATCH_SIZE
        self.thread = BackgroundThread("request-batcher", self._run)

    def open(self) -> None:
        """Start the threads that decide, write and score for comparison."""
        self.assessor.models.watch()
        self.shadow_scoring.start()
        self.writer.start()
        self.thread.start()

    def close(self) -> None:
        """Decide and write every accepted request, then stop the threads."""
        # The order matters: the batcher feeds the writer, and a written decision feeds shadow
        # scoring.
        self._queue.put((math.inf, next(self._arrivals), None))
        self.thread.join()
        self.writer.stop()
        self.shadow_scoring.stop()
        self.assessor.models.stop()

    @property
    def depth(self) -> int:
        """Return the number of requests waiting to be decided or written."""
        return self._queue.qsize() + self.writer.depth

    async def answer(self, request: ScoreRequest) -> Answer:
        """Return the answer once its decision is durable, or the stored one for a repeated key.

        Raises Conflict, Unprocessable or TooBusy, any error of parsing and assessing, and
        Unavailable where nothing was decided or durability is not confirmed in time. Retrying with
        the same key then shows the outcome.
        """
        (outcome,) = await self.answer_all([request])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def answer_all(self, requests: Sequence[ScoreRequest]) -> list[Answer | ServingError]:
        """Return each answer, or the ServingError in its place; other exceptions are raised."""
        waiting = [self._put(request, row) for row, request in enumerate(requests)]
        while not all(pending.future.done() for pending in waiting):
            await self._wait(waiting)
        outcomes = [pending.future.result() for pending in waiting]
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, ServingError):
                raise outcome
        return outcomes  # type: ignore[return-value]  # others were raised

    async def _wait(self, waiting: Sequence[PendingRequest]) -> None:
        """Wait for results until the deadline; fail what is decided but not yet written.

        Undecided requests keep waiting, unless the deciding thread has died.
        """
        try:
            async with asyncio.timeout(self._deadline_s):
                for pending in waiting:
                    # The shield keeps the timeout from cancelling a future that the writer may
                    # still resolve.
                    await asyncio.shield(pending.future)
        except TimeoutError:
            is_dead = self.thread.fault() == "dead"
            for pending in waiting:
                if pending.is_decided and not pending.future.done():
                    pending.future.set_result(LogUnavailable(NOT_DURABLE_YET))
                elif is_dead and not pending.future.done():
                    pending.future.set_result(Unavailable(NOBODY_DECIDES))

    def _put(self, request: ScoreRequest, row: int) -> PendingRequest:
        if self.thread.fault() == "dead":
            raise Unavailable(NOBODY_DECIDES)
        loop = asyncio.get_running_loop()
        dispatcher = self._dispatcher
        if dispatcher is None or dispatcher.loop is not loop:  # loops are per thread
            dispatcher = self._dispatcher = FutureDispatcher(loop)
        waiting = PendingRequest(request, loop.create_future(), dispatcher, row)
        # A row is due when those before it are decided, as if its caller had sent one after the
        # other: a large call delays no other, and nobody can delay its rows forever.
        due_s = time.monotonic() + row * self._row_s
        self._queue.put((due_s, next(self._arrivals), waiting))
        return waiting

    def _run(self) -> None:
        is_open, answered = True, 0
        while is_open:
            group, is_open = self._gather(answered)
            began_s = time.monotonic()
            claimed = [request for pending in group for request in self._claim(pending)]
            to_write: list[tuple[ClaimedRequest, Answer, PendingDecision]] = []
            for request, outcome in zip(claimed, self._decide(claimed), strict=True):
                if isinstance(outcome, Decision):
                    to_write.extend(self._record(request, outcome))
                else:
                    self._finish(request, outcome)
            # Submitted in one go, or the writer would commit the first ones by themselves.
            written = [future for each in to_write for future in self._write(*each)]
            self._await_written(written)
            if len(group) >= 8:  # fewer share too little to tell
                self._row_s = (self._row_s + (time.monotonic() - began_s) / len(group)) / 2
            # A lone caller that was answered is the one that asks next: nobody else is waited for.
            answered = 0 if len(group) == 1 and self._queue.empty() else len(group)

    def _await_written(self, written: "list[Future[None]]") -> None:
        """Wait until a batch is written, but never while an older write is overdue."""
        self._overdue = {write for write in self._overdue if not write.done()}
        # One stuck write must not delay the next batches as well, so their waits are skipped until
        # it completes.
        patience_s = 0 if self._overdue else self._deadline_s
        self._overdue |= wait_for_all(written, patience_s).not_done

    def _gather(self, answered: int) -> tuple[list[PendingRequest], bool]:
        """Return the waiting requests, and False if the batcher is closing.

        Waits up to ASK_AGAIN_WITHIN_S for as many requests as were just answered, so that more of
        them share the cost of a batch.
        """
        group: list[PendingRequest] = []
        *_, waiting = self._queue.get()
        expected = min(1 + self._queue.qsize() + answered, BATCH_SIZE)
        deadline_s = time.monotonic() + ASK_AGAIN_WITHIN_S
        while waiting is not None:
            group.append(waiting)
            patience_s = deadline_s - time.monotonic() if len(group) < expected else 0.0
            is_full = len(group) >= (self._rows_in_time() if waiting.row else BATCH_SIZE)
            if is_full or (patience_s <= 0 and self._queue.empty()):
                return group, True
            try:
                *_, waiting = self._queue.get(timeout=max(patience_s, 0.0))
            except queue.Empty:
                return group, True
        return group, False

    def _rows_in_time(self) -> int:
        """Return the rows of a large call that are decided and written together."""
        return max(1, min(MAX_LARGE_CALL_GROUP, int(LARGE_CALL_GROUP_S / self._row_s)))

    def _claim(self, pending: PendingRequest) -> tuple[ClaimedRequest, ...]:
        """Parse and claim a request; return () after answering one that is refused."""
        try:
            request = pending.request.read()
            self.claims.acquire(pending.request.claim)
        except Exception as refusal:
            pending.finish(refusal)
            return ()
        return (ClaimedRequest(pending, request),)

    def _decide(self, claimed: Sequence[ClaimedRequest]) -> Sequence[Decision | BatchResult]:
        """Decide each claimed request, or return its stored answer or error."""
        try:
            given = self._answers.answers([request.claim for request in claimed])
            new = [request.assessment for request in claimed if request.claim not in given]
            if new:
                # Before assessing, so that a distress call heard earlier already counts in this
                # decision.
                self._earlier_calls.follow([each.submission for each in new], new[-1].at)
            decided = iter(self.assessor.assess(new))
        except Exception as failure:  # the thread must outlive any failure of one group
            return [failure] * len(claimed)
        return [
            repeated_answer(given[request.claim], request.assessment)
            if request.claim in given
            else next(decided)
            for request in claimed
        ]

    def _record(
        self, request: ClaimedRequest, decision: Decision
    ) -> tuple[tuple[ClaimedRequest, Answer, PendingDecision], ...]:
        """Return a request with its answer and what is to be written, or () after a failure."""
        try:
            body = request.pending.request.answer_format(decision)
            decision = decision.answered_with(body)
            stored = stored_answer(decision, request.claim, body)
            submission = request.assessment.submission
            logged = decision.logged(
                self.danger_watch.watched_until(decision, submission),
                ShipJourney.of_submission(submission),
            )
        except Exception as failure:
            self._finish(request, failure)
            return ()
        return ((request, Answer(body, decision), PendingDecision(logged, stored, submission)),)

    def _write(
        self, request: ClaimedRequest, answer: Answer, decision: PendingDecision
    ) -> "tuple[Future[None], ...]":
        """Queue a decision for writing; return its future, or () after a failure."""
        # Set before queueing: from here on a timeout must say "not durable yet", because the write
        # may succeed.
        request.pending.is_decided = True
        try:
            durable = self.writer.submit(decision)
        except Exception as failure:
            self._finish(request, failure)
            return ()
        durable.add_done_callback(lambda done: self._written(request, answer, done.exception()))
        return (durable,)

    def _written(
        self, request: ClaimedRequest, answer: Answer, failure: BaseException | None
    ) -> None:
        """Answer a request and release its key, now that the outcome of the write is known."""
        match failure:
            case None:
                assert answer.decision is not None
                self._finish(request, answer)
                self.shadow_scoring.submit(ShadowRequest.about(answer.decision))
            case AnsweredMeanwhile():
                # Another worker committed the same key first; its stored answer is the one that
                # counts.
                self._finish(request, self._answer_of_another_process(request))
            case Exception():
                self._finish(request, failure)

    def _answer_of_another_process(self, request: ClaimedRequest) -> BatchResult:
        claim = request.claim
        try:
            given = self._answers.answers([claim])
        except LogUnavailable as failure:
            return failure
        if claim not in given:
            return LogUnavailable("the decision could not be stored; ask again with the same key")
        return repeated_answer(given[claim], request.assessment)

    def _finish(self, request: ClaimedRequest, result: BatchResult) -> None:
        self.claims.release(request.claim)
        request.pending.finish(result)
