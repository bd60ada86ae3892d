"""HTML from templates, under a policy that lets nothing run or load but our own files."""

from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.errors import UnknownFeature
from serving.degraded_modes import degradations
from serving.errors import NotFound, ServingError
from serving.web.html import environment
from serving.web.problems import parameters_refused
from serving.web.security_headers import PAGE_HEADERS

templates = environment(Path(__file__).parent / "templates")

_is_live: ContextVar[bool] = ContextVar("_is_live")
"""Whether the service that a page is rendered for is used in earnest; every page says so."""


_switched_off: ContextVar[tuple[str, ...]] = ContextVar("_switched_off", default=())
"""The kinds of subject whose models are switched off; every page says so too."""


_is_history_missing: ContextVar[bool] = ContextVar("_is_history_missing", default=False)
"""Whether the service lacks history that its models were trained on; every page says so too."""


class SignInNeeded(Exception):
    """The page is for signed-in readers; `address` is where to return to."""

    def __init__(self, address: str):
        super().__init__(address)
        self.address = address


class PageRoute(APIRoute):
    """A route whose errors are pages: a person reads them, not a machine."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """The handler, with errors as pages and readers without a session sent to sign in."""
        answer = super().get_route_handler()

        async def answer_with_a_page(request: Request) -> Response:
            services = request.app.state.services
            _is_live.set(services.settings.is_live)
            _switched_off.set(services.kill_switch.kinds_off)
            _is_history_missing.set("history_missing" in degradations(services))
            try:
                return await answer(request)
            except SignInNeeded as needed:
                return RedirectResponse(f"/console/sign-in?to={needed.address}", 303)
            except UnknownFeature:
                return _refusal(NotFound("no feature of that name is in the catalogue"))
            except RequestValidationError as error:
                return _refusal(parameters_refused(error))
            except ServingError as error:
                return _refusal(error)

        return answer_with_a_page


def page(template: str, status: int = 200, **content: Any) -> HTMLResponse:
    """A rendered template."""
    html = templates.get_template(template).render(
        is_live=_is_live.get(),
        switched_off=_switched_off.get(),
        is_history_missing=_is_history_missing.get(),
        **content,
    )
    return HTMLResponse(html, status, PAGE_HEADERS)


def _refusal(error: ServingError) -> HTMLResponse:
    problem = {"title": error.title, "detail": str(error), "faults": error.faults}
    return page("refusal.html", error.status, reader=None, **problem)
