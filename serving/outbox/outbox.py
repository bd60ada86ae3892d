"""The worker that makes due deliveries in every channel, and the rule for retries."""

import random
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import structlog

from serving.errors import LogUnavailable
from serving.process.background_threads import PREFIX, PollingThread

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5

Delivery = Callable[[], object]


@dataclass(frozen=True)
class RetryRule:
    """The waits between attempts: each `growth` times the one before, at most `longest`."""

    first: timedelta
    longest: timedelta
    growth: int
    jitter: float = 0.0

    def delay(self, attempts: int, draw: Callable[[], float] = random.random) -> timedelta:
        """Return the wait after the n-th attempt.

        >>> rule = RetryRule(timedelta(seconds=10), timedelta(minutes=5), growth=2)
        >>> [str(rule.delay(attempts)) for attempts in (1, 2, 50)]
        ['0:00:10', '0:00:20', '0:05:00']
        """
        # The exponent is bounded: without that, days of failures would overflow a timedelta.
        plain = min(self.first * self.growth ** min(attempts - 1, 20), self.longest)
        return plain * (1 - self.jitter + 2 * self.jitter * draw())


class Channel(ABC):
    """One kind of delivery. Every method raises LogUnavailable if the database fails."""

    name: ClassVar[str]
    max_concurrent: ClassVar[int]
    # How long the end of a service waits for what is delivered to the end; None for a channel that
    # begins no further delivery, whose calls in progress are waited for.
    end_within_s: ClassVar[float | None] = None

    def __init__(self) -> None:
        self._over = threading.Event()

    @property
    def is_over(self) -> bool:
        """True once no further delivery may begin; a long delivery checks it in between."""
        return self._over.is_set()

    def begin(self) -> None:  # noqa: B027 - most channels need nothing before
        """Prepare for deliveries; called once before the first."""

    @abstractmethod
    def claim(self) -> Delivery | None:
        """Claim the delivery that is due first, for this worker alone; None if none is due."""

    def deliver_due(self) -> None:
        """Make all due deliveries, one after the other."""
        while not self.is_over and (deliver := self.claim()) is not None:
            deliver()

    def stop(self) -> None:
        """Prevent further deliveries."""
        self._over.set()


class Outbox:
    """A worker that makes due deliveries; earlier channels are polled first."""

    def __init__(self, channels: Sequence[Channel]):
        self._channels = channels
        self._running: dict[str, set[threading.Thread]] = {each.name: set() for each in channels}
        self.polling = PollingThread("outbox", self.look, waits="outbox_waits")

    def start(self) -> None:
        """Start to deliver."""
        for channel in self._channels:
            channel.begin()
        self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish deliveries in progress; the rest follows after the next start."""
        lasting = [each for each in self._channels if each.end_within_s is not None]
        for channel in self._channels:
            if channel not in lasting:
                channel.stop()
        self.polling.stop()
        with suppress(LogUnavailable):
            self.look()
        for channel in self._channels:
            ends_at_s = time.monotonic() + (channel.end_within_s or 0.0)
            for thread in [*self._running[channel.name]]:
                is_bounded = channel in lasting
                thread.join(max(0.0, ends_at_s - time.monotonic()) if is_bounded else None)
            channel.stop()

    def look(self) -> None:
        """Begin due deliveries while threads are free, without waiting for any receiver."""
        for channel in self._channels:
            try:
                # Claim nothing that would wait for a thread: its lease would expire in the
                # meantime.
                while self._has_free_thread(channel) and not channel.is_over:
                    if (deliver := channel.claim()) is None:
                        break
                    self._begin(channel, deliver)
            except LogUnavailable:
                raise
            except Exception as failure:  # the channels after it must still be polled
                log.error("delivery_failed", channel=channel.name, exception=type(failure).__name__)

    def _has_free_thread(self, channel: Channel) -> bool:
        return len(self._running[channel.name]) < channel.max_concurrent

    def _begin(self, channel: Channel, deliver: Delivery) -> None:
        # Each channel has its own threads: a slow endpoint must not delay a rescue call. As
        # daemons, hanging ones do not keep the process from ending.
        thread = threading.Thread(
            target=self._run, args=(channel, deliver), name=f"{PREFIX}{channel.name}", daemon=True
        )
        self._running[channel.name].add(thread)
        thread.start()

    def _run(self, channel: Channel, deliver: Delivery) -> None:
        try:
            deliver()
            channel.deliver_due()
        except LogUnavailable as failure:
            log.warning("outbox_waits", channel=channel.name, reason=str(failure))
        except Exception as failure:  # it would end the thread without a trace
            log.error("delivery_failed", channel=channel.name, exception=type(failure).__name__)
        finally:
            self._running[channel.name].discard(threading.current_thread())
