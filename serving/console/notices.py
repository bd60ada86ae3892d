"""Page of a reader's notices, and the bell with the number of unread ones."""

from fastapi import APIRouter
from starlette.responses import HTMLResponse, RedirectResponse, Response

from serving.console.browser_session import TheSession
from serving.console.csrf import SignedForm
from serving.console.page_scopes import MayReview
from serving.console.pages import PageRoute, page
from serving.language import say
from serving.review.cases.notices import NoticeKind
from serving.review.cases.reviewer import Reviewer
from serving.web.services import TheServices

router = APIRouter(prefix="/console/notices", include_in_schema=False, route_class=PageRoute)


NOTICE_WORDS: dict[NoticeKind, str] = {
    "assigned": "{who} assigned this case to you",
    "handed_over": "{who} handed this case over to you",
    "second_person": "{who} asks for a second person",
    "mentioned": "{who} mentioned you",
    "reminder": "The time you laid it aside for is over",
    "escalated": "escalated this case: it needs a supervisor",
    "amended": "The declaration was amended since",
    "withdrawn": "The declaration was withdrawn",
    "result_in": "A result came from another system",
}


@router.get("")
def show_notices(services: TheServices, caller: MayReview, session: TheSession) -> HTMLResponse:
    """Show the newest notices about cases that the reader may still see."""
    reviewer, now = Reviewer.from_caller(caller), services.clock()
    found = services.notices.of_holder(caller.actor, reviewer.access, now)
    rows = services.cases.rows_of(reviewer, dict.fromkeys(each.case_id for each in found))
    return page(
        "notices.html",
        reader=caller,
        session=session,
        notices=found,
        cases={row.case_id: row for row in rows},
        said=lambda each: say(NOTICE_WORDS[each.kind], who=each.by.shown),
    )


@router.get("/count")
def count_unread(services: TheServices, caller: MayReview) -> HTMLResponse:
    """Return the bell alone, with the number of unread notices."""
    return page("bell.html", reader=caller)


@router.post("/read")
def mark_as_read(services: TheServices, caller: MayReview, form: SignedForm) -> Response:
    """Mark one notice as read, or all of them if none is given."""
    if notice_id := form.get("notice"):
        services.notices.mark(caller.actor, notice_id, services.clock())
    else:
        services.notices.read_all(caller.actor, services.clock())
    return RedirectResponse("/console/notices", 303)


@router.post("/unread")
def mark_as_unread(services: TheServices, caller: MayReview, form: SignedForm) -> Response:
    """Mark one notice as unread."""
    services.notices.mark(caller.actor, form.get("notice", ""), None)
    return RedirectResponse("/console/notices", 303)
