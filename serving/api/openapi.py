"""The description at `/openapi.json`: bodies as they are read, problems as they are sent."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel

from serving.web.bodies import JSON
from serving.web.problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/{model}"

DESCRIPTION = """\
Scores routes and shipments for smuggling risk, and explains every score. A person is no subject;
parties, which may be persons, are known by pseudonyms.

An answer is an offer of attention to a reviewer. It decides nothing, and the absence of a score
never means low risk. Errors are problems (RFC 9457) and repeat nothing of what was sent.
"""

_read_by_hand: list[type[BaseModel]] = [Problem]


def described_body(model: type[BaseModel], **examples: tuple[str, Any]) -> dict[str, Any]:
    """The description of a JSON body that a route reads from its bytes; examples by name."""
    _read_by_hand.append(model)
    content: dict[str, Any] = {"schema": _reference(model)}
    if examples:
        content["examples"] = {
            name: {"summary": summary, "value": value}
            for name, (summary, value) in examples.items()
        }
    return {"requestBody": {"required": True, "content": {JSON: content}}}


def described_headers(**meanings: str) -> dict[str, Any]:
    """The description of headers that a route reads itself, beside the bearer token.

    `described_headers(Accept_Language="...")`; a meaning that begins with `Required:` says so.
    """
    parameters = [
        {
            "name": name.replace("_", "-"),
            "in": "header",
            "required": meaning.startswith("Required:"),
            "schema": {"type": "string"},
            "description": meaning,
        }
        for name, meaning in meanings.items()
    ]
    return {"parameters": parameters, "security": [{"HTTPBearer": []}]}


def problems(**statuses: str) -> dict[int | str, dict[str, Any]]:
    """Responses for a route's description: `problems(s404="unknown decision")`."""
    everywhere = {
        "s401": "No live API key.",
        "s403": "The key does not allow this.",
        "s429": "The key asks too often; it may again after `Retry-After`.",
        "s503": "The service cannot answer now; try again after `Retry-After`.",
    }
    return {status[1:]: _problem(says) for status, says in {**everywhere, **statuses}.items()}


def _problem(says: str) -> dict[str, Any]:
    return {"description": says, "content": {MEDIA_TYPE: {"schema": _reference(Problem)}}}


def _reference(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": REF.format(model=model.__name__)}


def describe(app: FastAPI) -> None:
    """Complete the description of `app` with the schemas of bodies that routes read by hand."""
    generated = app.openapi

    def described() -> dict[str, Any]:
        document = generated()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        for model in _read_by_hand:
            schemas.update(_schemas(model))
        _put_problems(document, schemas)
        _put_answers_of_receivers(document)
        _name_answers(document)
        return document

    app.openapi = described  # type: ignore[method-assign]  # as FastAPI documents


def _put_problems(document: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say problems where the framework says errors of its own, which never leave."""
    for operations in document["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            if "HTTPValidationError" in str(responses.get("422")):
                responses["422"] = _problem("A parameter or a field of the body is refused.")
            has_body = "requestBody" in operation
            responses.setdefault(
                "400", _problem(f"The {'body' if has_body else 'address'} cannot be understood.")
            )
            responses.setdefault("431", _problem("Request line, headers or cookies are too large."))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _put_answers_of_receivers(document: dict[str, Any]) -> None:
    """Say what whoever gets a webhook may answer, where the framework says its own errors."""
    for operations in document.get("webhooks", {}).values():
        for operation in operations.values():
            operation["responses"] = {
                "2XX": {"description": "It is taken."},
                "410": {"description": "The endpoint is gone, and is called no more."},
                "default": {"description": "It is tried again later."},
            }


def _name_answers(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            if operation["responses"]["200"]["description"] == "Successful Response":
                operation["responses"]["200"]["description"] = "The answer."


def _schemas(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=REF)
    return {**schema.pop("$defs", {}), model.__name__: schema}
