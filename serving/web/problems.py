"""Errors as `application/problem+json` (RFC 9457), without anything that the caller sent."""

import traceback
from dataclasses import asdict
from pathlib import Path
from typing import Any

import orjson
import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match

from features.errors import TidegateError, UnknownFeature, in_own_words
from serving.errors import NotFound, RequestFault, ServingError, Unprocessable
from serving.web.fault_codes import FAULT_CODES
from serving.web.head_requests import takes_head

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
# Faults in one answer. A caller with more can correct these first.
MAX_FAULTS = 50
MAX_PROBLEM = 64 * 1024  # bytes
# As in nginx. No client reads this answer; only log and metrics show it.
CLIENT_GONE = 499
# Characters, because a pointer may contain a name that the caller chose.
MAX_POINTER_LENGTH = 256

TITLES = {
    404: "Page not found",
    405: "This address does not take that method",
}


class FaultOut(BaseModel):
    """One fault: where, the rule that it breaks, and the rule in words.

    `pointer` is a JSON Pointer into the body; of a standard message its line, segment or element.
    """

    pointer: str
    code: str = Field(examples=[*FAULT_CODES], description="`/problems` says what each means.")
    detail: str


class Problem(BaseModel):
    """What went wrong, as RFC 9457 says it; `errors` is empty where no field is to blame."""

    type: str = Field(examples=["/problems/submission-refused"])
    title: str
    status: int
    detail: str
    instance: str = Field(examples=["urn:uuid:8f14e45f-ceea-467f-a8a8-2f1c1f6a1b2c"])
    request_id: str
    errors: list[FaultOut]
    error: str = Field(
        "", description="The detail once more, where clients of the Open Inference Protocol ask."
    )


def add_problem_handlers(app: FastAPI) -> None:
    """Register handlers that turn every error of the service into a problem."""
    app.add_exception_handler(ServingError, _serving_error)
    app.add_exception_handler(UnknownFeature, _unknown_feature)
    app.add_exception_handler(TidegateError, _failure)
    app.add_exception_handler(RequestValidationError, _invalid_parameters)
    app.add_exception_handler(HTTPException, _http_exception)
    app.add_exception_handler(ClientDisconnect, _client_gone)


def problem(request: Request, error: ServingError) -> Response:
    """Return the answer to a request that ends in `error`."""
    headers = dict(error.headers)
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after_s is not None:
        headers["Retry-After"] = str(error.retry_after_s)
    body = problem_body(request.state.request_id, error)
    return Response(body, error.status, headers, MEDIA_TYPE)


def problem_body(request_id: str, error: ServingError, most_faults: int = MAX_FAULTS) -> bytes:
    """Return an error in the form of RFC 9457, with its first faults, in at most 64 KiB."""
    kind, faults = error.problem, error.faults[:most_faults]
    while True:
        content = _content(request_id, kind.type, kind.title, kind.status, str(error), faults)
        body = orjson.dumps(content)
        if len(body) <= MAX_PROBLEM or not faults:
            return body
        # Too long: halve the list of faults until it fits. Long paths in pointers can cause this.
        faults = faults[: len(faults) // 2]


def parameters_refused(error: RequestValidationError) -> Unprocessable:
    """Return the error for refused query parameters or form fields."""
    faults = tuple(
        RequestFault(
            "/" + "/".join(map(str, fault["loc"][1:])), fault["type"], in_own_words(fault["msg"])
        )
        for fault in error.errors()[:MAX_FAULTS]
    )
    return Unprocessable("a field or a parameter of the request is refused", faults)


def unforeseen(request: Request) -> Response:
    """Return the answer to a request that failed because of the service."""
    return problem(request, ServingError("the service failed; the request id leads to its log"))


def log_failure(error: Exception) -> None:
    """Log an error's type and stack, without message and variables, which may hold caller data."""
    frames = traceback.extract_tb(error.__traceback__)
    where = [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]
    log.error("request_failed", exception=type(error).__name__, where=where)


def _serving_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, ServingError)
    return problem(request, error)


def _unknown_feature(request: Request, _: Exception) -> Response:
    return problem(request, NotFound("no feature of that name is in the catalogue"))


def _invalid_parameters(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return problem(request, parameters_refused(error))


def _http_exception(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    title = TITLES.get(error.status_code, "The request was refused")
    content = _content(
        request.state.request_id, "about:blank", title, error.status_code, f"{title}."
    )
    headers = dict(error.headers or {})
    if error.status_code == 405 and (methods := _methods_of_address(request)):
        headers["Allow"] = ", ".join(sorted(methods))
    return Response(orjson.dumps(content), error.status_code, headers, MEDIA_TYPE)


def _methods_of_address(request: Request) -> set[str]:
    """Return the methods of all routes of the address; the router knows only one route's."""
    methods = {
        method
        for route in request.app.routes
        if route.matches(request.scope)[0] is not Match.NONE
        for method in getattr(route, "methods", ())
    }
    if "GET" in methods and takes_head(request.url.path):
        methods.add("HEAD")
    return methods


def _client_gone(_: Request, __: Exception) -> Response:
    """Return an empty answer, for the log alone: the client disconnected while sending its body."""
    return Response(status_code=CLIENT_GONE)


def _failure(request: Request, error: Exception) -> Response:
    log_failure(error)
    return unforeseen(request)


def _content(
    request_id: str,
    kind: str,
    title: str,
    status: int,
    detail: str,
    faults: tuple[RequestFault, ...] = (),
) -> dict[str, Any]:
    return {
        "type": kind,
        "title": title,
        "status": status,
        "detail": detail,
        "instance": f"urn:uuid:{request_id}",
        "request_id": request_id,
        "errors": [fault_content(fault) for fault in faults],
    }


def fault_content(fault: RequestFault) -> dict[str, str]:
    """Return a fault as JSON content, with its pointer shortened and made valid UTF-8."""
    pointer = fault.pointer[:MAX_POINTER_LENGTH].encode("utf-8", "replace").decode()
    return asdict(fault) | {"pointer": pointer}
