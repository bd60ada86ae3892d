"""The description at `/openapi.json`: bodies as they are read, problems as they are sent."""

from typing import Any

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict

from features.records import Document, Leg, Outcome, Position, Transaction
from features.submission import Submission
from serving.api.examples import RECORDS, ROUTE, SHIPMENT
from serving.api.problems import MEDIA_TYPE, Problem

REF = "#/components/schemas/{model}"

DESCRIPTION = """\
Scores routes and shipments, never persons, for smuggling risk, and explains every score.

An answer is an offer of attention to a reviewer. It decides nothing, and the absence of a score
never means low risk. Errors are problems (RFC 9457) and repeat nothing of what was sent.
"""

SUBMISSION_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": REF.format(model="Submission")},
                "examples": {
                    "shipment": {"summary": "A shipment with its journey", "value": SHIPMENT},
                    "route": {"summary": "A journey with its legs", "value": ROUTE},
                },
            }
        },
    }
}

BATCH_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "array", "items": {"$ref": REF.format(model="Submission")}},
                "examples": {"two": {"summary": "Two subjects", "value": [SHIPMENT, ROUTE]}},
            },
            "application/x-ndjson": {"schema": {"type": "string"}},
        },
    }
}


RECORDS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"$ref": REF.format(model="RecordsBody")},
                "examples": {
                    "records": {"summary": "Records as they become known", "value": RECORDS}
                },
            }
        },
    }
}


INVOCATIONS_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "description": "`dataframe_split` with `columns` and `data`, or "
                    "`dataframe_records`; every feature of one model, null where missing.",
                }
            }
        },
    }
}


class RecordsBody(BaseModel):
    """Records as they become known; any of the kinds, at most 5,000 together."""

    model_config = ConfigDict(extra="forbid")

    legs: list[Leg] = []
    positions: list[Position] = []
    documents: list[Document] = []
    transactions: list[Transaction] = []
    outcomes: list[Outcome] = []


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
    schema = {"schema": {"$ref": REF.format(model="Problem")}}
    return {"description": says, "content": {MEDIA_TYPE: schema}}


def describe(app: FastAPI, *read_by_hand: type[BaseModel]) -> None:
    """Complete the description of `app` with the schemas that are read by hand."""
    generated = app.openapi

    def described() -> dict[str, Any]:
        document = generated()
        schemas = document.setdefault("components", {}).setdefault("schemas", {})
        by_hand: tuple[type[BaseModel], ...] = (Submission, RecordsBody, Problem, *read_by_hand)
        for model in by_hand:
            schemas.update(_schemas(model))
        _put_problems(document, schemas)
        _name_answers(document)
        return document

    app.openapi = described  # type: ignore[method-assign]


def _put_problems(document: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Say problems where the framework says errors of its own, which never leave."""
    for operations in document["paths"].values():
        for operation in operations.values():
            responses = operation["responses"]
            if "HTTPValidationError" in str(responses.get("422")):
                responses["422"] = _problem("A parameter or a field of the body is refused.")
            if "requestBody" in operation:
                responses.setdefault("400", _problem("The body is not acceptable JSON."))
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)


def _name_answers(document: dict[str, Any]) -> None:
    for operations in document["paths"].values():
        for operation in operations.values():
            if operation["responses"]["200"]["description"] == "Successful Response":
                operation["responses"]["200"]["description"] = "The answer."


def _schemas(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template=REF)
    return {**schema.pop("$defs", {}), model.__name__: schema}
