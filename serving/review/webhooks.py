"""Tells endpoints of border systems what became of cases: in order, and each thing until taken.

How far each endpoint was told stands in the database, so that nothing is lost whoever is killed. Of
several workers one tells an endpoint at a time: it takes a lease, which ends by itself. An endpoint
that fails is tried again later and later, over days, and then switched off until somebody resumes
it. Each is told on a thread of its own, so that none waits for another.
"""

import random
import secrets
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal, Protocol

import structlog
from pydantic import TypeAdapter

from serving.access.errors import AddressRefused
from serving.access.webhook_client import CallableAddresses, RefusedByReceiver, post
from serving.access.webhook_signatures import key_of, signed_headers
from serving.errors import LogUnavailable
from serving.process.polling import PollingThread
from serving.review.cases.case_records import CaseAccess
from serving.review.published_events import EventType, FeedAccess, PublishedEvent, PublishedEvents

log = structlog.get_logger(__name__)

POLL_INTERVAL_S = 1.0
MOST_ENDPOINTS = 32
TOLD_TOGETHER = 20
PAGES_TOGETHER = 5
LEASE = timedelta(minutes=2)
"""Longer than a call may take with the look-up of its name."""

FIRST_DELAY, LONGEST_DELAY, GROWTH = timedelta(seconds=5), timedelta(hours=6), 3
JITTER = 0.2
GONE = 410

Condition = Literal["delivering", "failing", "off"]


@dataclass(frozen=True)
class WebhookBody:
    """What an endpoint gets: `data` is an event as `GET /v1/events` has it."""

    type: EventType
    timestamp: datetime
    data: PublishedEvent


BODY = TypeAdapter(WebhookBody)


@dataclass(frozen=True)
class WebhookEndpoint:
    """An endpoint as it was made: no types means all, no offices all; rescues never.

    `secrets` sign, the newest first; a former one until `former_secret_ends_at`.
    """

    endpoint_id: str
    url: str
    types: tuple[EventType, ...]
    offices: tuple[str, ...]
    created_at: datetime
    secret: str
    former_secret: str | None = None
    former_secret_ends_at: datetime | None = None
    revoked_at: datetime | None = None

    @property
    def access(self) -> FeedAccess:
        """Of which cases it is told."""
        return FeedAccess(CaseAccess(frozenset(self.offices), is_rescue=False))

    def keys(self, now: datetime) -> list[bytes]:
        """What a call is signed with."""
        ends_at = self.former_secret_ends_at
        is_kept = self.former_secret and ends_at is not None and now < ends_at
        return [
            key_of(each) for each in (self.secret, self.former_secret if is_kept else None) if each
        ]


@dataclass(frozen=True)
class DeliveryState:
    """How far an endpoint was told, and how it fares."""

    endpoint_id: str
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
        """How it fares in a word."""
        if self.off_at is not None:
            return "off"
        return "failing" if self.failing_since is not None else "delivering"

    def is_due(self, now: datetime) -> bool:
        """Whether it may be tried now, and no worker does."""
        later = (self.next_at, self.leased_until)
        return self.off_at is None and all(at is None or at <= now for at in later)


@dataclass(frozen=True)
class FailedCall:
    """A call that was not taken: when, why, when it is tried again, and whether it ends here."""

    at: datetime
    words: str
    next_at: datetime
    off_after: timedelta
    is_gone: bool = False


class WebhookStore(Protocol):
    """The endpoints and how far each was told. Every method raises LogUnavailable."""

    def live(self) -> list[tuple[WebhookEndpoint, DeliveryState]]:
        """Every endpoint that was not revoked; one that is not as it was made is left out."""
        ...

    def take(self, endpoint_id: str, lease: str, now: datetime) -> DeliveryState | None:
        """Take an endpoint until the lease ends; None where another worker has it, or none may."""
        ...

    def advance(self, endpoint_id: str, lease: str, reached: str, now: datetime) -> bool:
        """Note how far it was told, and that it fares well.

        False where the lease is another's by now, or the endpoint was revoked.
        """
        ...

    def fail(self, endpoint_id: str, lease: str, failed: FailedCall) -> bool:
        """Note a call that was not taken; whether the endpoint is switched off by it."""
        ...

    def give_back(self, endpoint_id: str, lease: str) -> None:
        """End a lease."""
        ...

    def newest_event(self) -> str | None:
        """The id of the newest event of all."""
        ...


def retry_delay(attempts: int, draw: Callable[[], float] = random.random) -> timedelta:
    """How long after its n-th failure an endpoint is tried again: longer each time, and spread."""
    plain = FIRST_DELAY * GROWTH ** min(attempts - 1, 20)
    return min(plain, LONGEST_DELAY) * (1 - JITTER + 2 * JITTER * draw())


class WebhookDelivery:
    """Tells the endpoints of one database, on threads of its own."""

    def __init__(
        self,
        store: WebhookStore,
        events: PublishedEvents,
        addresses: CallableAddresses,
        clock: Callable[[], datetime],
        off_after: timedelta,
        counted: Callable[[str], object] = lambda _: None,
    ):
        self._store = store
        self._events = events
        self._addresses = addresses
        self._clock = clock
        self._off_after = off_after
        self._counted = counted
        self._busy: set[str] = set()
        self._seen: dict[str, str | None] = {}
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(MOST_ENDPOINTS, thread_name_prefix="webhooks")
        self.polling = PollingThread("webhooks", self.begin_due, waits="webhooks_wait")

    def start(self) -> None:
        """Start to deliver."""
        self.polling.start(POLL_INTERVAL_S)

    def stop(self) -> None:
        """Finish the calls that are being made; the rest is told when the service is back."""
        self.polling.stop()
        self._threads.shutdown(cancel_futures=True)

    def begin_due(self) -> None:
        """Begin to tell every endpoint that is due and not being told; waits for none."""
        newest, now = self._store.newest_event(), self._clock()
        for endpoint, state in self._store.live():
            is_news = newest not in (state.reached, self._seen.get(endpoint.endpoint_id, ""))
            if state.is_due(now) and newest is not None and is_news:
                self._begin(endpoint, newest)

    def _begin(self, endpoint: WebhookEndpoint, newest: str) -> None:
        with self._lock:
            if endpoint.endpoint_id in self._busy or self.polling.is_over:
                return
            self._busy.add(endpoint.endpoint_id)
        self._threads.submit(self._run, endpoint, newest)

    def _run(self, endpoint: WebhookEndpoint, newest: str) -> None:
        try:
            if self.tell(endpoint):
                self._seen[endpoint.endpoint_id] = newest
        except LogUnavailable as failure:
            log.warning("webhooks_wait", reason=str(failure))
        except Exception as failure:  # without it the endpoint would be told never again
            log.error("webhook_failed", exception=type(failure).__name__)
        finally:
            with self._lock:
                self._busy.discard(endpoint.endpoint_id)

    def tell(self, endpoint: WebhookEndpoint) -> bool:
        """Tell an endpoint what it does not know yet; whether it knows all."""
        lease = secrets.token_hex(8)
        state = self._store.take(endpoint.endpoint_id, lease, self._clock())
        if state is None:
            return False
        try:
            reached = state.reached
            for _ in range(PAGES_TOGETHER):
                events, page = self._events.page(endpoint.access, reached, TOLD_TOGETHER)
                if not self._told_all(endpoint, lease, state, events):
                    return False
                state = replace(state, attempts=0)
                if page.reached is not None and page.reached != reached:
                    reached = page.reached
                    if not self._store.advance(endpoint.endpoint_id, lease, reached, self._clock()):
                        return False
                if not page.has_more:
                    return True
            return False
        finally:
            self._store.give_back(endpoint.endpoint_id, lease)

    def _told_all(
        self,
        endpoint: WebhookEndpoint,
        lease: str,
        state: DeliveryState,
        events: list[PublishedEvent],
    ) -> bool:
        """Tell events one after the other, until one is not taken."""
        for event in events:
            if endpoint.types and event.type not in endpoint.types:
                continue
            if self.polling.is_over or not self._call(endpoint, lease, state.attempts, event):
                return False
            state = replace(state, attempts=0)
            if not self._store.advance(endpoint.endpoint_id, lease, event.id, self._clock()):
                return False
        return True

    def _call(
        self, endpoint: WebhookEndpoint, lease: str, attempts: int, event: PublishedEvent
    ) -> bool:
        body, now = BODY.dump_json(WebhookBody(event.type, event.time, event)), self._clock()
        headers = signed_headers(endpoint.keys(now), event.id, now, body)
        is_gone = False
        try:
            post(endpoint.url, body, headers, self._addresses)
        except RefusedByReceiver as refusal:
            words, is_gone = str(refusal), refusal.status == GONE
        except AddressRefused as refusal:
            words = str(refusal)
        except OSError as failure:
            words = type(failure).__name__
        else:
            self._counted("taken")
            return True
        self._counted("not_taken")
        at = self._clock()
        next_at = at + retry_delay(attempts + 1)
        failed = FailedCall(at, words, next_at, self._off_after, is_gone)
        log.warning("webhook_not_taken", endpoint=endpoint.endpoint_id, reason=words)
        if self._store.fail(endpoint.endpoint_id, lease, failed):
            log.error("webhook_switched_off", endpoint=endpoint.endpoint_id, reason=words)
        return False
