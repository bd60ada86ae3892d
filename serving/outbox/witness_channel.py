"""The channel of checkpoints: to each witness, until every witness has them all.

A line may be delivered twice if the process was killed in between; readers ignore the repetition.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from serving.integrity.witness_lines import framed
from serving.integrity.witnesses import Witness
from serving.outbox.feeds import FeedChannel, FeedParts
from serving.outbox.outbox import RetryRule

if TYPE_CHECKING:
    from serving.storage.repositories.checkpoint_repository import CheckpointRepository
    from serving.storage.repositories.receiver_repository import ReceiverRepository

# Checkpoints delivered in one call, after a witness was unreachable for long.
BATCH_SIZE = 200
RETRY_AFTER = timedelta(seconds=10)


class WitnessChannel(FeedChannel[Witness, bytes]):
    """The channel of the checkpoints of one database to its witnesses."""

    name = "witness"
    max_concurrent = 32
    # A hanging witness must not keep a service from ending.
    end_within_s = 5.0
    retry = RetryRule(RETRY_AFTER, RETRY_AFTER, growth=1)

    def __init__(
        self,
        witnesses: Sequence[Witness],
        checkpoints: "CheckpointRepository",
        progress: "ReceiverRepository",
        clock: Callable[[], datetime],
    ):
        super().__init__(progress, clock)
        self._witnesses = {each.name: each for each in witnesses}
        self._checkpoints = checkpoints

    @property
    def behind(self) -> list[int]:
        """The places, from 1, of witnesses that failed to take the last delivery."""
        return [at for at, (_, is_behind) in enumerate(self.outcomes, 1) if is_behind]

    @property
    def outcomes(self) -> list[tuple[str, bool]]:
        """The name of each witness, and whether it failed to take the last delivery."""
        return [(name, self._is_behind(name)) for name in self._witnesses]

    def _is_behind(self, name: str) -> bool:
        state = self.states.get(name)
        if state is None:
            return False
        # A lease that was not given back is of a call that hangs, or of a process that was killed.
        hangs = state.leased_until is not None and state.leased_until <= self._clock()
        return hangs or state.failing_since is not None

    def receivers(self) -> dict[str, Witness]:
        """Return the witnesses by name."""
        return self._witnesses

    def newest(self) -> str | None:
        """Return the number of the newest checkpoint; None if there is none."""
        number = self._checkpoints.newest_number()
        return str(number) if number else None

    def following(self, receiver: Witness, reached: str | None) -> FeedParts[bytes]:
        """Return the next checkpoints as one part, so that one call takes many."""
        waiting = self._checkpoints.after(int(reached or 0), BATCH_SIZE)
        if not waiting:
            return FeedParts((), reached)
        last = str(waiting[-1].number)
        lines = b"".join(framed(each.as_json()) for each in waiting)
        return FeedParts([(last, lines)], last, has_more=len(waiting) == BATCH_SIZE)

    def send(self, receiver: Witness, part_id: str, part: bytes, at: datetime) -> None:
        """Hand lines over."""
        receiver.take(part, at)

    def redeliver_after(self, name: str, newest: int | None) -> None:
        """Move back to the newest checkpoint that a witness has; None if it cannot be read."""
        if newest is not None and newest < self._checkpoints.handed_over(name):
            self._progress.move_back(self.name, name, str(newest) if newest else None)

    def deliver_all(self) -> list[int]:
        """Deliver everything now, also where a retry waits; return the places of those behind."""
        for name in self._witnesses:
            self._progress.make_due(self.name, name)
            self.deliver(name)
        return self.behind
