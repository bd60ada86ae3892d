"""The description: valid, complete, with the bodies as they are read and the problems as sent."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from serving.api.examples import SHIPMENT
from serving.app import create_app
from serving.errors import PROBLEMS, ProblemType, ServingError
from serving.settings import Settings
from serving.web.fault_codes import FAULT_CODES
from tests.serving.conftest import NOW, Service

ROOT = Path(__file__).parents[3]
CODE = re.compile(
    r'(?:RequestFault\(\s*[^,()]+,|PydanticCustomError\()\s*"([a-z_]+)"', flags=re.MULTILINE
)

CALLS = {
    ("/v1/scores", "post"),
    ("/v1/scores/batch", "post"),
    ("/v1/records", "post"),
    ("/v1/messages/{format}", "post"),
    ("/v1/stored_messages/{message_id}", "get"),
    ("/v1/decisions", "get"),
    ("/v1/decisions/{decision_id}", "get"),
    ("/v1/decisions/{decision_id}/explanation", "get"),
    ("/v1/features", "get"),
    ("/v1/features/{name}", "get"),
    ("/v1/models", "get"),
    ("/v1/switches", "get"),
    ("/v1/switches", "post"),
    ("/v1/queue", "get"),
    ("/v1/bulk-acts", "post"),
    ("/v1/cases", "get"),
    ("/v1/tags", "get"),
    ("/v1/offices", "get"),
    ("/v1/notices", "get"),
    ("/v1/notices/read", "post"),
    ("/v1/entities/{kind}/{token}", "get"),
    ("/v1/events", "get"),
    ("/v1/cases/{case_id}", "get"),
    ("/v1/rescue-calls/{case_id}", "get"),
    ("/v1/rescue-calls/{case_id}/acknowledgement", "post"),
    *(
        (f"/v1/cases/{{case_id}}/{act}", "post")
        for act in (
            "claim release assignments escalations waits notes judgements actions results "
            "agreements disagreements reopen undo tags"
        ).split()
    ),
    ("/v1/cases/{case_id}/attachments", "get"),
    ("/v1/cases/{case_id}/attachments", "post"),
    ("/v1/cases/{case_id}/attachments/{sha256}", "get"),
    ("/v1/cases/{case_id}/letters", "get"),
    ("/v1/cases/{case_id}/letters", "post"),
    ("/v1/cases/{case_id}/letters/{audience}", "get"),
    ("/v1/cases/{case_id}/letters/{audience}/release", "post"),
    ("/v1/cases/{case_id}/letter-deferrals", "post"),
    ("/v1/cases/{case_id}/letter-deferrals/confirm", "post"),
    ("/v1/cases/{case_id}/accounts", "post"),
    ("/health/live", "get"),
    ("/health/ready", "get"),
    ("/metrics", "get"),
}


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """Of a service over a blank home."""
    app = create_app(Settings(home=tmp_path_factory.mktemp("blank")), clock=lambda: NOW)
    with TestClient(app) as client:
        yield client


@pytest.fixture(scope="module")
def document(client: TestClient) -> Any:
    return client.get("/openapi.json").json()


def test_every_call_is_described_and_no_page_is(document: Any) -> None:
    calls = {(path, method) for path, item in document["paths"].items() for method in item}

    assert document["openapi"].startswith("3.1")
    assert calls == CALLS


def test_webhooks_are_described_with_the_headers_that_prove_them(document: Any) -> None:
    call = document["webhooks"]["case-event"]["post"]

    assert [each["name"] for each in call["parameters"]] == [
        *("webhook-id", "webhook-timestamp", "webhook-signature")
    ]
    body = call["requestBody"]["content"]["application/json"]["schema"]["$ref"]
    told = document["components"]["schemas"][body.rsplit("/", 1)[-1]]["properties"]
    assert set(told) == {"type", "timestamp", "data"}
    page = document["components"]["schemas"]["EventPage"]["properties"]["events"]
    assert told["data"] == page["items"]
    assert "422" not in call["responses"]


def test_every_reference_leads_somewhere(document: Any) -> None:
    schemas = document["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))

    assert named <= set(schemas)
    assert '"$defs"' not in json.dumps(document)


def test_bodies_have_real_examples(document: Any) -> None:
    body = document["paths"]["/v1/scores"]["post"]["requestBody"]["content"]["application/json"]

    assert body["schema"] == {"$ref": "#/components/schemas/Submission"}
    assert set(body["examples"]) == {"shipment", "route"}
    submission = document["components"]["schemas"]["Submission"]
    assert submission["additionalProperties"] is False


def test_errors_are_described_as_problems(document: Any) -> None:
    responses = document["paths"]["/v1/scores"]["post"]["responses"]

    for status in ("400", "401", "403", "409", "413", "415", "422", "503"):
        assert list(responses[status]["content"]) == ["application/problem+json"]


def test_every_call_with_a_body_says_how_another_media_type_is_refused(document: Any) -> None:
    posts = [(path, item["post"]) for path, item in document["paths"].items() if "post" in item]

    assert [path for path, post in posts if not {"413", "415"} <= post["responses"].keys()] == []


def test_no_field_says_that_it_is_nothing_without_it(document: Any) -> None:
    assert "Without it: ." not in json.dumps(document)


def test_answers_fit_their_description(service: Service, document: Any) -> None:
    features = service.client.get("/v1/features", headers=service.key("score")).json()["features"]
    described = document["components"]["schemas"]["FeatureAnswer"]

    assert {tuple(feature) for feature in features} == {tuple(described["properties"])}


def test_a_feature_is_read_by_name(service: Service) -> None:
    caller = service.key("score")

    feature = service.client.get("/v1/features/unit_value_eur_per_kg", headers=caller).json()
    unknown = service.client.get("/v1/features/unit_value", headers=caller)

    assert feature["unit"] == "EUR per kg"
    assert re.fullmatch(r"features/families/valuation\.py#L\d+", feature["defined_at"])
    assert unknown.status_code == 404


def test_people_read_the_calls_too(client: TestClient) -> None:
    page = client.get("/docs")

    assert page.status_code == 200
    for path, method in CALLS:
        assert f"{method.upper()} {path}" in page.text
    assert "Idempotency-Key" in page.text
    assert "<code>Idempotency-Replayed: true</code>" in page.text


@pytest.mark.parametrize("problem", PROBLEMS.values(), ids=list(PROBLEMS))
def test_the_type_of_a_problem_leads_to_its_meaning(
    client: TestClient, problem: ProblemType
) -> None:
    page = client.get(problem.type)

    assert page.status_code == 200
    assert problem.title.split("'")[0] in page.text


def test_every_problem_is_raised_somewhere_with_the_status_of_its_class() -> None:
    classes = {each.__name__: each for each in error_classes()}
    raised = {each.code for each in classes.values()}
    for source in (ROOT / "serving").rglob("*.py"):
        for error, code in coded_errors(ast.parse(source.read_text(encoding="utf-8")), classes):
            assert error is ServingError or PROBLEMS[code].status == PROBLEMS[error.code].status
            raised.add(code)

    assert raised == set(PROBLEMS)


def coded_errors(
    tree: ast.AST, classes: dict[str, type[ServingError]]
) -> Iterator[tuple[type[ServingError], str]]:
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name):
            for keyword in call.keywords:
                if keyword.arg == "code" and call.func.id in classes:
                    yield classes[call.func.id], ast.literal_eval(keyword.value)


def error_classes(base: type[ServingError] = ServingError) -> Iterator[type[ServingError]]:
    yield base
    for each in base.__subclasses__():
        yield from error_classes(each)


def test_the_index_of_problems_leads_to_every_type_and_explains_every_code(
    client: TestClient,
) -> None:
    text = client.get("/problems").text

    for problem in PROBLEMS.values():
        assert f'href="{problem.type}"' in text
    assert set(codes_in_the_code()) - {"missing"} == set(FAULT_CODES)
    assert all(f"<code>{code}</code>" in text for code in FAULT_CODES)


def codes_in_the_code() -> Iterator[str]:
    for room in ("features", "serving"):
        for source in (ROOT / room).rglob("*.py"):
            if "console" not in source.parts:  # a form says its faults in words
                yield from CODE.findall(source.read_text(encoding="utf-8"))
    yield from ("person_field", "unknown_field")  # chosen in `fault_of`


@pytest.mark.usefixtures("trusting")
def test_an_empty_cursor_is_that_of_the_first_page(service: Service, document: Any) -> None:
    caller = service.key("score", "review", "events")
    service.score(SHIPMENT, caller)
    paged = [
        path
        for path, item in document["paths"].items()
        for parameter in item.get("get", {}).get("parameters", [])
        if parameter["name"] == "cursor"
    ]
    person = service.person("ana", "review")

    for path in paged:
        headers = person if path == "/v1/notices" else caller
        first = service.client.get(path, headers=headers)
        empty = service.client.get(path, params={"cursor": ""}, headers=headers)
        assert (empty.status_code, empty.content) == (first.status_code, first.content), path
        assert first.status_code == 200, path
    assert len(paged) >= 4
