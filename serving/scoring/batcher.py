"""Batch score requests: each is decided once, durably, and only then answered.

One thread decides all that waits together, since requests share one history and one call of the
scorer costs little more than a row; while a group is written the next one gathers, for two threads
that compute only wait for each other. What is decided together does not see each other: a subject
is seen against what was durable when its turn came, alone as in a batch.
"""

import asyncio
import queue
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_all
from dataclasses import dataclass
from datetime import datetime

from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.decision_log_writer import LogWriter
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
    AnswerStore,
    Claim,
    IdempotencyClaims,
    repeated_answer,
    stored_answer,
)
from serving.scoring.shadow_scoring import ShadowRequest, ShadowScoring
from serving.scoring.ships import EarlierCalls

# At most so many are decided before the first of them is written.
BATCH_SIZE = 64

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
        """The caller and its idempotency key, for which one decision is made."""
        return self.caller.key_id, self.idempotency_key

    def read(self) -> AssessmentRequest:
        """The request; raises BodyMalformed or SubmissionRefused."""
        return AssessmentRequest(self.caller, read_submission(self.body), self.body, self.at)


BatchResult = Answer | Exception


@dataclass
class PendingRequest:
    """A request, and the future of who waits for its result."""

    request: ScoreRequest
    future: "asyncio.Future[BatchResult]"
    dispatcher: FutureDispatcher[BatchResult]
    is_decided: bool = False

    def finish(self, result: BatchResult) -> None:
        """Give the result to whoever waits."""
        self.dispatcher.dispatch(self.future, result)


@dataclass(frozen=True)
class ClaimedRequest:
    """A request that was read and claimed: nobody else decides it meanwhile."""

    pending: PendingRequest
    assessment: AssessmentRequest

    @property
    def claim(self) -> Claim:
        """The claim that this request has."""
        return self.pending.request.claim


class RequestBatcher:
    """Collects requests into batches and decides each once."""

    def __init__(
        self,
        assessor: Assessor,
        answers: AnswerStore,
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
        self._queue: queue.SimpleQueue[PendingRequest | None] = queue.SimpleQueue()
        self.thread = BackgroundThread("request-batcher", self._run)

    def open(self) -> None:
        """Begin to decide, and to write what is decided."""
        self.assessor.models.watch()
        self.shadow_scoring.start()
        self.writer.start()
        self.thread.start()

    def close(self) -> None:
        """Finish what was taken, and write it."""
        self._queue.put(None)
        self.thread.join()
        self.writer.stop()
        self.shadow_scoring.stop()
        self.assessor.models.stop()

    @property
    def depth(self) -> int:
        """Return how many wait to be decided, or to be written."""
        return self._queue.qsize() + self.writer.depth

    async def answer(self, request: ScoreRequest) -> Answer:
        """The answer, when its decision is durable; an earlier one where the key was used before.

        Raises Conflict, Unprocessable or TooBusy, what reading and assessing raise, and
        Unavailable where nothing was decided, or it is not known to be durable in time: the same
        key tells.
        """
        (outcome,) = await self.answer_all([request])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def answer_all(self, requests: Sequence[ScoreRequest]) -> list[Answer | ServingError]:
        """Each answer, or what `answer` would raise in its place; what is unforeseen is raised."""
        waiting = [self._put(request) for request in requests]
        while not all(pending.future.done() for pending in waiting):
            await self._wait(waiting)
        outcomes = [pending.future.result() for pending in waiting]
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, ServingError):
                raise outcome
        return outcomes  # type: ignore[return-value]  # others were raised

    async def _wait(self, waiting: Sequence[PendingRequest]) -> None:
        """Wait for outcomes; what is written for too long by then ends here."""
        try:
            async with asyncio.timeout(self._deadline_s):
                for pending in waiting:
                    await asyncio.shield(pending.future)
        except TimeoutError:
            is_dead = self.thread.fault() == "dead"
            for pending in waiting:
                if pending.is_decided and not pending.future.done():
                    pending.future.set_result(LogUnavailable(NOT_DURABLE_YET))
                elif is_dead and not pending.future.done():
                    pending.future.set_result(Unavailable(NOBODY_DECIDES))

    def _put(self, request: ScoreRequest) -> PendingRequest:
        if self.thread.fault() == "dead":
            raise Unavailable(NOBODY_DECIDES)
        loop = asyncio.get_running_loop()
        dispatcher = self._dispatcher
        if dispatcher is None or dispatcher.loop is not loop:  # another thread has its own loop
            dispatcher = self._dispatcher = FutureDispatcher(loop)
        waiting = PendingRequest(request, loop.create_future(), dispatcher)
        self._queue.put(waiting)
        return waiting

    def _run(self) -> None:
        is_open, answered = True, 0
        while is_open:
            group, is_open = self._gather(answered)
            claimed = [request for pending in group for request in self._claim(pending)]
            written: list[Future[None]] = []
            for request, outcome in zip(claimed, self._decide(claimed), strict=True):
                if isinstance(outcome, Decision):
                    written.extend(self._write(request, outcome))
                else:
                    self._finish(request, outcome)
            self._await_written(written)
            answered = len(group)

    def _await_written(self, written: "list[Future[None]]") -> None:
        """Wait for a group; but where one is overdue, nobody's answer waits for another's."""
        self._overdue = {write for write in self._overdue if not write.done()}
        patience_s = 0 if self._overdue else self._deadline_s
        self._overdue |= wait_for_all(written, patience_s).not_done

    def _gather(self, answered: int) -> tuple[list[PendingRequest], bool]:
        """All that waits, and whether more may come.

        Of those just answered many ask again at once; they are given a moment for it, so that what
        a group costs is shared by more.
        """
        group: list[PendingRequest] = []
        waiting = self._queue.get()
        expected = min(1 + self._queue.qsize() + answered, BATCH_SIZE)
        deadline_s = time.monotonic() + ASK_AGAIN_WITHIN_S
        while waiting is not None:
            group.append(waiting)
            patience_s = deadline_s - time.monotonic() if len(group) < expected else 0.0
            if len(group) == BATCH_SIZE or (patience_s <= 0 and self._queue.empty()):
                return group, True
            try:
                waiting = self._queue.get(timeout=max(patience_s, 0.0))
            except queue.Empty:
                return group, True
        return group, False

    def _claim(self, pending: PendingRequest) -> tuple[ClaimedRequest, ...]:
        """Read and claim a request; nothing where it ends here."""
        try:
            request = pending.request.read()
            self.claims.acquire(pending.request.claim)
        except Exception as refusal:
            pending.finish(refusal)
            return ()
        return (ClaimedRequest(pending, request),)

    def _decide(self, claimed: Sequence[ClaimedRequest]) -> Sequence[Decision | BatchResult]:
        """A decision each, unless there is an answer already."""
        try:
            given = self._answers.answers([request.claim for request in claimed])
            new = [request.assessment for request in claimed if request.claim not in given]
            if new:
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

    def _write(self, request: ClaimedRequest, decision: Decision) -> "tuple[Future[None], ...]":
        """Let it be written; when that is done, or nothing where it ends here."""
        try:
            body = request.pending.request.answer_format(decision)
            decision = decision.answered_with(body)
            stored = stored_answer(decision, request.claim, body)
            request.pending.is_decided = True
            submission = request.assessment.submission
            logged = decision.logged(
                self.danger_watch.watched_until(decision, submission),
                ShipJourney.of_submission(submission),
            )
            durable = self.writer.submit(logged, stored, submission)
        except Exception as failure:
            self._finish(request, failure)
            return ()
        answer = Answer(body, decision)
        durable.add_done_callback(lambda done: self._written(request, answer, done.exception()))
        return (durable,)

    def _written(
        self, request: ClaimedRequest, answer: Answer, failure: BaseException | None
    ) -> None:
        """Only now, when its fate is known, may the same key come again."""
        match failure:
            case None:
                assert answer.decision is not None
                self._finish(request, answer)
                self.shadow_scoring.submit(ShadowRequest.about(answer.decision))
            case AnsweredMeanwhile():
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
