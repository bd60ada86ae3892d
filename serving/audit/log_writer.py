"""The one thread that appends to the decision log.

It takes all that waits, commits it together and only then lets the requests answer: the commit that
is running is the window in which the next batch gathers, so flushes are shared without any timer.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from features.submission import Submission
from serving.audit.checkpointing import Sealing
from serving.db.decision_rows import AnswerRow, DecisionRow
from serving.db.repositories.decision_repository import DecisionLog
from serving.errors import AnsweredMeanwhile, LogUnavailable, TooBusy

log = structlog.get_logger(__name__)

Committed = Callable[[int, float], None]

_LOOK_AGAIN_S = 1.0


class Follower(Protocol):
    """Who makes known what was decided about."""

    def follow(self, size: int, submissions: Sequence[Submission]) -> None:
        """Hear of a group that is durable, before it is answered, and the size of the log then."""
        ...

    def rest(self, *, is_idle: bool) -> None:
        """Do what no answer should wait for; nobody waits at all where it is idle."""
        ...


@dataclass(frozen=True)
class Waiting:
    """A decision that waits to be durable, with the promise its request holds."""

    row: DecisionRow
    answer: AnswerRow
    submission: Submission
    durable: "Future[None]" = field(default_factory=Future)


class DecisionWriter:
    """Appends decisions in groups; `committed` hears of each group's size and seconds.

    What was appended is sealed by `sealing` when that is due, after its requests have answered.
    """

    def __init__(
        self,
        log: DecisionLog,
        sealing: Sealing,
        capacity: int,
        committed: Committed,
        follower: Follower,
    ):
        self._log = log
        self._follower = follower
        self.sealing = sealing
        self._queue: queue.Queue[Waiting | None] = queue.Queue(capacity)
        self._committed = committed
        self._has_failed = False
        self._thread = threading.Thread(target=self._run, name="decision-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, seal it, then end."""
        self._queue.put(None)
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether decisions can become durable."""
        return self._thread.is_alive()

    @property
    def has_failed(self) -> bool:
        """Whether the last group could not be made durable."""
        return self._has_failed

    @property
    def depth(self) -> int:
        """How many decisions wait."""
        return self._queue.qsize()

    def submit(self, row: DecisionRow, answer: AnswerRow, submission: Submission) -> "Future[None]":
        """A future that is done when the decision about a submission is durable, or failed.

        It fails with LogUnavailable, or AnsweredMeanwhile where another process was faster. Raises
        TooBusy at once where the queue is full.
        """
        if not self.is_alive:
            raise LogUnavailable("the decision log is not being written")
        waiting = Waiting(row, answer, submission)
        waiting.durable.set_running_or_notify_cancel()  # whoever stops waiting stops no writing
        try:
            self._queue.put_nowait(waiting)
        except queue.Full:
            raise TooBusy("too many decisions wait to be written") from None
        return waiting.durable

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._gather()
            if batch:
                self._commit(batch)
            elif self._has_failed:
                self._try_again()
            self.sealing.seal_if_due(is_last=not is_open)
            self._rest(is_idle=not batch)

    def _gather(self) -> tuple[list[Waiting], bool]:
        """All that waits; and whether more may come. Nothing where nothing came for a while."""
        batch: list[Waiting] = []
        try:
            waiting = self._queue.get(timeout=_LOOK_AGAIN_S)
            while waiting is not None:
                batch.append(waiting)
                waiting = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _commit(self, batch: list[Waiting]) -> None:
        began = time.perf_counter()
        try:
            mark = self._log.append([(waiting.row, waiting.answer) for waiting in batch])
        except AnsweredMeanwhile as meanwhile:
            self._commit_each(batch, meanwhile)
            return
        except Exception as failure:  # the thread must outlive any failure of one batch
            self._fail(batch, failure)
            return
        self._has_failed = False
        self.sealing.grown_to(mark)
        self._committed(len(batch), time.perf_counter() - began)
        self._follow(mark.size, batch)
        for waiting in batch:
            waiting.durable.set_result(None)

    def _follow(self, size: int, batch: list[Waiting]) -> None:
        try:
            self._follower.follow(size, [waiting.submission for waiting in batch])
        except Exception as failure:  # what is decided is decided; the next group makes up for it
            log.error("past_not_followed", exception=type(failure).__name__)

    def _rest(self, *, is_idle: bool) -> None:
        try:
            self._log.rest(is_idle=is_idle)
        except Exception as failure:  # it is tried again, and the database does it in the end
            log.warning("log_not_moved", exception=type(failure).__name__)
        try:
            self._follower.rest(is_idle=is_idle)
        except Exception as failure:  # it is tried again, and a start would make up for it
            log.error("past_not_written", exception=type(failure).__name__)

    def _fail(self, batch: list[Waiting], failure: Exception) -> None:
        self._has_failed = True
        if not isinstance(failure, LogUnavailable):
            log.error("log_not_written", exception=type(failure).__name__)
            failure = LogUnavailable("the decision log could not be written; nothing was decided")
        for waiting in batch:
            waiting.durable.set_exception(failure)

    def _try_again(self) -> None:
        """See whether the log can be written again: nobody may be sent here until it can."""
        with suppress(LogUnavailable):
            self._log.probe()
            self._has_failed = False

    def _commit_each(self, batch: list[Waiting], meanwhile: AnsweredMeanwhile) -> None:
        """One of them has its decision already: let it not keep the others from theirs."""
        if len(batch) == 1:
            batch[0].durable.set_exception(meanwhile)
            return
        for waiting in batch:
            self._commit([waiting])
