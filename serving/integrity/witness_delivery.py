"""Hands checkpoints to witnesses, each on a thread of its own, until every one has them all."""

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

# Checkpoints that are handed over together, where a witness was away for long.
AT_ONCE = 200

RETRY_AFTER_S = 10.0

# For so long the end of a service waits for its witnesses, all together.
LONGEST_END_S = 5.0


class Witness(Protocol):
    """Somebody who keeps lines, best where this service cannot change them."""

    @property
    def name(self) -> str:
        """What it is called in settings, logs and `doctor`; it holds no secret."""
        ...

    def take(self, content: bytes, at: datetime) -> None:
        """Take framed lines, durable when this returns; raises OSError where it can't."""
        ...

    def newest(self) -> bytes | None:
        """The end of what it has; None where it can't be asked. Raises OSError where that fails."""
        ...

    def everything(self) -> Iterable[bytes] | None:
        """All that it has, in pieces, whose reading may fail too; None where it can't be asked.

        Raises OSError where that fails.
        """
        ...


class WitnessDelivery:
    """Hands every checkpoint to one witness, in order; what it didn't take it gets later.

    How far it got is stored with the checkpoints, so that nothing is forgotten by a restart. A line
    may be handed over twice, where a process was killed between; whoever reads passes that over.
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
        """Whether the witness did not take what it was handed last."""
        return self._is_behind

    def begin_after(self, newest: int | None) -> None:
        """Take note of what the witness was found to have: what it lost it is handed again."""
        name = self.witness.name
        if newest is not None and newest < self._store.handed_over(name):
            self._store.note_handed_over(name, newest or -1)

    def start(self) -> None:
        """Begin with what it lacks."""
        self._wanted.set()
        self.thread.start()

    def wake(self) -> None:
        """Tell that there is something new."""
        self._wanted.set()

    def end(self) -> None:
        """Let it end once it has handed over what there is."""
        self._is_over = True
        self._wanted.set()

    def join(self, longest_s: float) -> None:
        """Wait until it has ended; what a witness did not take is handed over later."""
        if self.thread.is_alive():
            self.thread.join(longest_s)

    def deliver(self) -> bool:
        """Hand over all that the witness lacks; whether it has it now."""
        with self._delivering:
            self._is_due = True
            try:
                while self._deliver_some():
                    pass
            except LogUnavailable:  # said by whoever needs the database more
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
            except Exception as failure:  # without the thread nothing would be handed over any more
                log.error("witness_delivery_failed", exception=type(failure).__name__)
                self._is_behind = True


class WitnessDeliveries:
    """The deliveries to all witnesses; none waits for another."""

    def __init__(self, deliveries: Sequence[WitnessDelivery]):
        self._deliveries = tuple(deliveries)

    @property
    def behind(self) -> list[int]:
        """The witnesses that did not take what they were handed last, by their place from 1."""
        return [at for at, each in enumerate(self._deliveries, start=1) if each.is_behind]

    @property
    def states(self) -> list[tuple[str, bool]]:
        """What each witness is called, and whether it did not take what it was handed last."""
        return [(each.witness.name, each.is_behind) for each in self._deliveries]

    @property
    def threads(self) -> list[BackgroundThread]:
        """The threads that deliver."""
        return [each.thread for each in self._deliveries]

    def start(self) -> None:
        """Begin with what each lacks."""
        for each in self._deliveries:
            each.start()

    def wake(self) -> None:
        """Tell all that there is something new."""
        for each in self._deliveries:
            each.wake()

    def stop(self) -> None:
        """Hand over what there is, once, and end; those that hang are waited for briefly."""
        for each in self._deliveries:
            each.end()
        ends_at_s = time.monotonic() + LONGEST_END_S
        for each in self._deliveries:
            each.join(max(0.0, ends_at_s - time.monotonic()))

    def deliver(self) -> list[int]:
        """Hand over all that is lacking, now; those that did not take it, by their place."""
        for each in self._deliveries:
            each.deliver()
        return self.behind
