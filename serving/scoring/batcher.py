"""Where requests are decided: once, durably, and only then answered.

One thread decides all that waits together, since requests share one history and one call of the
scorer costs little more than a row; while a group is written the next one gathers, for two threads
that compute only wait for each other. What is decided together does not see each other: a subject
is seen against what was durable when its turn came, alone as in a batch.
"""

import asyncio
import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import wait as wait_for_all
from dataclasses import dataclass
from datetime import datetime

from serving.access.callers import Caller
from serving.audit.decision import Decision
from serving.audit.decision_log import StoredAnswer
from serving.audit.log_writer import LogWriter
from serving.db.repositories.decision_repository import DecisionRepository
from serving.errors import (
    AnsweredMeanwhile,
    IdempotencyKeyReused,
    LogUnavailable,
    ServingError,
)
from serving.request_parsing import read_submission
from serving.scoring.assessment import Assessor, Request
from serving.scoring.future_dispatch import Settling
from serving.scoring.idempotency import Claim, Claims
from serving.scoring.shadow_scoring import Question, SecondOpinions

TOGETHER = 64
"""At most so many are decided before the first of them is written."""

NOT_DURABLE_YET = "the decision is not durable yet; ask again with the same idempotency key"

Worded = Callable[[Decision], bytes]


@dataclass(frozen=True)
class Asked:
    """What a caller wants decided, under which key, and how its answer is to be worded."""

    caller: Caller
    idempotency_key: str
    body: bytes
    at: datetime
    worded: Worded

    @property
    def claim(self) -> Claim:
        """What a decision is made for once."""
        return self.caller.key_id, self.idempotency_key

    def read(self) -> Request:
        """The request; raises BodyMalformed or SubmissionRefused."""
        return Request(self.caller, read_submission(self.body), self.body, self.at)


@dataclass(frozen=True)
class Answer:
    """The bytes of an answer, and the decision where it was made just now."""

    body: bytes
    decision: Decision | None = None


Outcome = Answer | Exception


@dataclass
class Waiting:
    """Something asked, and who waits for its outcome."""

    asked: Asked
    future: "asyncio.Future[Outcome]"
    settling: Settling[Outcome]
    is_decided: bool = False

    def end(self, outcome: Outcome) -> None:
        """Let whoever waits have it."""
        self.settling.settle(self.future, outcome)


@dataclass(frozen=True)
class Taken:
    """Something whose turn has come: nobody else decides it meanwhile."""

    waiting: Waiting
    request: Request


class Desk:
    """Decides requests, each once."""

    def __init__(
        self,
        assessor: Assessor,
        log: DecisionRepository,
        writer: LogWriter,
        opinions: SecondOpinions,
        deadline_s: float,
    ):
        self.assessor = assessor
        self.log = log
        self.writer = writer
        self.opinions = opinions
        self.claims = Claims()
        self._deadline_s = deadline_s
        self._settling: Settling[Outcome] | None = None
        self._overdue: set[Future[None]] = set()
        self._queue: queue.SimpleQueue[Waiting | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="desk", daemon=True)

    def open(self) -> None:
        """Begin to decide, and to write what is decided."""
        self.assessor.champions.watch()
        self.opinions.start()
        self.writer.start()
        self._thread.start()

    def close(self) -> None:
        """Finish what was taken, and write it."""
        self._queue.put(None)
        self._thread.join()
        self.writer.stop()
        self.opinions.stop()
        self.assessor.champions.stop()

    @property
    def depth(self) -> int:
        """How many wait to be decided, or to be written."""
        return self._queue.qsize() + self.writer.depth

    async def answer(self, asked: Asked) -> Answer:
        """The answer, when its decision is durable; an earlier one where the key was used before.

        Raises StillInProgress, IdempotencyKeyReused, TooBusy, what reading and assessing raise, and
        Unavailable where nothing was decided, or it is not known to be durable in time: the same
        key tells.
        """
        (outcome,) = await self.answers([asked])
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    async def answers(self, asked: Sequence[Asked]) -> list[Answer | ServingError]:
        """Each answer, or what `answer` would raise in its place; what is unforeseen is raised."""
        waiting = [self._put(one) for one in asked]
        while not all(one.future.done() for one in waiting):
            await self._wait(waiting)
        outcomes = [one.future.result() for one in waiting]
        for outcome in outcomes:
            if isinstance(outcome, Exception) and not isinstance(outcome, ServingError):
                raise outcome
        return outcomes  # type: ignore[return-value]

    async def _wait(self, waiting: Sequence[Waiting]) -> None:
        """Wait for outcomes; what is written for too long by then ends here."""
        try:
            async with asyncio.timeout(self._deadline_s):
                for one in waiting:
                    await asyncio.shield(one.future)
        except TimeoutError:
            for one in waiting:
                if one.is_decided and not one.future.done():
                    one.future.set_result(LogUnavailable(NOT_DURABLE_YET))

    def _put(self, asked: Asked) -> Waiting:
        loop = asyncio.get_running_loop()
        if self._settling is None or self._settling.loop is not loop:
            self._settling = Settling(loop)
        waiting = Waiting(asked, loop.create_future(), self._settling)
        self._queue.put(waiting)
        return waiting

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._gather()
            taken = [one for waiting in group for one in self._taken(waiting)]
            written: list[Future[None]] = []
            for one, outcome in zip(taken, self._decided(taken), strict=True):
                if isinstance(outcome, Decision):
                    written.extend(self._write(one, outcome))
                else:
                    self._end(one, outcome)
            self._let_be_written(written)

    def _let_be_written(self, written: "list[Future[None]]") -> None:
        """Wait for a group; but where one is overdue, nobody's answer waits for another's."""
        self._overdue = {one for one in self._overdue if not one.done()}
        patience_s = 0 if self._overdue else self._deadline_s
        self._overdue |= wait_for_all(written, patience_s).not_done

    def _gather(self) -> tuple[list[Waiting], bool]:
        """All that waits, and whether more may come."""
        group: list[Waiting] = []
        waiting = self._queue.get()
        while waiting is not None:
            group.append(waiting)
            if len(group) == TOGETHER or self._queue.empty():
                return group, True
            waiting = self._queue.get()
        return group, False

    def _taken(self, waiting: Waiting) -> tuple[Taken, ...]:
        """It, read and claimed; nothing where it ends here."""
        try:
            request = waiting.asked.read()
            self.claims.take(waiting.asked.claim)
        except Exception as refusal:
            waiting.end(refusal)
            return ()
        return (Taken(waiting, request),)

    def _decided(self, taken: Sequence[Taken]) -> Sequence[Decision | Outcome]:
        """A decision each, unless there is an answer already."""
        try:
            given = self.log.answers([one.waiting.asked.claim for one in taken])
            new = [one.request for one in taken if one.waiting.asked.claim not in given]
            decided = iter(self.assessor.assess(new))
        except Exception as failure:  # the thread must outlive any failure of one group
            return [failure] * len(taken)
        return [
            _again(given[one.waiting.asked.claim], one.request)
            if one.waiting.asked.claim in given
            else next(decided)
            for one in taken
        ]

    def _write(self, one: Taken, decision: Decision) -> "tuple[Future[None], ...]":
        """Let it be written; when that is done, or nothing where it ends here."""
        try:
            body = one.waiting.asked.worded(decision)
            decision = decision.answered_with(body)
            answer = _answer_row(decision, one.waiting.asked.claim, body)
            one.waiting.is_decided = True
            durable = self.writer.submit(decision.logged(), answer, one.request.submission)
        except Exception as failure:
            self._end(one, failure)
            return ()
        made = Answer(body, decision)
        durable.add_done_callback(lambda done: self._written(one, made, done.exception()))
        return (durable,)

    def _written(self, one: Taken, made: Answer, failure: BaseException | None) -> None:
        """Only now, when its fate is known, may the same key come again."""
        match failure:
            case None:
                assert made.decision is not None
                self._end(one, made)
                self.opinions.ask(Question.about(made.decision))
            case AnsweredMeanwhile():
                self._end(one, self._of_another_process(one))
            case Exception():
                self._end(one, failure)

    def _of_another_process(self, one: Taken) -> Outcome:
        claim = one.waiting.asked.claim
        try:
            given = self.log.answers([claim])
        except LogUnavailable as failure:
            return failure
        if claim not in given:
            return LogUnavailable("the decision could not be stored; ask again with the same key")
        return _again(given[claim], one.request)

    def _end(self, one: Taken, outcome: Outcome) -> None:
        self.claims.release(one.waiting.asked.claim)
        one.waiting.end(outcome)


def _again(given: StoredAnswer, request: Request) -> Outcome:
    if given.request_digest != request.digest:
        return IdempotencyKeyReused("this idempotency key was used before with another body")
    return Answer(given.body)


def _answer_row(decision: Decision, claim: Claim, body: bytes) -> StoredAnswer:
    caller_id, idempotency_key = claim
    return StoredAnswer(
        caller_id=caller_id,
        idempotency_key=idempotency_key,
        request_digest=decision.request_digest,
        decision_id=decision.decision_id,
        answered_at=decision.scored_at.isoformat(),
        body=body,
    )
