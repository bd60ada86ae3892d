"""Delivers checkpoints to witnesses, each on its own thread, until every witness has them all."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

import structlog

from serving.errors import LogUnavailable
from serving.integrity.witness_lines import framed
from serving.process.background_threads import BackgroundThread

if TYPE_CHECKING:
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository

log = structlog.get_logger(__name__)

# Checkpoints delivered in one call, after a witness was unreachable for long.
AT_ONCE = 200

RETRY_AFTER_S = 10.0

# The time the end of a service waits for all witnesses together.
LONGEST_END_S = 5.0


class Witness(Protocol):
    """A store of lines, best placed where this service cannot change them."""

    @property
    def name(self) -> str:
        """Return its name in settings, logs and `doctor`, which contains no secret."""
        ...

    def take(self, content: bytes, at: datetime) -> None:
        """Store framed lines durably; raise OSError on failure."""
        ...

    def newest(self) -> bytes | None:
        """Return the end of its content; None if it cannot be read. Raises OSError on failure."""
        ...

    def everything(self) -> Iterable[bytes] | None:
        """Return all its content in pieces, whose reading may fail too; None if it cannot be read.

        Raises OSError on failure.
        """
        ...


class WitnessDelivery:
    """Delivers every checkpoint to one witness in order, retrying after failures.

    Progress is stored with the checkpoints, so a restart forgets nothing. A line may be delivered
    twice if the process was killed in between; readers ignore the repetition.
    """

    def __init__(
        self, witness: Witness, store: "CheckpointRepository", clock: Callable[[], datetime]
    ):
        self.witness = witness
        self._store = store
        self._clock = clock
        self._is_behind = False
        self._is_due = False
        self._is_over = False
        self._delivering = threading.Lock()
        self._wanted = threading.Event()
        self.thread = BackgroundThread("witness-delivery", self._run)

    @property
    def is_behind(self) -> bool:
        """Return whether the witness failed to take the last delivery."""
        return self._is_behind

    def begin_after(self, newest: int | None) -> None:
        """Move back to the witness's newest checkpoint, so that lost ones are delivered again."""
        name = self.witness.name
        if newest is not None and newest < self._store.handed_over(name):
            self._store.note_handed_over(name, newest or -1)

    def start(self) -> None:
        """Start the thread, which begins with what the witness lacks."""
        self._wanted.set()
        self.thread.start()

    def wake(self) -> None:
        """Wake the thread for a new checkpoint."""
        self._wanted.set()

    def end(self) -> None:
        """Make the thread end after a last delivery."""
        self._is_over = True
        self._wanted.set()

    def join(self, longest_s: float) -> None:
        """Wait until the thread has ended; undelivered checkpoints follow after the next start."""
        if self.thread.is_alive():
            self.thread.join(longest_s)

    def deliver(self) -> bool:
        """Deliver everything the witness lacks; return whether it has it now."""
        with self._delivering:
            self._is_due = True
            try:
                while self._deliver_some():
                    pass
            # Callers that need the database more report this.
            except LogUnavailable:
                return False
            except OSError as failure:
                if not self._is_behind:
                    why = type(failure).__name__
                    log.warning("witness_behind", witness=self.witness.name, exception=why)
                self._is_behind = True
            else:
                self._is_behind = self._is_due = False
        return not self._is_behind

    def _deliver_some(self) -> bool:
        name = self.witness.name
        waiting = self._store.after(self._store.handed_over(name), AT_ONCE)
        if not waiting:
            return False
        now = self._clock()
        self.thread.tell_progress()
        self.witness.take(b"".join(framed(each.as_json()) for each in waiting), now)
        self._store.note_handed_over(name, waiting[-1].number)
        return True

    def _run(self) -> None:
        while not self._is_over:
            self._wanted.wait(RETRY_AFTER_S if self._is_due else None)
            self._wanted.clear()
            try:
                with self.thread.turn():
                    self.deliver()
            # Without the thread nothing would be delivered any more.
            except Exception as failure:
                log.error("witness_delivery_failed", exception=type(failure).__name__)
                self._is_behind = True


class WitnessDeliveries:
    """The deliveries to all witnesses, which do not wait for each other."""

    def __init__(self, deliveries: Sequence[WitnessDelivery]):
        self._deliveries = tuple(deliveries)

    @property
    def behind(self) -> list[int]:
        """Return the positions, from 1, of witnesses that failed to take the last delivery."""
        return [at for at, each in enumerate(self._deliveries, start=1) if each.is_behind]

    @property
    def states(self) -> list[tuple[str, bool]]:
        """Return the name of each witness and whether it failed to take the last delivery."""
        return [(each.witness.name, each.is_behind) for each in self._deliveries]

    @property
    def threads(self) -> list[BackgroundThread]:
        """Return the delivering threads."""
        return [each.thread for each in self._deliveries]

    def start(self) -> None:
        """Start all deliveries."""
        for each in self._deliveries:
            each.start()

    def wake(self) -> None:
        """Wake all threads for a new checkpoint."""
        for each in self._deliveries:
            each.wake()

    def stop(self) -> None:
        """Deliver what is there once and end; hanging witnesses are waited for only briefly."""
        for each in self._deliveries:
            each.end()
        ends_at_s = time.monotonic() + LONGEST_END_S
        for each in self._deliveries:
            each.join(max(0.0, ends_at_s - time.monotonic()))

    def deliver(self) -> list[int]:
        """Deliver everything now; return the positions of witnesses that failed to take it."""
        for each in self._deliveries:
            each.deliver()
        return self.behind
