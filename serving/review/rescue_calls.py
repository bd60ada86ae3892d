"""Call rescuers by webhook when a decision comes into the rescue lane, until they take the call.

No decision waits for a call. A call that fails is made again, later and later, without end: a life
does not stop being at risk because a server was down. It says where help is needed and why, and of
parties only the conveyance, which must be found.

A call is signed as Standard Webhooks has it (https://www.standardwebhooks.com, version 1): an
HMAC-SHA256 over id, timestamp and body. The id is that of the decision, so that a call that
arrives twice is known by it.
"""

import base64
import binascii
import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, Self

import orjson
import structlog

from features.submission import Submission
from serving.access.http_client import fetch, refuse_unsafe
from serving.audit.decision import Decision
from serving.errors import AddressRefused, LogUnavailable

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 0.5
FIRST_RETRY_DELAY, LONGEST_RETRY_DELAY = timedelta(seconds=10), timedelta(minutes=5)
SECRET_PREFIX = "whsec_"  # noqa: S105 - how every secret begins
FEWEST_KEY_BYTES = 24

RetryDelay = Callable[[int], timedelta]
"""How long after its n-th attempt a call is made again."""


@dataclass(frozen=True)
class DueRescueCall:
    """A call to make: the record of its decision, and the number of this attempt.

    `record` is None where its decision was erased before anybody took the call.
    """

    decision_id: str
    record: str | None
    attempts: int


class RescueOutbox(Protocol):
    """The rescue calls that are still to be made. Every method raises LogUnavailable."""

    def begin(self) -> None:
        """Look for rescues from now on; earlier decisions are not called."""
        ...

    def take(self, now: datetime, delay: RetryDelay) -> DueRescueCall | None:
        """The call that is due first, put off by the delay of this attempt; None if none is."""
        ...

    def mark_delivered(self, decision_id: str, at: datetime) -> None:
        """Record that a call was taken."""
        ...

    def count_refused(self) -> int:
        """How many calls were tried and not taken so far."""
        ...


@dataclass(frozen=True)
class RescueWebhook:
    """Where to call, and the key that both sides know."""

    address: str
    key: bytes

    @classmethod
    def from_secret(cls, address: str, secret: str) -> Self:
        """The webhook of an installation; raises AddressRefused where it could not be trusted."""
        refuse_unsafe(address)
        try:
            key = base64.b64decode(secret.removeprefix(SECRET_PREFIX), validate=True)
        except binascii.Error:
            key = b""
        if not secret.startswith(SECRET_PREFIX) or len(key) < FEWEST_KEY_BYTES:
            raise AddressRefused(
                f"want the secret of a webhook as {SECRET_PREFIX} and {FEWEST_KEY_BYTES} bytes or "
                "more in base64"
            )
        return cls(address, key)

    def call(self, decision: Decision, at: datetime) -> None:
        """Send the call of one decision; raises OSError unless it is taken."""
        body = orjson.dumps(call_content(decision))
        fetch(self.address, body, self.headers(decision.decision_id, at, body))

    def headers(self, call_id: str, at: datetime, body: bytes) -> dict[str, str]:
        """The headers that prove who calls, and when."""
        timestamp = str(int(at.timestamp()))
        signed = b".".join((call_id.encode(), timestamp.encode(), body))
        signature = base64.b64encode(hmac.digest(self.key, signed, hashlib.sha256)).decode()
        return {
            "Content-Type": "application/json",
            "webhook-id": call_id,
            "webhook-timestamp": timestamp,
            "webhook-signature": f"v1,{signature}",
        }


class RescueCalls:
    """Makes the calls of one outbox on a thread of its own."""

    def __init__(self, outbox: RescueOutbox, webhook: RescueWebhook, clock: Callable[[], datetime]):
        self.outbox = outbox
        self._webhook = webhook
        self._clock = clock
        self._is_over = threading.Event()
        self.is_refused = False  # whether a call was tried and not taken so far
        self._thread = threading.Thread(target=self._run, name="rescue-calls", daemon=True)

    def start(self) -> None:
        """Start to call; every rescue that is decided from now on is called."""
        self.outbox.begin()
        self._thread.start()

    def stop(self) -> None:
        """Finish the call that is being made; the others are made when the service is back."""
        self._is_over.set()
        if self._thread.is_alive():
            self._thread.join()

    def make_due(self) -> None:
        """Make every call that is due, each once."""
        has_called = self.is_refused
        while not self._is_over.is_set() and (due := self.outbox.take(self._clock(), retry_delay)):
            self._make(due)
            has_called = True
        if has_called:
            self.is_refused = self.outbox.count_refused() > 0

    def _make(self, due: DueRescueCall) -> None:
        if due.record is None:
            log.error("rescue_erased_uncalled", attempts=due.attempts)
            return
        try:
            self._webhook.call(Decision.model_validate_json(due.record), self._clock())
        except OSError as failure:
            kind = type(failure).__name__
            log.error("rescue_not_called", attempts=due.attempts, exception=kind)
        else:
            self.outbox.mark_delivered(due.decision_id, self._clock())

    def _run(self) -> None:
        while not self._is_over.wait(POLL_INTERVAL_S):
            try:
                self.make_due()
            except LogUnavailable as failure:  # the thread must outlive it: others see it too
                log.warning("rescue_calls_wait", reason=str(failure))


def retry_delay(attempts: int) -> timedelta:
    """How long after its n-th attempt a call is made again: twice as long each time.

    >>> [str(retry_delay(attempts)) for attempts in (1, 2, 50)]
    ['0:00:10', '0:00:20', '0:05:00']
    """
    return min(FIRST_RETRY_DELAY * 2 ** min(attempts - 1, 10), LONGEST_RETRY_DELAY)


def call_content(decision: Decision) -> dict[str, object]:
    """The content of the call of one decision."""
    return {
        "type": "rescue.placed",
        "timestamp": decision.scored_at,
        "data": {
            "case_id": decision.decision_id,
            "signal": decision.life_at_risk,
            "office_id": decision.office_id,
            **_whereabouts(decision.submission),
        },
    }


def _whereabouts(submission: Submission) -> dict[str, object]:
    """What is to be found, where it was observed last, and where it is going."""
    journey = submission.journey
    if journey is None:
        return {}
    last = max(submission.positions, key=lambda position: position.observed_at, default=None)
    return {
        "mode": journey.mode,
        "conveyance_id": journey.conveyance_id,
        "conveyance_kind": journey.conveyance_kind,
        "origin": journey.origin,
        "destination": journey.destination,
        "due_at": journey.due_at,
        "last_heard": last
        and {"at": last.observed_at, "latitude": last.latitude, "longitude": last.longitude},
    }
