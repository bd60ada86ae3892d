"""The channel of webhooks: case events to endpoints of border systems, in order.

A failing endpoint is retried at growing intervals for days, then switched off until an admin
resumes it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from serving.access.errors import AddressRefused
from serving.access.public_webhook_client import CallableAddresses, post
from serving.access.webhook_signatures import key_of, signed_headers
from serving.outbox.feeds import FeedChannel, FeedParts
from serving.outbox.outbox import RetryRule
from serving.review.cases.case_records import CaseAccess
from serving.review.published_events import EventType, FeedAccess, PublishedEvent, PublishedEvents

if TYPE_CHECKING:
    from serving.storage.repositories.receiver_repository import ReceiverRepository
    from serving.storage.repositories.webhook_repository import WebhookRepository

MAX_ENDPOINTS = 32
PAGE_SIZE = 20

RETRY = RetryRule(timedelta(seconds=5), timedelta(hours=6), growth=3, jitter=0.2)


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

    def wants(self, event_type: EventType) -> bool:
        """Return whether it receives events of a type."""
        return not self.types or event_type in self.types

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


class WebhookChannel(FeedChannel[WebhookEndpoint, PublishedEvent]):
    """The channel of case events to the endpoints of one database."""

    name = "webhook"
    max_concurrent = MAX_ENDPOINTS
    retry = RETRY

    def __init__(
        self,
        store: "WebhookRepository",
        progress: "ReceiverRepository",
        events: PublishedEvents,
        addresses: CallableAddresses,
        clock: Callable[[], datetime],
        off_after: timedelta,
        count: Callable[[str], object] = lambda _: None,
    ):
        super().__init__(progress, clock, off_after)
        self._store = store
        self._events = events
        self._addresses = addresses
        self._count = count

    def receivers(self) -> dict[str, WebhookEndpoint]:
        """Return the endpoints that were not revoked, by id."""
        return {each.endpoint_id: each for each, _ in self._store.live()}

    def newest(self) -> str | None:
        """Return the id of the newest event of all."""
        return self._store.newest_event()

    def following(
        self, receiver: WebhookEndpoint, reached: str | None
    ) -> FeedParts[PublishedEvent]:
        """Return the next events of the types and offices of an endpoint."""
        events, page = self._events.page(receiver.access, reached, PAGE_SIZE)
        wanted = [(each.id, each) for each in events if receiver.wants(each.type)]
        return FeedParts(wanted, page.reached, page.has_more)

    def send(
        self, receiver: WebhookEndpoint, part_id: str, part: PublishedEvent, at: datetime
    ) -> None:
        """Post a signed event."""
        body = BODY.dump_json(WebhookBody(part.type, part.time, part))
        headers = signed_headers(receiver.keys(at), part_id, at, body)
        try:
            post(receiver.url, body, headers, self._addresses)
        except (OSError, AddressRefused):
            self._count("not_taken")
            raise
        self._count("taken")
