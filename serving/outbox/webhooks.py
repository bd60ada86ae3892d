"""The channel of webhooks: case events to endpoints of border systems, in order.

The progress of each endpoint is stored in the database, so a killed process loses nothing. One
worker at a time delivers to an endpoint, under a lease that expires by itself. A failing endpoint
is retried at growing intervals for days, then switched off until an admin resumes it.
"""

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Literal

import structlog
from pydantic import TypeAdapter

from serving.access.errors import AddressRefused
from serving.access.webhook_client import CallableAddresses, RefusedByReceiver, post
from serving.access.webhook_signatures import key_of, signed_headers
from serving.outbox.outbox import Channel, Delivery, RetryRule
from serving.review.cases.case_records import CaseAccess
from serving.review.published_events import EventType, FeedAccess, PublishedEvent, PublishedEvents

if TYPE_CHECKING:
    from serving.storage.repositories.webhook_repository import WebhookRepository

log = structlog.get_logger(__name__)

MAX_ENDPOINTS = 32
PAGE_SIZE = 20
# Pages of one delivery; after that, other due endpoints get a thread.
MAX_PAGES = 5
# Longer than a call can take, including the DNS lookup.
LEASE = timedelta(minutes=2)

RETRY = RetryRule(timedelta(seconds=5), timedelta(hours=6), growth=3, jitter=0.2)
GONE = 410

Condition = Literal["delivering", "failing", "off"]


@dataclass(frozen=True)
class WebhookBody:
    """The body of a call: `data` is an event as `GET /v1/events` has it."""

    type: EventType
    timestamp: datetime
    data: PublishedEvent


BODY = TypeAdapter(WebhookBody)


@dataclass(frozen=True)
class WebhookEndpoint:
    """An endpoint as created: no types means all types, no offices all offices; never rescues.

    `secrets` sign, newest first; a former secret signs until `former_secret_ends_at`.
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
        """The cases whose events it receives."""
        return FeedAccess(CaseAccess(frozenset(self.offices), is_rescue=False))

    def keys(self, now: datetime) -> list[bytes]:
        """Return the keys that sign a call, newest first."""
        ends_at = self.former_secret_ends_at
        # During a rotation both keys sign, so that a receiver may switch at any time.
        still_counts = self.former_secret and ends_at is not None and now < ends_at
        return [
            key_of(each)
            for each in (self.secret, self.former_secret if still_counts else None)
            if each
        ]


@dataclass(frozen=True)
class DeliveryState:
    """The last event that an endpoint accepted, and the state of its calls."""

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
    """A failed call: time, reason, time of the retry, and whether it ends the endpoint."""

    at: datetime
    words: str
    next_at: datetime
    off_after: timedelta
    is_gone: bool = False


class WebhookChannel(Channel):
    """The channel of case events to the endpoints of one database."""

    name = "webhooks"
    max_concurrent = MAX_ENDPOINTS

    def __init__(
        self,
        store: "WebhookRepository",
        events: PublishedEvents,
        addresses: CallableAddresses,
        clock: Callable[[], datetime],
        off_after: timedelta,
        count: Callable[[str], object] = lambda _: None,
    ):
        super().__init__()
        self._store = store
        self._events = events
        self._addresses = addresses
        self._clock = clock
        self._off_after = off_after
        self._count = count
        self._up_to_date: dict[str, str] = {}  # the newest event when an endpoint lacked nothing

    def take(self) -> Delivery | None:
        """Lease an endpoint that is due and lacks events; None if there is none."""
        newest, now = self._store.newest_event(), self._clock()
        if newest is None:
            return None
        for endpoint, state in self._store.live():
            # A lease is a write, so take one only if there may be something to deliver.
            is_new = newest not in (state.reached, self._up_to_date.get(endpoint.endpoint_id))
            if is_new and state.is_due(now) and (delivery := self._leased(endpoint, newest)):
                return delivery
        return None

    def deliver(self, endpoint: WebhookEndpoint) -> bool:
        """Deliver pending events to one endpoint if it is due; return whether it lacks none now."""
        delivery = self._leased(endpoint, self._store.newest_event() or "")
        return bool(delivery and delivery())

    def _leased(self, endpoint: WebhookEndpoint, newest: str) -> Delivery | None:
        lease = secrets.token_hex(8)
        state = self._store.take(endpoint.endpoint_id, lease, self._clock())
        return None if state is None else partial(self._deliver, endpoint, lease, state, newest)

    def _deliver(
        self, endpoint: WebhookEndpoint, lease: str, state: DeliveryState, newest: str
    ) -> bool:
        try:
            for _ in range(MAX_PAGES):
                events, page = self._events.page(endpoint.access, state.reached, PAGE_SIZE)
                if not self._take_all(endpoint, lease, state, events):
                    return False
                # Move past events that were not for this endpoint, so that they are not read again.
                if page.reached is not None and page.reached != state.reached:
                    state = replace(state, reached=page.reached)
                    if not self._advance(endpoint, lease, page.reached):
                        return False
                state = replace(state, attempts=0)
                if not page.has_more:
                    self._up_to_date[endpoint.endpoint_id] = newest
                    return True
            return False
        finally:
            self._store.give_back(endpoint.endpoint_id, lease)

    def _take_all(
        self,
        endpoint: WebhookEndpoint,
        lease: str,
        state: DeliveryState,
        events: list[PublishedEvent],
    ) -> bool:
        """Deliver events one by one until one fails; return whether all were accepted."""
        attempts = state.attempts
        for event in events:
            if endpoint.types and event.type not in endpoint.types:
                continue
            if self.is_over or not self._call(endpoint, lease, attempts, event):
                return False
            attempts = 0
            # Progress is stored after each event: a crash repeats at most the newest one.
            if not self._advance(endpoint, lease, event.id):
                return False
        return True

    def _advance(self, endpoint: WebhookEndpoint, lease: str, reached: str) -> bool:
        return self._store.advance(endpoint.endpoint_id, lease, reached, self._clock())

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
            self._count("taken")
            return True
        self._count("not_taken")
        at = self._clock()
        next_at = at + RETRY.delay(attempts + 1)
        failed = FailedCall(at, words, next_at, self._off_after, is_gone)
        log.warning("webhook_not_taken", endpoint=endpoint.endpoint_id, reason=words)
        if self._store.fail(endpoint.endpoint_id, lease, failed):
            log.error("webhook_switched_off", endpoint=endpoint.endpoint_id, reason=words)
        return False
