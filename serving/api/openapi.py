"""OpenAPI parts that routes add to what their signatures describe."""

from importlib.metadata import version
from typing import Any

from pydantic import BaseModel

from serving.web.bodies import JSON
from serving.web.problems import MEDIA_TYPE, Problem

RELEASE = version("tidegate")
REF = "#/components/schemas/{model}"

BEARER: list[dict[str, list[str]]] = [{"HTTPBearer": []}]

# Response headers with their meanings.
HEADERS: dict[str, str] = {
    "X-Request-Id": "The id of the request, under which the service logs it.",
    "RateLimit-Policy": "The caller's quota: `q` requests at once, which come back "
    "within `w` seconds.",
    "RateLimit": "The remaining quota: `r` requests now, and all again in `t` seconds.",
    "Retry-After": "After how many seconds to ask again.",
    "ETag": "The revision of what was read, to be sent as `If-Match` with what is done with it.",
    "Location": "The address of what was made.",
    "Idempotency-Replayed": "`true`: the same bytes as the first time.",
    "WWW-Authenticate": "`Bearer`: which kind of key is wanted.",
}

# Filled while the route modules are imported, before the document is made.
_read_by_hand: list[type[BaseModel]] = []
_answered_by_hand: list[type[BaseModel]] = [Problem]


def described_body(model: type[BaseModel], **examples: tuple[str, Any]) -> dict[str, Any]:
    """Return the description of a JSON body that a route parses itself; examples by name."""
    content: dict[str, Any] = {"schema": described_model(model)}
    if examples:
        content["examples"] = {
            name: {"summary": summary, "value": value}
            for name, (summary, value) in examples.items()
        }
    return {"requestBody": {"required": True, "content": {JSON: content}}}


def described_model(model: type[BaseModel]) -> dict[str, str]:
    """Return a reference to a model in no signature, and add its schema to the document."""
    _read_by_hand.append(model)
    return {"$ref": REF.format(model=model.__name__)}


def described_answer(model: type[BaseModel]) -> dict[str, str]:
    """Return a reference to a response model that a route serialises itself."""
    _answered_by_hand.append(model)
    return {"$ref": REF.format(model=model.__name__)}


def described_headers(**meanings: str) -> dict[str, Any]:
    """Return the description of request headers that a route reads itself.

    `described_headers(Accept_Language="...")`; a meaning that begins with `Required:` makes the
    header required.
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
    return {"parameters": parameters}


def answer_headers(*names: str) -> dict[str, dict[str, str]]:
    """Return references to response headers by their names in `HEADERS`."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def problems(**statuses: str) -> dict[int | str, dict[str, Any]]:
    """Return problem responses for a route: `problems(s404="unknown decision")`."""
    everywhere = {
        "s401": "No live API key.",
        "s403": "The key does not allow this.",
        "s429": "The key asks too often; it may again after `Retry-After`.",
        "s503": "The service cannot answer now; try again after `Retry-After`.",
    }
    return {
        status[1:]: described_problem(status[1:], says)
        for status, says in {**everywhere, **statuses}.items()
    }


def described_problem(status: str, says: str) -> dict[str, Any]:
    """Return the description of a problem response."""
    of_status = {
        "401": ["WWW-Authenticate"],
        "429": ["Retry-After"],
        "503": ["Retry-After"],
        "507": ["Retry-After"],
    }
    schema = {"$ref": REF.format(model=Problem.__name__)}
    return {
        "description": says,
        "headers": answer_headers(*of_status.get(status, [])),
        "content": {MEDIA_TYPE: {"schema": schema}},
    }


def schemas_read_by_hand() -> dict[str, Any]:
    """Return the schemas of models in no signature, with the schemas that they refer to."""
    schemas: dict[str, Any] = {}
    for model in _read_by_hand:
        schemas |= _with_parts(model, model.model_json_schema(ref_template=REF))
    for model in _answered_by_hand:
        schema = model.model_json_schema(ref_template=REF, mode="serialization")
        schemas |= _with_parts(model, schema)
    return schemas


def _with_parts(model: type[BaseModel], schema: dict[str, Any]) -> dict[str, Any]:
    return {**schema.pop("$defs", {}), model.__name__: schema}
