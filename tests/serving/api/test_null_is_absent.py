"""In every optional field of every body, null is the same as leaving the field out."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from serving.api.examples import RECORDS, ROUTE, SHIPMENT
from serving.app import create_app
from serving.audit.decision import Decision
from serving.audit.masking import masked
from serving.audit.replay import replayed
from serving.request_parsing import read_submission
from serving.settings import Settings
from tests.serving.conftest import NOW, Service

Json = dict[str, Any]


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Json:
    app = create_app(Settings(home=tmp_path_factory.mktemp("blank")), clock=lambda: NOW)
    return app.openapi()


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(reference := node.get("$ref"), str):
            yield reference.rpartition("/")[2]
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from references(each)


def bodies(described: Json) -> dict[str, Json]:
    """The schemas of all objects that callers send, by name."""
    schemas = described["components"]["schemas"]
    calls = [call for item in described["paths"].values() for call in item.values()]
    names = [*dict.fromkeys(references([call.get("requestBody") for call in calls]))]
    for name in names:  # grows while it is gone through
        names += [each for each in references(schemas[name]) if each not in names]
    return {name: schemas[name] for name in names if "properties" in schemas[name]}


def optional_fields(schema: Json) -> set[str]:
    return schema["properties"].keys() - set(schema.get("required", ()))


def subclasses(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    for each in model.__subclasses__():
        yield each
        yield from subclasses(each)


def test_every_optional_field_of_every_body_is_described_as_nullable(described: Json) -> None:
    others = {
        (name, field)
        for name, schema in bodies(described).items()
        for field in optional_fields(schema)
        if {"type": "null"} not in schema["properties"][field].get("anyOf", [])
    }

    assert len(bodies(described)) > 20
    assert others == set()


def test_every_optional_field_of_every_body_is_read_with_null(described: Json) -> None:
    sent = bodies(described)
    models = {each.__name__: each for each in subclasses(BaseModel) if each.__name__ in sent}
    refused = {(name, *error["loc"]) for name in sent for error in faults(models[name], sent[name])}

    assert models.keys() == sent.keys()
    assert refused & {
        (n, field) for n, schema in sent.items() for field in optional_fields(schema)
    } == (set())


def faults(model: type[BaseModel], schema: Json) -> list[Any]:
    """What is said of a body that has null in every optional field, and nothing else."""
    try:
        model.model_validate_json(json.dumps(dict.fromkeys(optional_fields(schema))))
    except ValidationError as refusal:
        return list(refusal.errors())
    return []


def with_nulls(body: Any, schema: Json, schemas: dict[str, Json]) -> Any:
    """A body with null in each optional field that it leaves out, also of what is in it."""
    if isinstance(body, list):
        return [with_nulls(each, schema, schemas) for each in body]
    names = [name for name in references(schema) if "properties" in schemas.get(name, {})]
    if not isinstance(body, dict) or not names:
        return body
    (own,) = (schemas[name] for name in names)
    stated = {
        name: with_nulls(value, own["properties"][name], schemas) for name, value in body.items()
    }
    return dict.fromkeys(optional_fields(own)) | stated


def nulled(body: Json, name: str, described: Json) -> Json:
    filled = with_nulls(copy.deepcopy(body), {"$ref": f"/{name}"}, bodies(described))
    assert isinstance(filled, dict)
    assert json.dumps(filled).count("null") > 10
    return filled


@pytest.mark.parametrize("body", [SHIPMENT, ROUTE], ids=["shipment", "route"])
def test_a_subject_with_nulls_is_the_same_subject(described: Json, body: Json) -> None:
    filled = nulled(body, "Submission", described)

    assert read_submission(json.dumps(filled).encode()) == read_submission(
        json.dumps(body).encode()
    )


@pytest.mark.parametrize("body", [SHIPMENT, ROUTE], ids=["shipment", "route"])
def test_a_subject_with_nulls_is_scored_stored_and_replayed_as_without(
    described: Json, service: Service, body: Json
) -> None:
    caller, filled = service.key("score"), nulled(body, "Submission", described)

    answer = service.score(filled, caller, "n")
    again = service.score(filled, caller, "n")
    batch = service.client.post(
        "/v1/scores/batch", json=[filled], headers=caller | {"Idempotency-Key": "b"}
    )

    assert answer.status_code == 200, answer.text
    assert again.headers["Idempotency-Replayed"] == "true"
    decided = [
        Decision.model_validate_json(service.services.decisions.record(decision_id) or "")
        for decision_id in (
            answer.json()["decision_id"],
            batch.json()[0]["answer"]["decision_id"],
            service.score(body, caller).json()["decision_id"],
        )
    ]
    one, of_batch, without = decided
    assert one.submission == of_batch.submission == without.submission
    assert repr(one.vector) == repr(of_batch.vector) == repr(without.vector)
    assert replayed(one, service.services.models.champion(one.subject_kind)).is_identical
    seen, as_usual = (masked(each, service.services.pseudonyms) for each in (one, without))
    assert seen.submission == as_usual.submission
    assert [line["status"] for line in batch.json()] == [200]


def test_records_with_nulls_are_the_same_records(described: Json, service: Service) -> None:
    caller = service.key("ingest")
    records = {kind: each for kind, each in RECORDS.items() if kind != "outcomes"}

    first = service.client.post(
        "/v1/records", json=nulled(records, "RecordsBody", described), headers=caller
    )
    again = service.client.post("/v1/records", json=records, headers=caller)

    assert (first.status_code, first.json()["errors"]) == (200, [])
    assert again.json()["repeated"] == first.json()["accepted"] > 5
