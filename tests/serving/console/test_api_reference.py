"""The page of the calls: whole, linked within itself, with commands that can be typed."""

import html
import json
import re
import shlex
from typing import Any

import pytest

from serving.console import call_examples
from serving.web.fault_codes import FAULT_CODES
from tests.serving.conftest import Service


@pytest.fixture
def page(service: Service) -> str:
    return str(service.client.get("/docs").text)


@pytest.fixture
def document(service: Service) -> dict[str, Any]:
    read: dict[str, Any] = service.client.get("/openapi.json").json()
    return read


def operations(document: dict[str, Any]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Path and description of each operation by its id."""
    return {
        operation["operationId"]: (path, operation)
        for path, methods in document["paths"].items()
        for operation in methods.values()
    }


def examples(page: str, name: str) -> dict[str, str]:
    """The examples of a call by their titles."""
    (call,) = re.findall(rf'<article class="api-call" id="{name}".*?</article>', page, re.DOTALL)
    shown = re.findall(r"<summary>Example: (.*?)</summary>.*?<code>(.*?)</code>", call, re.DOTALL)
    return {title: html.unescape(text) for title, text in shown}


def test_every_call_has_a_command_with_its_address_and_a_body_that_its_schema_takes(
    page: str, document: dict[str, Any]
) -> None:
    from jsonschema import Draft202012Validator  # makes a parser of every form, in a second

    for name, (path, operation) in operations(document).items():
        typed = shlex.split(examples(page, name)["curl"])
        address = re.sub(r"\{(\w+)\}", lambda found: f"${found[1].upper()}", path)
        assert f"$TIDEGATE_ADDRESS{address}" in typed
        content = operation.get("requestBody", {}).get("content", {}).get("application/json")
        assert ("--json" in typed) == (content is not None)
        assert ("Authorization: Bearer $TIDEGATE_KEY" in typed) == bool(operation["security"])
        if content:
            body = json.loads(typed[typed.index("--json") + 1])
            schema = content["schema"] | {"components": document["components"]}
            assert [*Draft202012Validator(schema).iter_errors(body)] == [], name


def test_a_body_that_is_no_json_comes_from_a_file() -> None:
    text = {"requestBody": {"content": {"text/csv": {}}}, "operationId": "x"}

    typed = shlex.split(call_examples.curl("/v1/x/{name}", "post", text, None))

    assert typed[-4:] == ["--header", "Content-Type: text/csv", "--data-binary", "@FILE"]
    assert "$TIDEGATE_ADDRESS/v1/x/$NAME" in typed
    assert "--request" not in typed


def test_all_fields_and_codes_stand_on_the_page_where_nothing_runs(
    page: str, document: dict[str, Any]
) -> None:
    for name, schema in document["components"]["schemas"].items():
        for field in schema.get("properties", {}):
            assert f'data-words="{name}"><dt><code>{field}</code>' in page
    assert all(f'data-kind="code"><dt><code>{code}</code>' in page for code in FAULT_CODES)
    assert re.findall(r"<[^>]* hidden[^>]*>", page) == re.findall(
        r'<form[^>]*"api-search".*?>', page
    )


def test_every_link_within_the_page_leads_to_a_part_of_it(page: str) -> None:
    parts = re.findall(r' id="([^"]+)"', page)
    links = re.findall(r'href="#([^"]+)"', page)

    assert len(parts) == len({*parts})
    assert {*links} <= {*parts}
    assert {"Submission", "DecisionAnswer", "score_subject"} <= {*links}
