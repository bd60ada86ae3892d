"""`GET /v1/events`: case events in order, for systems that act on them."""

from typing import Annotated

from fastapi import APIRouter, Depends, Header, Query
from pydantic import BaseModel, ConfigDict, Field

from serving.access.callers import Caller
from serving.api.openapi import problems
from serving.outbox.webhooks import WebhookBody
from serving.review.published_events import FeedAccess, PublishedEvent
from serving.web.authentication import WithScope
from serving.web.caller_first import CallerFirst
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["events"], route_class=CallerFirst)

webhooks = APIRouter(tags=["webhooks"])

MayReadEvents = Annotated[Caller, Depends(WithScope("events", "score", "review", "rescue"))]


class EventPage(BaseModel):
    """Events in order; send `next` as `after` to get the next page.

    `next` is null if nothing has happened yet. A page may be empty although `has_more` is true,
    because events of other callers lie between.
    """

    events: list[PublishedEvent]
    next: str | None
    has_more: bool


class EventQuery(BaseModel):
    """The start of a page of events, and its maximum length."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/events", responses=problems(s422="The cursor or the limit is refused."))
def read_events(
    services: TheServices, caller: MayReadEvents, query: Annotated[EventQuery, Query()]
) -> EventPage:
    """List the events of cases after a position in the feed, each once and in order.

    The scopes `events` and `review` read the cases of their offices, `rescue` only rescues, and
    `score` the cases that the caller's own submissions opened.
    """
    access = FeedAccess.from_caller(caller)
    events, page = services.events.page(access, query.after, query.limit)
    return EventPage(events=events, next=page.reached, has_more=page.has_more)


@webhooks.post("case-event", status_code=204)
def tell_of_case(
    body: WebhookBody,
    webhook_id: Annotated[str, Header(description="The event's id: the same if it comes twice.")],
    webhook_timestamp: Annotated[str, Header(description="When it was sent, in Unix seconds.")],
    webhook_signature: Annotated[
        str,
        Header(
            description="`v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`; several "
            "with blanks between while a secret is exchanged."
        ),
    ],
) -> None:
    """Message to an endpoint made by `tidegate webhooks create` (Standard Webhooks).

    Any 2xx accepts it, 410 ends the subscription, and any other response is retried later.
    """
