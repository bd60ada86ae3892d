"""The document at `/openapi.json`: the output of FastAPI, completed and corrected.

Clients are generated from it, so it must accept no more and promise no less than the service:
errors are problems, a parameter is omitted but never null, and every call has a short name.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute

from serving.api.openapi import (
    HEADERS,
    RELEASE,
    answer_headers,
    described_problem,
    problems,
    schemas_read_by_hand,
)
from serving.errors import PROBLEMS

DESCRIPTION = """\
Scores routes and shipments for smuggling risk, and explains every score. A person is no subject;
parties, which may be persons, are known by pseudonyms.

An answer is an offer of attention to a reviewer. It decides nothing, and the absence of a score
never means low risk. Errors are problems (RFC 9457) and repeat nothing of what was sent.
"""

# No call and webhook share a tag: generators write one file for each, and the later one wins.
TAGS = {
    "scores": "A subject in, a decision out; or many.",
    "records": "Records about subjects, before and after they are scored.",
    "messages": "Standard messages of the trade, as they come.",
    "decisions": "Decisions on record, and their explanations.",
    "review": "Cases: what waits for a person, and what persons do with it.",
    "events": "Events of cases, in order.",
    "webhooks": "Messages that the service sends to your endpoints.",
    "letters": "Letters to parties about a case.",
    "rescue": "Calls to rescue centres.",
    "features": "The meaning of every number.",
    "models": "Models in service, and their kill switches.",
    "health": "Liveness, readiness and metrics.",
}


def describe(app: FastAPI, public_address: str | None = None) -> None:
    """Complete the OpenAPI document of `app`; `public_address` is its address for callers."""
    app.version = RELEASE
    app.contact = {"name": "The operator of this installation"}
    app.license_info = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    app.servers = [{"url": (public_address or "").rstrip("/") or "/"}]
    app.openapi_tags = [{"name": name, "description": says} for name, says in TAGS.items()]
    for route in (*app.routes, *app.webhooks.routes):
        if isinstance(route, APIRoute):
            # Clients name their methods by these ids; FastAPI's defaults are long.
            route.operation_id = route.name
    generated = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            _complete(generated())
        return generated()  # FastAPI caches the completed document

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI documents


def _complete(document: dict[str, Any]) -> None:
    components = document.setdefault("components", {})
    components.setdefault("schemas", {}).update(schemas_read_by_hand())
    components["headers"] = {
        name: {"description": says, "schema": {"type": "string"}} for name, says in HEADERS.items()
    }
    components["schemas"]["Problem"]["properties"]["type"]["examples"] = sorted(
        each.type for each in PROBLEMS.values()
    )
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            _put_parameters(operation)
            if method == "post" and path.startswith("/v1/"):
                _put_problems_of_bodies(operation)
            _put_problems(path, operation)
            _put_headers(operation)
    _put_answers_of_receivers(document)
    _leave_out_defaults(document)
    # Problems have replaced them, so nothing refers to them.
    for unused in ("HTTPValidationError", "ValidationError"):
        components["schemas"].pop(unused, None)


def _operations(paths: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for operations in paths.values():
        yield from operations.values()


def _leave_out_defaults(document: dict[str, Any]) -> None:
    """Remove defaults from request fields, which generated clients would otherwise send."""
    schemas = document["components"]["schemas"]
    bodies = [operation.get("requestBody") for operation in _operations(document["paths"])]
    sent = set(_references(bodies))
    for name in _with_parts(schemas, sent):
        for field in schemas[name].get("properties", {}).values():
            default = field.pop("default", None)
            if default not in (None, [], ""):
                says = field.get("description", "")
                field["description"] = f"{says} Without it: {default}.".lstrip()


def _with_parts(schemas: dict[str, Any], names: Iterable[str]) -> list[str]:
    """Return the names of schemas and of all schemas that they refer to."""
    found = sorted(names)
    for name in found:  # the list grows during the loop
        found += sorted(set(_references(schemas[name])) - set(found))
    return found


def _references(node: Any) -> Iterator[str]:
    """Yield the names of the schemas that a part of the document refers to."""
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.rsplit("/", 1)[-1]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from _references(each)


def _put_parameters(operation: dict[str, Any]) -> None:
    """Remove null from the types of parameters, since an address cannot contain it."""
    for parameter in operation.get("parameters", []):
        schema = parameter["schema"]
        kinds = [kind for kind in schema.get("anyOf", []) if kind != {"type": "null"}]
        if len(kinds) == 1:
            del schema["anyOf"]
            schema |= kinds[0]
        if schema.get("default", "") is None:
            del schema["default"]


def _put_problems(path: str, operation: dict[str, Any]) -> None:
    """Describe problems in place of FastAPI's own errors, which the service never sends."""
    responses = operation["responses"]
    if path.startswith("/v1/"):  # `ClosedRoute`
        says = "A parameter is refused: it is unknown here, or given more than once."
        responses.setdefault("422", described_problem("422", says))
    if operation.setdefault("security", []):
        for status, response in problems().items():
            responses.setdefault(str(status), response)
    if "HTTPValidationError" in str(responses.get("422")):
        responses["422"] = described_problem(
            "422", "A parameter or a field of the body is refused."
        )
    what = "body" if "requestBody" in operation else "address"
    too_large = "Request line, headers or cookies are too large."
    responses.setdefault("400", described_problem("400", f"The {what} cannot be understood."))
    responses.setdefault("431", described_problem("431", too_large))
    if responses["200"]["description"] == "Successful Response":
        responses["200"]["description"] = "The answer."


def _put_problems_of_bodies(operation: dict[str, Any]) -> None:
    """Describe how a body is refused before its fields are read (`CallerFirst`)."""
    says = {"413": "The body is too large.", "415": "The body is not plain JSON."}
    for status, words in says.items():
        operation["responses"].setdefault(status, described_problem(status, words))


def _put_headers(operation: dict[str, Any]) -> None:
    """Describe the headers of all responses, and those of rate-limited calls."""
    counted = ("RateLimit", "RateLimit-Policy") if operation.get("security") else ()
    for status, response in operation["responses"].items():
        names = counted if status in {"200", "429"} else ()
        response["headers"] = {
            **response.get("headers", {}),
            **answer_headers("X-Request-Id", *names),
        }


def _put_answers_of_receivers(document: dict[str, Any]) -> None:
    """Describe the responses of a webhook receiver in place of FastAPI's own errors."""
    for operation in _operations(document.get("webhooks", {})):
        operation["security"] = []  # the signature is proof
        operation["responses"] = {
            "2XX": {"description": "It is taken."},
            "410": {"description": "The endpoint is gone, and is called no more."},
            "default": {"description": "It is tried again later."},
        }
