"""Pages for those who build against the service: the calls, and what each problem means."""

import json
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.responses import HTMLResponse, RedirectResponse

from serving.console.browser_session import cookie_name
from serving.console.pages import PageRoute, page
from serving.errors import NotFound, NotSignedIn
from serving.web.fault_codes import FAULT_CODES
from serving.web.problems import known_problems, slug
from serving.web.services import TheServices

router = APIRouter(include_in_schema=False, route_class=PageRoute)


@dataclass(frozen=True)
class Call:
    """One operation of the API as a person reads it."""

    method: str
    path: str
    says: str
    parameters: tuple[tuple[str, str], ...]
    examples: tuple[tuple[str, str], ...]
    responses: tuple[tuple[str, str], ...]

    @classmethod
    def from_operation(cls, path: str, method: str, operation: dict[str, Any]) -> "Call":
        """The call that an operation of the OpenAPI document describes."""
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        return cls(
            method=method.upper(),
            path=path,
            says=operation.get("description", operation["summary"]),
            parameters=tuple(
                (f"{p['name']} ({p['in']})", p.get("description", ""))
                for p in operation.get("parameters", [])
            ),
            examples=tuple(
                (example["summary"], json.dumps(example["value"], indent=2, ensure_ascii=False))
                for example in content.get("examples", {}).values()
            ),
            responses=tuple(
                (status, response["description"])
                for status, response in sorted(operation["responses"].items())
            ),
        )


@router.get("/")
def front_door() -> RedirectResponse:
    """A person who opens the bare address is a reviewer more often than not."""
    return RedirectResponse("/console", 303)


def require_reader(request: Request, services: TheServices) -> None:
    """Raise NotSignedIn for a stranger, where the settings keep the description to readers."""
    if not services.settings.docs_are_open:
        unended = services.sessions.find(
            request.cookies.get(cookie_name(request), ""), services.clock()
        )
        if unended is None:
            raise NotSignedIn("sign in to the console to read this")


@router.get("/docs", dependencies=[Depends(require_reader)])
def calls(request: Request) -> HTMLResponse:
    """Every call, read off the OpenAPI document."""
    document = request.app.openapi()
    described = [
        Call.from_operation(path, method, operation)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    about = document["info"]["description"].strip().split("\n\n")
    return page("calls.html", reader=None, calls=described, about=about)


@router.get("/problems")
def problems() -> HTMLResponse:
    """Every type of problem, and every fault code of ours."""
    known = sorted(known_problems(), key=lambda error: (error.status, slug(error)))
    listed = [(slug(error), error.status, error.title, error.__doc__) for error in known]
    return page("problems.html", reader=None, problems=listed, codes=FAULT_CODES)


@router.get("/problems/{name}")
def problem(name: str) -> HTMLResponse:
    """What a problem's `type` means."""
    for error in known_problems():
        if slug(error) == f"/problems/{name}":
            return page("problem.html", reader=None, error=error, says=error.__doc__)
    raise NotFound("no problem has this type")


@router.get("/console/{address:path}")
def unknown(address: str) -> None:
    """A page for whoever came by an address that no page has."""
    raise NotFound("the console has no page of this address")
