"""The channel of webhooks: case events to endpoints of border systems, in order.

How far each endpoint was delivered to stands in the database, so that nothing is lost if a process
is killed. One worker delivers to an endpoint at a time: it takes a lease, which ends by itself. An
endpoint that fails is tried again later and later, over days, and then switched off until an admin
resumes it.
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
# Pages of one delivery: then others that are due have their turn.
MAX_PAGES = 5
# Longer than a call may take with the look-up of its name.
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
        """The cases whose events it gets."""
        return FeedAccess(CaseAccess(frozenset(self.offices), is_rescue=False))

    def keys(self, now: datetime) -> list[bytes]:
        """Return the keys that a call is signed with."""
        ends_at = self.former_secret_ends_at
        still_counts = self.former_secret and ends_at is not None and now < ends_at
        return [
            key_of(each)
            for each in (self.secret, self.former_secret if still_counts else None)
            if each
        ]


@dataclass(frozen=True)
class DeliveryState:
    """The last event an endpoint took, and how its calls go."""

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
        """The condition of its calls, in a word."""
        if self.off_at is not None:
            return "off"
        return "failing" if self.failing_since is not None else "delivering"

    def is_due(self, now: datetime) -> bool:
        """Return whether it may be called now, and no worker does."""
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


class WebhookChannel(Channel):
    """Delivers case events to the endpoints of one database."""

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
        self._up_to_date: dict[str, str] = {}  # the newest event when an endpoint had all

    def take(self) -> Delivery | None:
        """Take an endpoint that lacks events and is due; None if there is none."""
        newest, now = self._store.newest_event(), self._clock()
        if newest is None:
            return None
        for endpoint, state in self._store.live():
            # Most endpoints lack nothing: only those that may are leased, which is a write.
            is_new = newest not in (state.reached, self._up_to_date.get(endpoint.endpoint_id))
            if is_new and state.is_due(now) and (delivery := self._leased(endpoint, newest)):
                return delivery
        return None

    def deliver(self, endpoint: WebhookEndpoint) -> bool:
        """Deliver to one endpoint what it lacks, if it is due; whether it has all now."""
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
                # Events that were not for this endpoint are passed over for good.
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
        """Deliver events one after the other, until one is not taken; whether all were."""
        attempts = state.attempts
        for event in events:
            if endpoint.types and event.type not in endpoint.types:
                continue
            if self.is_over or not self._call(endpoint, lease, attempts, event):
                return False
            attempts = 0
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
