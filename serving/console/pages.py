"""HTML from templates, under a policy that lets nothing run or load but our own files."""

import math
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from datetime import datetime
from pathlib import Path
from typing import Any

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse, RedirectResponse, Response

from features.errors import UnknownFeature
from serving.api.problems import parameters_refused
from serving.console.figures import named
from serving.degradation import degradations
from serving.errors import NotFound, ServingError
from serving.explanation.formatting import readable
from serving.explanation.provenance_text import resting_in_words

HERE = Path(__file__).parent
STATIC = HERE / "static"

POLICY = (
    "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; "
    "img-src 'self'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
}

templates = Environment(
    loader=FileSystemLoader(HERE / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


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
    return HTMLResponse(html, status, HEADERS)


def _refusal(error: ServingError) -> HTMLResponse:
    told = {"title": error.title, "detail": str(error), "faults": error.faults}
    return page("refusal.html", error.status, reader=None, **told)


def instant_in_words(instant: datetime) -> str:
    """An instant as every page shows it."""
    return f"{instant:%-d %B %Y, %H:%M} UTC"


def _signed(log_odds: float) -> str:
    return f"{log_odds:+.3f}".replace("-", "−")


def _odds(log_odds: float) -> str:
    """How many times the odds a part makes them; below one as a division, which reads easier."""
    factor = math.exp(abs(log_odds))
    return f"{'×' if log_odds >= 0 else '÷'} {factor:.2f}"


def _percent(probability: float) -> str:
    return f"{100 * probability:.1f} %"


def _moment(text: str) -> str:
    return instant_in_words(datetime.fromisoformat(text))


def _size(size_bytes: int) -> str:
    """A size in the unit that tells most."""
    if size_bytes < 1_024:
        return f"{size_bytes} bytes"
    kib = size_bytes / 1_024
    return f"{kib:.0f} KiB" if kib < 1_024 else f"{kib / 1_024:.1f} MiB"


def _time_left(hours: float) -> str:
    """How long until the conveyance is due, in the unit that tells most."""
    size = abs(hours)
    return f"due in {_duration(size)}" if hours >= 0 else f"due {_duration(size)} ago"


def _duration(hours: float) -> str:
    if hours < 1:
        return f"{60 * hours:.0f} min"
    return f"{hours:.0f} h" if hours < 48 else f"{hours / 24:.0f} days"


def _capitalize_first(text: str) -> str:
    return text[:1].upper() + text[1:]


templates.filters.update(
    figure=named,
    moment=_moment,
    size=_size,
    time_left=_time_left,
    duration=_duration,
    plural="{}s".format,
    capitalize_first=_capitalize_first,
    instant=instant_in_words,
    signed=_signed,
    odds=_odds,
    percent=_percent,
    resting=resting_in_words,
    words=readable,
)
