"""Where a request is decided: once, durably, and only then answered."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TypeVar

from serving.assessment import Assessor, Request
from serving.decisions.claims import Claims
from serving.decisions.decision import Decision
from serving.decisions.second_opinions import Question, SecondOpinions
from serving.decisions.writer import DecisionWriter
from serving.errors import AnsweredMeanwhile, IdempotencyKeyReused, LogUnavailable
from serving.store.decision_log import AnswerRow, DecisionLog

T = TypeVar("T")
Worded = Callable[[Decision], bytes]


@dataclass(frozen=True)
class Answer:
    """The bytes of an answer, and the decision where it was made just now."""

    body: bytes
    decision: Decision | None = None


@dataclass(frozen=True)
class Pending:
    """An answer that may be given once `durable` is done; at once where that is None."""

    answer: Answer
    durable: "Future[None] | None" = None
    request: Request | None = None
    idempotency_key: str = ""


def _one_thread() -> ThreadPoolExecutor:
    """Where requests are decided: one after the other, since they share one history."""
    return ThreadPoolExecutor(1, thread_name_prefix="desk")


@dataclass(frozen=True)
class Desk:
    """Decides requests, each once."""

    assessor: Assessor
    log: DecisionLog
    writer: DecisionWriter
    opinions: SecondOpinions
    deadline_s: float
    claims: Claims = field(default_factory=Claims)
    thread: ThreadPoolExecutor = field(default_factory=_one_thread)

    def open(self) -> None:
        """Begin to write what is decided."""
        self.assessor.champions.watch()
        self.opinions.start()
        self.writer.start()

    def close(self) -> None:
        """Finish what was taken, and write it."""
        self.thread.shutdown()
        self.writer.stop()
        self.opinions.stop()
        self.assessor.champions.stop()

    async def handle(self, work: Callable[[], T]) -> T:
        """Do some work at the desk, when it is its turn."""
        return await asyncio.get_running_loop().run_in_executor(self.thread, work)

    def take(self, request: Request, idempotency_key: str, worded: Worded) -> Pending:
        """Decide and hand to the writer; several may be taken before the first is answered.

        Raises StillInProgress, IdempotencyKeyReused, TooBusy, and what `Assessor.assess` raises.
        """
        claim = (request.caller.key_id, idempotency_key)
        self.claims.take(claim)
        durable: Future[None] | None = None
        try:
            if given := self.log.answer(*claim):
                return Pending(Answer(_of_same_body(given, request)))
            decision = self.assessor.assess(request)
            body = worded(decision)
            decision = decision.answered_with(body)
            answer = _answer_row(decision, claim, body)
            durable = self.writer.submit(decision.row(), answer, request.submission)
            durable.add_done_callback(lambda done: self._ask_others(done, decision))
            return Pending(Answer(body, decision), durable, request, idempotency_key)
        finally:
            self._release(claim, durable)

    async def answered(self, pending: Pending) -> Answer:
        """The answer, when its decision is durable; an earlier one where another was faster.

        Raises Unavailable where nothing was decided, or it is not known to be durable in time: the
        same key tells.
        """
        if pending.durable is None:
            return pending.answer
        try:
            await asyncio.wait_for(asyncio.wrap_future(pending.durable), self.deadline_s)
        except TimeoutError:
            raise LogUnavailable(
                "the decision is not durable yet; ask again with the same idempotency key"
            ) from None
        except AnsweredMeanwhile:
            return await self.handle(lambda: self._of_another_process(pending))
        return pending.answer

    def _of_another_process(self, pending: Pending) -> Answer:
        request = pending.request
        assert request is not None, "only what is pending can be answered meanwhile"
        given = self.log.answer(request.caller.key_id, pending.idempotency_key)
        if given is None:
            raise LogUnavailable("the decision could not be stored; ask again with the same key")
        return Answer(_of_same_body(given, request))

    def _ask_others(self, done: "Future[None]", decision: Decision) -> None:
        if done.exception() is None:
            self.opinions.ask(
                Question(decision.decision_id, decision.subject_kind, decision.vector)
            )

    def _release(self, claim: tuple[str, str], durable: "Future[None] | None") -> None:
        """Release a claim, but not before the fate of what was submitted under it is known."""
        if durable is None:
            self.claims.release(claim)
        else:
            durable.add_done_callback(lambda _: self.claims.release(claim))


def _of_same_body(given: AnswerRow, request: Request) -> bytes:
    if given.request_digest != request.digest:
        raise IdempotencyKeyReused("this idempotency key was used before with another body")
    return given.body


def _answer_row(decision: Decision, claim: tuple[str, str], body: bytes) -> AnswerRow:
    caller_id, idempotency_key = claim
    return AnswerRow(
        caller_id=caller_id,
        idempotency_key=idempotency_key,
        request_digest=decision.request_digest,
        decision_id=decision.decision_id,
        answered_at=decision.scored_at.isoformat(),
        body=body,
    )
