"""The one thread that appends the audit events of calls, in groups.

The next group gathers while one is committed. Many simultaneous readers share a commit, and a
single reader waits for no timer.
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
    """Events waiting to be durable, with the future that their call awaits."""

    events: Sequence[AuditEvent]
    durable: "Future[None]" = field(default_factory=Future)


class AuditWriter:
    """A writer of audit events in groups."""

    def __init__(self, events: "AuditRepository", capacity: int):
        self._events = events
        self._queue: queue.Queue[PendingEvents | None] = queue.Queue(capacity)
        self.thread = BackgroundThread("audit-writer", self._run)

    def start(self) -> None:
        """Start the thread."""
        self.thread.start()

    def stop(self) -> None:
        """Write what is queued, then end."""
        if self.thread.is_alive():
            self._queue.put(None)
            self.thread.join()

    def submit(self, *events: AuditEvent) -> "Future[None]":
        """Return a future that completes when the events are durable.

        It may fail with LogUnavailable. Raises TooBusy at once if the queue is full.
        """
        if not self.thread.is_alive():
            raise LogUnavailable("the audit log is not being written")
        pending = PendingEvents(events)
        # A caller that stops waiting must not cancel the write.
        pending.durable.set_running_or_notify_cancel()
        try:
            self._queue.put_nowait(pending)
        except queue.Full:
            raise TooBusy("too many audit events wait to be written") from None
        return pending.durable

    def append(self, *events: AuditEvent) -> None:
        """Store events, all or none; they are durable on return. Raises LogUnavailable."""
        self.submit(*events).result()

    def _run(self) -> None:
        is_open = True
        while is_open:
            group, is_open = self._gather()
            if group:
                with self.thread.turn():
                    self._commit(group)

    def _gather(self) -> tuple[list[PendingEvents], bool]:
        """Wait for an event, then return everything queued and whether more may come."""
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
        # The thread must outlive the failure of a group.
        except Exception as failure:
            # One event may be at fault and must not fail the others, so each is committed alone.
            if len(group) > 1:
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
