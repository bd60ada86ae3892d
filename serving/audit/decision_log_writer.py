"""The one thread that appends to the decision log.

It commits everything queued in one transaction, and only then lets the requests answer. The next
batch gathers while a commit runs, so flushes are shared without a timer.
"""

import queue
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from features.submission import Submission
from serving.audit.errors import AnsweredMeanwhile
from serving.audit.logged_decision import LoggedDecision, StoredAnswer
from serving.errors import LogUnavailable, TooBusy
from serving.integrity.checkpoints import CheckpointWriter
from serving.integrity.hash_chain import LogHead
from serving.process.background_threads import BackgroundThread

if TYPE_CHECKING:
    from serving.history.client import HistoryClient
    from serving.storage.repositories.decision_repository import DecisionRepository

log = structlog.get_logger(__name__)

Committed = Callable[[int, float], None]

_POLL_INTERVAL_S = 1.0
# After this time the log counts as stuck.
_MAX_CALL_S = 5.0


@dataclass(frozen=True)
class PendingDecision:
    """A decision waiting to be durable, with the future that its request awaits."""

    row: LoggedDecision
    answer: StoredAnswer
    submission: Submission
    durable: "Future[None]" = field(default_factory=Future)


class LogWriter:
    """A writer of decisions in groups.

    `committed` is called with the size and the seconds of each group. A due checkpoint is written
    after the requests of its decisions were answered.
    """

    def __init__(
        self,
        log: "DecisionRepository",
        checkpoints: CheckpointWriter,
        capacity: int,
        committed: Committed,
        history: "HistoryClient",
    ):
        self._log = log
        self._history = history
        self.checkpoints = checkpoints
        self._queue: queue.Queue[PendingDecision | None] = queue.Queue(capacity)
        self._committed = committed
        self._has_failed = False
        self._calling_since_s: float | None = None
        self.thread = BackgroundThread("decision-writer", self._run)

    def start(self) -> None:
        """Start the thread."""
        self.thread.start()

    def stop(self) -> None:
        """Write what is queued and a last checkpoint, then end."""
        self._queue.put(None)
        self.thread.join()

    @property
    def is_alive(self) -> bool:
        """Return whether decisions can become durable."""
        return self.thread.is_alive()

    @property
    def has_failed(self) -> bool:
        """Return whether the last group failed or the log is unreachable.

        It is checked every second while nothing is written: without the log no request gets as far
        as a write.
        """
        began_s = self._calling_since_s
        is_stuck = began_s is not None and time.monotonic() - began_s > _MAX_CALL_S
        return self._has_failed or is_stuck

    @property
    def depth(self) -> int:
        """Return the number of queued decisions."""
        return self._queue.qsize()

    def submit(self, pending: PendingDecision) -> "Future[None]":
        """Return a future that completes when the decision is durable.

        It fails with LogUnavailable, or with AnsweredMeanwhile if another process was first. Raises
        TooBusy at once if the queue is full.
        """
        if not self.is_alive:
            raise LogUnavailable("the decision log is not being written")
        # A caller that stops waiting must not cancel the write.
        pending.durable.set_running_or_notify_cancel()
        try:
            self._queue.put_nowait(pending)
        except queue.Full:
            raise TooBusy("too many decisions wait to be written") from None
        return pending.durable

    def _run(self) -> None:
        is_open = True
        while is_open:
            batch, is_open = self._gather()
            self._calling_since_s = time.monotonic()
            if batch:
                self._commit(batch)
            elif self._has_failed:
                self._try_again()
            else:
                self._look()
            self._calling_since_s = None
            self.checkpoints.write_if_due(is_last=not is_open)
            self._maintain(is_idle=not batch)

    def _gather(self) -> tuple[list[PendingDecision], bool]:
        """Return everything queued and whether more may come; empty if nothing came in time."""
        batch: list[PendingDecision] = []
        try:
            pending = self._queue.get(timeout=_POLL_INTERVAL_S)
            while pending is not None:
                batch.append(pending)
                pending = self._queue.get_nowait()
        except queue.Empty:
            return batch, True
        return batch, False

    def _commit(self, batch: list[PendingDecision]) -> None:
        began = time.perf_counter()
        try:
            head = self._log.append([(pending.row, pending.answer) for pending in batch])
        except AnsweredMeanwhile as meanwhile:
            self._commit_each(batch, meanwhile)
            return
        # The thread must outlive the failure of a batch.
        except Exception as failure:
            self._fail(batch, failure)
            return
        self._has_failed = False
        self.checkpoints.advance(head)
        self._committed(len(batch), time.perf_counter() - began)
        # Before the requests answer, so that their next call finds this decision in the history.
        self._apply(head, batch)
        for pending in batch:
            pending.durable.set_result(None)

    def _apply(self, head: LogHead, batch: list[PendingDecision]) -> None:
        try:
            self._history.apply_decisions(head, [pending.submission for pending in batch])
        # The decision is durable already; the next group catches up.
        except Exception as failure:
            log.error("past_not_followed", exception=type(failure).__name__)

    def _maintain(self, *, is_idle: bool) -> None:
        try:
            self._log.maintain(is_idle=is_idle)
        # It is retried, and the database does it itself in the end.
        except Exception as failure:
            log.warning("log_not_moved", exception=type(failure).__name__)
        try:
            self._history.flush()
        # It is retried, and a start would catch up.
        except Exception as failure:
            log.error("past_not_written", exception=type(failure).__name__)

    def _fail(self, batch: list[PendingDecision], failure: Exception) -> None:
        self._has_failed = True
        log.error("log_not_written", **_in_log(failure))
        if not isinstance(failure, LogUnavailable):
            failure = LogUnavailable("the decision log could not be written; nothing was decided")
        for pending in batch:
            pending.durable.set_exception(failure)

    def _try_again(self) -> None:
        """Check whether the log is writable again: no request may arrive here until it is."""
        try:
            self._log.probe()
        # A key may be unreadable, for instance; the thread must outlive that too.
        except Exception as failure:
            if not isinstance(failure, LogUnavailable):
                log.error("log_not_written", **_in_log(failure))
            return
        self._has_failed = False

    def _look(self) -> None:
        """Check whether the log is reachable."""
        try:
            self._log.reach()
        except Exception as failure:
            log.error("log_not_reached", **_in_log(failure))
            self._has_failed = True

    def _commit_each(self, batch: list[PendingDecision], meanwhile: AnsweredMeanwhile) -> None:
        """Commit decisions one by one, since one of them was answered by another process."""
        if len(batch) == 1:
            batch[0].durable.set_exception(meanwhile)
            return
        for pending in batch:
            self._commit([pending])


def _in_log(failure: Exception) -> dict[str, str]:
    """Return what the service's own log says of a failure; it holds no value of a statement."""
    told = {"exception": type(failure.__cause__ or failure).__name__}
    if isinstance(failure, LogUnavailable):
        told |= {"code": failure.driver_code, "cause": failure.cause or str(failure)}
    return told
