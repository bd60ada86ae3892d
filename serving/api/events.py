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
    """Events in the order in which they became true; `next` goes into `after`.

    `next` is null where nothing has happened yet. A page may be empty though `has_more`: others'
    events lie between.
    """

    events: list[PublishedEvent]
    next: str | None
    has_more: bool


class EventQuery(BaseModel):
    """Where a page of events begins, and how many it has at most."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    after: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


@router.get("/events", responses=problems(s422="The cursor or the limit is refused."))
def read_events(
    services: TheServices, caller: MayReadEvents, query: Annotated[EventQuery, Query()]
) -> EventPage:
    """What became of cases since a place in the feed, each thing once and in order.

    Whoever has the scope `events` or `review` reads of the cases of its offices, `rescue` of
    rescues alone, and `score` of the cases that its own submissions opened.
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
    """What endpoints get that `tidegate webhooks create` makes (Standard Webhooks).

    Any 2xx takes it, 410 ends it, and whatever else is tried again later.
    """
