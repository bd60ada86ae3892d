"""`GET /v1/notices`: notices of case events for the caller, and marking them as read."""

import base64
import json
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from serving.access.acting import add_audit_details
from serving.access.actors import Actor
from serving.access.callers import Caller
from serving.api.openapi import problems
from serving.container import Services
from serving.errors import RequestFault, Unprocessable
from serving.review.cases.notices import MAX_SHOWN, Notice, NoticeKind, NoticePosition
from serving.review.cases.reviewer import Reviewer
from serving.web.authentication import MayReview
from serving.web.bodies import ClosedModel
from serving.web.caller_first import CallerFirst
from serving.web.queue_cursor import MAX_CURSOR_LENGTH
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/notices", tags=["review"], route_class=CallerFirst)


# Cursors come back from clients, so accept only the exact form that `_encoded` makes.
_PLACE = re.compile(r'\[(true|false), "([0-9T:.+-]{1,40})", "([0-9a-f]{1,64})"\]')


class NoticeAnswer(BaseModel):
    """A notice, without the content of its case, which is read with the case.

    `by` is a name, `by_id` the identity behind it. `read_at` is null while it is unread.
    """

    notice_id: str
    case_id: str
    kind: NoticeKind
    at: datetime
    by: str
    by_id: str
    read_at: datetime | None

    @classmethod
    def from_notice(cls, notice: Notice) -> "NoticeAnswer":
        """Return the response for a notice."""
        who = {"by": notice.by.name, "by_id": notice.by.identity}
        return cls.model_validate(vars(notice) | who)


class NoticePage(BaseModel):
    """A page of notices, unread ones first, then the newest; `next` is the next page's cursor.

    `unread` counts the unread ones, up to 100.
    """

    notices: list[NoticeAnswer]
    unread: int
    next: str | None


class NoticeQuery(BaseModel):
    """The page of notices."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    cursor: str | None = None
    limit: Annotated[int, Field(ge=1, le=200)] = 50


class ReadNotices(ClosedModel):
    """The notices that were read."""

    notice_ids: list[Annotated[str, Field(min_length=1, max_length=64)]] | None = Field(
        None, description="By their ids; all of the caller's without.", min_length=1, max_length=200
    )


class UnreadNotices(BaseModel):
    """The number of unread notices, up to 100."""

    unread: int


@router.get("", responses=problems(s422="The cursor is refused."))
def list_notices(
    services: TheServices, caller: MayReview, query: Annotated[NoticeQuery, Query()]
) -> NoticePage:
    """List the caller's own notices of cases that it may still see.

    A person with a token also gets the notices of their account. A notice that is read between two
    pages may appear twice.
    """
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    after = _decoded(query.cursor)
    holders = _holders(services, caller)
    found = services.notices.page(holders, reviewer.access, now, after, query.limit)
    add_audit_details(cases=[*dict.fromkeys(each.case_id for each in found)])
    is_full = len(found) == query.limit
    return NoticePage(
        notices=[NoticeAnswer.from_notice(each) for each in found],
        unread=_count_unread(services, caller, holders, now),
        next=_encoded(found[-1]) if is_full else None,
    )


@router.post("/read", responses=problems(s404="One of them is no notice of the caller."))
def mark_as_read(services: TheServices, caller: MayReview, body: ReadNotices) -> UnreadNotices:
    """Mark notices as read; if one belongs to somebody else, none is marked."""
    now, holders = services.clock(), _holders(services, caller)
    if body.notice_ids is not None:
        services.notices.read_some(holders, body.notice_ids, now)
    else:
        for holder in holders:
            services.notices.read_all(holder, now)
    return UnreadNotices(unread=_count_unread(services, caller, holders, now))


def _holders(services: Services, caller: Caller) -> list[Actor]:
    """Return the caller and, for a personal token, the live account of the same person."""
    account = services.accounts.of_subject(caller.person) if caller.person else None
    # A disabled account receives no notices, not even through a token.
    is_live = account is not None and account.disabled_at is None
    return [caller.actor, *([account.actor] if account is not None and is_live else [])]


def _count_unread(
    services: Services, caller: Caller, holders: Sequence[Actor], now: datetime
) -> int:
    access = Reviewer.from_caller(caller).access
    counts = (services.notices.count_unread(holder, access, now) for holder in holders)
    return min(sum(counts), MAX_SHOWN)


def _encoded(notice: Notice) -> str:
    place = json.dumps([notice.read_at is not None, notice.at.isoformat(), notice.notice_id])
    return base64.urlsafe_b64encode(place.encode()).decode()


def _decoded(cursor: str | None) -> NoticePosition | None:
    """Return the position in a cursor; raises Unprocessable unless a page issued it."""
    if not cursor:
        return None
    try:
        place = base64.b64decode(cursor[:MAX_CURSOR_LENGTH], b"-_", validate=True).decode("ascii")
        was_read, at, notice_id = _PLACE.fullmatch(place).groups()  # type: ignore[union-attr]  # caught
        return was_read == "true", datetime.fromisoformat(at), notice_id
    except (ValueError, AttributeError):
        fault = RequestFault("/cursor", "cursor", "want the `next` of a page")
        raise Unprocessable("this cursor did not come from a page", (fault,)) from None
