"""Channels that deliver a feed in order to each of its receivers, however often one fails.

The progress of each receiver is stored in the database, so a killed process loses nothing. One
worker at a time delivers to a receiver, under a lease that expires by itself. A failing receiver is
retried at growing intervals, and may be switched off after a time.
"""

import secrets
from abc import abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

import structlog

from serving.access.errors import AddressRefused
from serving.access.public_webhook_client import RefusedByReceiver
from serving.outbox.outbox import Channel, Delivery, RetryRule

if TYPE_CHECKING:
    from serving.storage.repositories.receiver_repository import ReceiverRepository

log = structlog.get_logger(__name__)

# Longer than a call can take, including the DNS lookup.
LEASE = timedelta(minutes=2)
GONE = 410

Condition = Literal["delivering", "failing", "off"]
R = TypeVar("R")
P = TypeVar("P")


@dataclass(frozen=True)
class ReceiverState:
    """The last part of a feed that a receiver accepted, and the state of its calls."""

    receiver: str
    reached: str | None = None
    attempts: int = 0
    next_at: datetime | None = None
    failing_since: datetime | None = None
    reached_at: datetime | None = None
    failure: str | None = None
    off_at: datetime | None = None
    leased_until: datetime | None = None

    @property
    def condition(self) -> Condition:
        """The condition of its calls."""
        if self.off_at is not None:
            return "off"
        return "failing" if self.failing_since is not None else "delivering"

    def is_due(self, now: datetime) -> bool:
        """Return whether it may be called now and is not leased."""
        later = (self.next_at, self.leased_until)
        return self.off_at is None and all(at is None or at <= now for at in later)


@dataclass(frozen=True)
class FailedCall:
    """A failed call: time, reason, time of the retry, and whether it ends the receiver."""

    at: datetime
    words: str
    next_at: datetime
    off_after: timedelta | None = None
    is_gone: bool = False

    def switches_off(self, failing_since: datetime) -> bool:
        """Return whether the receiver is switched off by it."""
        if self.off_after is None:
            return False
        return self.is_gone or self.at - failing_since >= self.off_after


@dataclass(frozen=True)
class FeedParts(Generic[P]):
    """The next parts of a feed, each with its id, and how far a receiver has got after them.

    `reached` may lie beyond the last part, past what is not for this receiver.
    """

    parts: Sequence[tuple[str, P]]
    reached: str | None
    has_more: bool = False


class FeedChannel(Channel, Generic[R, P]):
    """A feed with its receivers, by name; a receiver that fails is off after `off_after`."""

    retry: ClassVar[RetryRule]

    def __init__(
        self,
        progress: "ReceiverRepository",
        clock: Callable[[], datetime],
        off_after: timedelta | None = None,
    ):
        super().__init__()
        self._progress = progress
        self._clock = clock
        self._off_after = off_after
        self.states: dict[str, ReceiverState] = {}
        """The state of each receiver as last read."""
        self._delivering = set[str]()
        self._up_to_date: dict[str, str] = {}  # the newest part when a receiver lacked nothing

    @abstractmethod
    def receivers(self) -> Mapping[str, R]:
        """Return the receivers by name."""

    @abstractmethod
    def newest(self) -> str | None:
        """Return the id of the newest part of the feed; None if it is empty."""

    @abstractmethod
    def following(self, receiver: R, reached: str | None) -> FeedParts[P]:
        """Return the next parts for a receiver."""

    @abstractmethod
    def send(self, receiver: R, part_id: str, part: P, at: datetime) -> None:
        """Make one call; raise OSError or AddressRefused if it is not accepted."""

    def claim(self) -> Delivery | None:
        """Lease a receiver that is due and lacks parts; None if there is none."""
        newest, now = self.newest(), self._clock()
        if newest is None:
            return None
        self.states = self._progress.states(self.name)
        for name, receiver in self.receivers().items():
            state = self.states.get(name, ReceiverState(name))
            # A lease is a write, so take one only if there may be something to deliver.
            is_new = newest not in (state.reached, self._up_to_date.get(name))
            # One that hangs beyond its lease must not take every thread.
            is_free = name not in self._delivering
            if (
                is_new
                and is_free
                and state.is_due(now)
                and (delivery := self._lease(name, receiver, newest))
            ):
                return delivery
        return None

    def deliver(self, name: str) -> bool:
        """Deliver what one receiver lacks if it is due; return whether it lacks nothing now."""
        receiver = self.receivers().get(name)
        delivery = receiver and self._lease(name, receiver, self.newest() or "")
        is_delivered = bool(delivery and delivery())
        self.states = self._progress.states(self.name)
        return is_delivered

    def _lease(self, name: str, receiver: R, newest: str) -> Callable[[], bool] | None:
        lease = secrets.token_hex(8)
        state = self._progress.lease(self.name, name, lease, self._clock())
        if state is None:
            return None
        self._delivering.add(name)
        return partial(self._deliver, receiver, lease, state, newest)

    def _deliver(self, receiver: R, lease: str, state: ReceiverState, newest: str) -> bool:
        try:
            while True:
                page = self.following(receiver, state.reached)
                for part_id, part in page.parts:
                    if self.is_over or not self._call(receiver, lease, state, part_id, part):
                        return False
                    # Progress is stored after each part: a crash repeats at most the newest one.
                    if not self._advance(lease, state, part_id):
                        return False
                    state = replace(state, reached=part_id, attempts=0)
                # Move past parts that were not for this receiver, so that they are not read again.
                if page.reached not in (None, state.reached):
                    if not self._advance(lease, state, page.reached):
                        return False
                    state = replace(state, reached=page.reached, attempts=0)
                if not page.has_more:
                    self._up_to_date[state.receiver] = newest
                    return True
        finally:
            self._delivering.discard(state.receiver)
            self._progress.give_back(self.name, state.receiver, lease)

    def _advance(self, lease: str, state: ReceiverState, reached: str | None) -> bool:
        now = self._clock()
        return self._progress.advance(self.name, state.receiver, lease, reached or "", now)

    def _call(self, receiver: R, lease: str, state: ReceiverState, part_id: str, part: P) -> bool:
        try:
            self.send(receiver, part_id, part, self._clock())
        except (RefusedByReceiver, AddressRefused) as refusal:
            words, is_gone = str(refusal), getattr(refusal, "status", None) == GONE
        except OSError as failure:
            words, is_gone = type(failure).__name__, False
        else:
            return True
        at, name = self._clock(), state.receiver
        next_at = at + self.retry.delay(state.attempts + 1)
        failed = FailedCall(at, words, next_at, self._off_after, is_gone)
        facts = {"channel": self.name, "receiver": name, "reason": words}
        log.warning("delivery_not_taken", **facts)
        if self._progress.fail(self.name, name, lease, failed):
            log.error("receiver_switched_off", **facts)
        return False
