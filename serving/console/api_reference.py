"""Reference pages for integrators: API calls and types of problems."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import HTMLResponse, RedirectResponse

from serving.console import call_examples
from serving.console.browser_session import signed_in
from serving.console.pages import PageRoute, page
from serving.errors import PROBLEMS, NotFound, NotSignedIn, ProblemType
from serving.web.authentication import require_known_caller
from serving.web.fault_codes import FAULT_CODES
from serving.web.services import TheServices

router = APIRouter(include_in_schema=False, route_class=PageRoute)

Json = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """One operation of the API, prepared for display.

    `sends` and `answers` name the schemas of its bodies; `examples` are commands and bodies.
    """

    name: str
    tag: str
    method: str
    path: str
    says: str
    parameters: tuple[tuple[str, str], ...]
    sends: str | None
    answers: str | None
    examples: tuple[tuple[str, str], ...]
    responses: tuple[tuple[str, str], ...]

    @classmethod
    def from_operation(cls, path: str, method: str, operation: Json, schemas: Json) -> "Call":
        """Return the call that an operation of the OpenAPI document describes."""
        # Other media types have no schema to show.
        sent = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        answer = operation["responses"].get("200", {}).get("content", {})
        return cls(
            name=operation["operationId"],
            tag=operation["tags"][0],
            method=method.upper(),
            path=path,
            says=str(operation.get("description", operation["summary"])),
            parameters=tuple(
                (f"{p['name']} ({p['in']})", p.get("description", ""))
                for p in operation.get("parameters", [])
            ),
            sends=_shape_in(sent),
            answers=_shape_in(answer.get("application/json", {})),
            examples=tuple(_examples(path, method, operation, schemas)),
            responses=tuple(
                (status, response["description"])
                for status, response in sorted(operation["responses"].items())
            ),
        )


@dataclass(frozen=True)
class ShapeField:
    """One field of a schema: type, description, example, and whether it is required."""

    name: str
    holds: str
    says: str
    example: str | None
    is_required: bool


@dataclass(frozen=True)
class Shape:
    """A body's schema, by its name in the OpenAPI document."""

    name: str
    says: str
    fields: tuple[ShapeField, ...]

    @classmethod
    def from_schema(cls, name: str, schema: Json) -> "Shape":
        """Return the shape of a schema of the OpenAPI document."""
        required = schema.get("required", ())
        return cls(
            name=name,
            says=schema.get("description", ""),
            fields=tuple(
                ShapeField(
                    name=field,
                    holds=_held(of_field),
                    says=of_field.get("description", ""),
                    example=_example(of_field),
                    is_required=field in required,
                )
                for field, of_field in schema["properties"].items()
            ),
        )


@router.get("/")
def front_door() -> RedirectResponse:
    """Redirect the bare address to the console, because most people who open it are reviewers."""
    return RedirectResponse("/console", 303)


async def require_reader(request: Request, services: TheServices) -> None:
    """Raise NotSignedIn for unknown callers, in live use or if so configured.

    A password alone is not enough while a second factor is due.
    """
    if services.settings.are_docs_for_all:
        return
    if await run_in_threadpool(signed_in, request, services) is None:
        try:
            await require_known_caller(request, services)
        except NotSignedIn:
            raise NotSignedIn("sign in to the console to read this") from None


@router.get("/docs", dependencies=[Depends(require_reader)])
def calls(request: Request) -> HTMLResponse:
    """Show all calls with their fields and problems, from the OpenAPI document."""
    document = request.app.openapi()
    schemas = document["components"]["schemas"]
    described = [
        Call.from_operation(path, method, operation, schemas)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
    ]
    groups = [
        (tag["name"], tag["description"], [call for call in described if call.tag == tag["name"]])
        for tag in document["tags"]
    ]
    shapes = [
        Shape.from_schema(name, schema)
        for name, schema in sorted(schemas.items())
        if schema.get("properties")
    ]
    return page(
        "calls.html",
        reader=None,
        about=document["info"]["description"].strip().split("\n\n"),
        groups=[group for group in groups if group[2]],
        shapes=shapes,
        shape_names={shape.name for shape in shapes},
        problems=_listed_problems(),
        codes=FAULT_CODES,
    )


@router.get("/problems")
def problems() -> HTMLResponse:
    """Show all types of problems and Tidegate's own fault codes."""
    return page("problems.html", reader=None, problems=_listed_problems(), codes=FAULT_CODES)


@router.get("/problems/{name}")
def problem(name: str) -> HTMLResponse:
    """Show the meaning of a problem's `type`."""
    if name not in PROBLEMS:
        raise NotFound("no problem has this type")
    return page("problem.html", reader=None, problem=PROBLEMS[name])


@router.get("/console/{address:path}")
def unknown(address: str) -> None:
    """Answer an unknown console address with the console's own page of errors."""
    raise NotFound("the console has no page at this address")


def _listed_problems() -> list[ProblemType]:
    return sorted(PROBLEMS.values(), key=lambda each: (each.status, each.code))


def _examples(path: str, method: str, operation: Json, schemas: Json) -> Iterator[tuple[str, str]]:
    """Yield the call in curl and Python, and alternative bodies."""
    body = call_examples.body_of(operation, schemas)
    yield "curl", call_examples.curl(path, method, operation, body)
    if (by_client := call_examples.python(operation, body)) is not None:
        yield "Python", by_client
    content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
    # The first example is part of the commands already.
    for example in [*content.get("examples", {}).values()][1:]:
        yield example["summary"], json.dumps(example["value"], indent=2, ensure_ascii=False)


def _shape_in(content: Json) -> str | None:
    """Return the name of the schema of a content or of its items; None without one."""
    schema = content.get("schema", {})
    reference = schema.get("$ref") or schema.get("items", {}).get("$ref")
    return reference.rpartition("/")[2] if reference else None


def _held(schema: Json) -> str:
    """Return the type of a field in short form."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return " | ".join(dict.fromkeys(map(_held, choices)))
    if "enum" in schema:
        return " | ".join(map(json.dumps, schema["enum"]))
    if "const" in schema:
        return json.dumps(schema["const"])
    if schema.get("type") == "array":
        return f"array of {_held(schema.get('items', {}))}"
    return str(schema.get("format") or schema.get("type") or "any")


def _example(schema: Json) -> str | None:
    """Return an example of a field as JSON; None if the schema has none."""
    among = (schema, *schema.get("anyOf", ()))
    found = [each for one in among for each in one.get("examples", ())]
    return json.dumps(found[0], ensure_ascii=False) if found else None
