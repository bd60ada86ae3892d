"""Rendering of HTML pages, under a content policy that allows only files of this service."""

from collections.abc import Callable, Coroutine
from contextlib import suppress
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.errors import UnknownFeature
from serving.access.callers import Caller
from serving.console.browser_session import LOOKS_FOR_NEW, signed_in
from serving.console.case_forms import field_in_words
from serving.console.csrf import own_form
from serving.console.interruptions import InterruptedForm, Interruption, page_to_return_to
from serving.console.refusals import Refusal
from serving.console.rescue_news import RescueNews, rescue_news
from serving.container import Services
from serving.degraded_modes import degradations
from serving.errors import LogUnavailable, NotFound, ServingError, Unprocessable
from serving.language import ENGLISH, Language, begin_locale
from serving.review.cases.case_records import CaseAccess, CaseRow
from serving.review.cases.reviewer import Reviewer
from serving.web.html import environment
from serving.web.languages import language_asked_for
from serving.web.problems import parameters_refused
from serving.web.security_headers import PAGE_HEADERS

templates = environment(Path(__file__).parent / "templates")
templates.filters["field_in_words"] = field_in_words

# Context variables spare every route the parameters that all pages need. This one: whether the
# service is in live use; every page shows it if not.
_is_live: ContextVar[bool] = ContextVar("_is_live")


# Kinds of subject whose models are switched off, shown on every page.
_switched_off: ContextVar[tuple[str, ...]] = ContextVar("_switched_off", default=())


# Whether history that the models were trained on is missing, shown on every page.
_is_history_missing: ContextVar[bool] = ContextVar("_is_history_missing", default=False)


# Address of the requested page, highlighted in the navigation.
_path: ContextVar[str] = ContextVar("_path", default="")

# Time of rendering, from which the page counts down the session.
_page_at: ContextVar[datetime] = ContextVar("_page_at")


# Services of the request: every page counts the notices of its reader.
_services: ContextVar[Services] = ContextVar("_services")


def is_part_asked(request: Request) -> bool:
    """Return whether a page asks for a part of itself (htmx)."""
    headers = request.headers
    return "hx-request" in headers and "hx-history-restore-request" not in headers


# Status that makes htmx stop polling; the page keeps what was entered.
STOPS_ASKING = 286


class PageRoute(APIRoute):
    """Route that answers errors with pages for people, not with JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler, with errors as pages and a redirect to sign-in without a session."""
        answer = super().get_route_handler()

        async def answer_with_a_page(request: Request) -> Response:
            services = request.app.state.services
            begin_locale(
                _language_asked_for(request, services), services.settings.default_time_zone
            )
            _services.set(services)
            _path.set(request.url.path)
            _is_live.set(services.settings.is_live)
            _page_at.set(services.clock())
            _switched_off.set(services.kill_switch.kinds_off)
            _is_history_missing.set("history_missing" in degradations(services))
            return _in_place(request, await _answered(answer, request))

        return answer_with_a_page


def _language_asked_for(request: Request, services: Services) -> Language:
    """Return the language that the browser requests; English if the header is too long."""
    try:
        return language_asked_for(request, services)
    except Unprocessable:
        return ENGLISH


async def _answered(
    answer: Callable[[Request], Coroutine[Any, Any, Response]], request: Request
) -> Response:
    try:
        return await answer(request)
    except Interruption as interruption:
        return await _interrupted(request, interruption)
    except UnknownFeature:
        error: ServingError = NotFound("no feature of that name is in the catalogue")
    except RequestValidationError as wrong:
        error = parameters_refused(wrong)
    except ServingError as refused:
        error = refused
    return await _refusal(request, error)


def _in_place(request: Request, response: Response) -> Response:
    """Adapt an answer for a page that asked for a part: a whole page replaces all of it."""
    is_whole = isinstance(response, HTMLResponse) and bytes(response.body).startswith(b"<!doctype")
    if not is_part_asked(request) or not is_whole:
        return response
    # Reload, so that the page's own scripts run.
    if request.method == "GET":
        asked = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        response.headers["HX-Redirect"] = asked
    else:
        response.headers.update({"HX-Retarget": "body", "HX-Reswap": "innerHTML"})
    return response


def page(
    template: str, status: int = 200, retry_after_s: int | None = None, **content: Any
) -> HTMLResponse:
    """Return a rendered template."""
    html = templates.get_template(template).render(
        is_live=_is_live.get(),
        switched_off=_switched_off.get(),
        is_history_missing=_is_history_missing.get(),
        path=_path.get(),
        page_at=_page_at.get(),
        unread_notices=_count_unread(content.get("reader")),
        kept_case=_case_of(content.get("kept"), content.get("reader")),
        news=_rescue_news(content.get("reader")),
        **content,
    )
    later = {} if retry_after_s is None else {"Retry-After": str(retry_after_s)}
    return HTMLResponse(html, status, PAGE_HEADERS | later)


def _case_of(kept: InterruptedForm | None, reader: Caller | None) -> CaseRow | None:
    """Return the case that a kept form acts on, if its author may see it."""
    if reader is None or kept is None or kept.case_id is None:
        return None
    with suppress(ServingError):
        return _services.get().cases.case(Reviewer.from_caller(reader), kept.case_id)[0]
    return None


def _count_unread(reader: Caller | None) -> int | None:
    """Return the number of unread notices; None if the reader gets none, or it is unknown."""
    if reader is None or reader.actor.kind != "account" or not reader.may("review"):
        return None
    services, access = _services.get(), CaseAccess(reader.offices, is_rescue=False)
    # A page stays readable without its count of notices.
    with suppress(LogUnavailable):
        return services.notices.count_unread(reader.actor, access, services.clock())
    return None


def _rescue_news(reader: Caller | None) -> RescueNews | None:
    """Return the unattended emergencies shown above every page of rescuers."""
    return rescue_news(_services.get(), reader) if reader and reader.may("rescue") else None


async def _interrupted(request: Request, interruption: Interruption) -> Response:
    """Return the page that comes first; entered text travels along as hidden fields."""
    # A polling page must not turn into a sign-in form while someone is typing in it.
    if request.url.path in LOOKS_FOR_NEW:
        return Response(status_code=STOPS_ASKING)
    kept = await _kept_form(request)
    if is_part_asked(request) and (kept is None or interruption.step.template is None):
        return Response(status_code=401, headers={"HX-Redirect": interruption.address})
    if kept is None or interruption.step.template is None:
        return RedirectResponse(interruption.address, 303)
    content = {"to": interruption.to, "kept": kept, **interruption.content}
    return page(interruption.step.template, 401, reader=None, refusal=None, **content)


async def _kept_form(request: Request) -> InterruptedForm | None:
    content = request.headers.get("content-type", "")
    if request.method != "POST" or not content.startswith("application/x-www-form-urlencoded"):
        return None
    try:
        return InterruptedForm.sent(request.url.path, await own_form(request))
    except ServingError:
        return None


async def _refusal(request: Request, error: ServingError) -> HTMLResponse:
    """Return an error page, from which a signed-in reader can resubmit the form."""
    reader, session = signed_in(request, request.app.state.services) or (None, None)
    is_post = request.method == "POST"
    # Only a temporary error is worth sending the form again.
    may_come_right = session is not None and error.retry_after_s is not None
    return page(
        "refusal.html",
        error.status,
        error.retry_after_s,
        reader=reader,
        session=session,
        refusal=Refusal.of_error(error),
        faults=error.faults,
        kept=await _kept_form(request) if may_come_right else None,
        to=page_to_return_to(request) if is_post or error.retry_after_s is not None else "",
        is_post=is_post,
        is_known=reader is not None or error.status < 500,
    )
