"""The one thread that appends the audit events of calls, all that wait together.

While a group is committed the next one gathers, so that many who read at once share a commit, and
one who reads alone waits for no timer.
"""

import queue
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import structlog

from serving.errors import LogUnavailable, TooBusy
from serving.integrity.audit_log import AuditEvent
from serving.process.background_threads import BackgroundThread

if TYPE_CHECKING:
    from serving.storage.repositories.audit_repository import AuditRepository

log = structlog.get_logger(__name__)

MAX_BATCH_SIZE = 256


@dataclass(frozen=True)
class PendingEvents:
    """Events that wait to be durable, with the future that their call awaits."""

    events: Sequence[AuditEvent]
    durable: "Future[None]" = field(default_factory=Future)


class AuditWriter:
    """Appends audit events in groups."""

    def __init__(self, events: "AuditRepository", capacity: int):
        self._events = events
        self._queue: queue.Queue[PendingEvents | None] = queue.Queue(capacity)
        self.thread = BackgroundThread("audit-writer", self._run)

    def start(self) -> None:
        """Begin to write."""
        self.thread.start()

    def stop(self) -> None:
        """Write what waits, then end."""
        if self.thread.is_alive():
            self._queue.put(None)
            self.thread.join()

    def submit(self, *events: AuditEvent) -> "Future[None]":
        """A future that is done when the events are durable; it may fail with LogUnavailable.

        Raises TooBusy at once where the queue is full.
        """
        if not self.thread.is_alive():
            raise LogUnavailable("the audit log is not being written")
        pending = PendingEvents(events)
        pending.durable.set_running_or_notify_cancel()  # whoever stops waiting stops no writing
        try:
            self._queue.put_nowait(pending)
        except queue.Full:
            raise TooBusy("too many audit events wait to be written") from None
        return pending.durable

    def append(self, *events: AuditEvent) -> None:
        """Store events, all or none, durable when this returns; raises LogUnavailable."""
        self.submit(*events).result()

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._gather()
            if group:
                with self.thread.turn():
                    self._commit(group)

    def _gather(self) -> tuple[list[PendingEvents], bool]:
        """Wait for something, then collect all that waits, and whether more may come."""
        group: list[PendingEvents] = []
        pending = self._queue.get()
        while pending is not None:
            group.append(pending)
            if len(group) == MAX_BATCH_SIZE or self._queue.empty():
                return group, True
            pending = self._queue.get()
        return group, False

    def _commit(self, group: list[PendingEvents]) -> None:
        try:
            self._events.append(*(event for pending in group for event in pending.events))
        except Exception as failure:  # the thread must outlive any failure of one group
            if len(group) > 1:  # one of them may be at fault: let it not keep the others back
                for pending in group:
                    self._commit([pending])
                return
            if not isinstance(failure, LogUnavailable):
                log.error("audit_event_not_written", exception=type(failure).__name__)
                failure = LogUnavailable("the audit log could not be written; nothing is shown")
            group[0].durable.set_exception(failure)
            return
        for pending in group:
            pending.durable.set_result(None)
