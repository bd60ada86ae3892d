"""The one thread that appends to the decision log.

It takes all that waits, commits it together and only then lets the requests answer: the commit that
is running is the window in which the next batch gathers, so flushes are shared without any timer.
"""

import queue
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field

from serving.errors import LogUnavailable, TooBusy
from serving.store.decision_log import AnswerRow, DecisionLog, DecisionRow

Committed = Callable[[int, float], None]


@dataclass(frozen=True)
class Waiting:
    """A decision that waits to be durable, with the promise its request holds."""

    row: DecisionRow
    answer: AnswerRow
    durable: "Future[None]" = field(default_factory=Future)


class DecisionWriter:
    """Appends decisions in groups; `committed` hears of each group's size and seconds."""

    def __init__(self, log: DecisionLog, capacity: int, committed: Committed):
        self._log = log
        self._queue: queue.Queue[Waiting | None] = queue.Queue(capacity)
        self._committed = committed
        self._thread = threading.Thread(target=self._run, name="decision-writer", daemon=True)

    def start(self) -> None:
        """Begin to write."""
        self._thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        self._queue.put(None)
        self._thread.join()

    @property
    def is_alive(self) -> bool:
        """Whether decisions can become durable."""
        return self._thread.is_alive()

    @property
    def depth(self) -> int:
        """How many decisions wait."""
        return self._queue.qsize()

    def submit(self, row: DecisionRow, answer: AnswerRow) -> "Future[None]":
        """A future that is done when the decision is durable, or failed with LogUnavailable.

        Raises TooBusy at once where the queue is full.
        """
        if not self.is_alive:
            raise LogUnavailable("the decision log is not being written")
        waiting = Waiting(row, answer)
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

    def _gather(self) -> tuple[list[Waiting], bool]:
        """All that waits, at least one; and whether more may come."""
        batch: list[Waiting] = []
        waiting = self._queue.get()
        while waiting is not None:
            batch.append(waiting)
            try:
                waiting = self._queue.get_nowait()
            except queue.Empty:
                return batch, True
        return batch, False

    def _commit(self, batch: list[Waiting]) -> None:
        began = time.perf_counter()
        try:
            self._log.append([(waiting.row, waiting.answer) for waiting in batch])
        except Exception as failure:  # the thread must outlive any failure of one batch
            for waiting in batch:
                waiting.durable.set_exception(failure)
            return
        self._committed(len(batch), time.perf_counter() - began)
        for waiting in batch:
            waiting.durable.set_result(None)
