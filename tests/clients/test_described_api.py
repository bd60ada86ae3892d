"""The description as validators read it; what linters of descriptions would find is looked for."""

import json
import re
import subprocess
from collections import Counter
from collections.abc import Iterator
from typing import Any

from playwright._impl._driver import compute_driver_executable

REFERENCE = re.compile(r'"#/(components/\w+/[^"]+)"')


def operations(document: Any) -> Iterator[tuple[str, Any]]:
    for path, calls in document["paths"].items():
        for method, operation in calls.items():
            yield f"{method} {path}", operation


def test_it_is_valid(document: Any) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator

    assert document["openapi"].startswith("3.1")
    assert list(OpenAPIV31SpecValidator(document).iter_errors()) == []


def test_javascript_reads_every_pattern(document: Any) -> None:
    patterns = sorted({each for each in values_of(document, "pattern") if isinstance(each, str)})
    script = "for (const p of JSON.parse(process.argv[1])) new RegExp(p, 'u')"
    node, _ = compute_driver_executable()

    assert len(patterns) > 10
    read = subprocess.run(
        [node, "-e", script, json.dumps(patterns)], capture_output=True, text=True, check=False
    )
    assert read.returncode == 0, read.stderr


def values_of(node: Any, name: str) -> Iterator[Any]:
    if isinstance(node, dict):
        yield from (value for key, value in node.items() if key == name)
        node = list(node.values())
    if isinstance(node, list):
        for each in node:
            yield from values_of(each, name)


def test_calls_and_webhooks_share_no_tag(document: Any) -> None:
    """A generator writes one file for each tag: that of the webhooks replaced that of the calls."""
    of_calls = {tag for _, call in operations(document) for tag in call["tags"]}
    webhooks = [call for item in document["webhooks"].values() for call in item.values()]
    of_webhooks = {tag for call in webhooks for tag in call["tags"]}

    assert of_webhooks
    assert of_calls & of_webhooks == set()
    assert of_calls | of_webhooks == {tag["name"] for tag in document["tags"]}


def test_no_two_templates_are_of_one_address(document: Any) -> None:
    addresses = Counter(re.sub(r"{[^}]*}", "{}", path) for path in document["paths"])

    assert [address for address, count in addresses.items() if count > 1] == []


def test_names_of_calls_are_short_and_their_own(document: Any) -> None:
    webhooks = [call for item in document["webhooks"].values() for call in item.values()]
    calls = [*(call for _, call in operations(document)), *webhooks]
    names = Counter(call["operationId"] for call in calls)

    assert names.most_common(1)[0][1] == 1
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+){0,3}", name) for name in names), names
    assert {"score_subject", "score_subjects", "list_cases"} <= set(names)


def test_every_call_says_who_may_and_what_comes_back(document: Any) -> None:
    tags = {tag["name"] for tag in document["tags"]}
    public = set()
    for name, operation in operations(document):
        assert set(operation["tags"]) <= tags, name
        assert operation["description"], name
        assert all("X-Request-Id" in each["headers"] for each in operation["responses"].values())
        if not operation["security"]:
            public.add(name.removeprefix("get "))
            continue
        assert {"401", "403", "429"} <= set(operation["responses"]), name
        assert "RateLimit" in operation["responses"]["200"]["headers"], name
        assert "Retry-After" in operation["responses"]["429"]["headers"], name
    assert document["servers"]
    assert public == {
        *("/health/live", "/health/ready"),
    }


def test_what_must_be_sent_is_required_and_nothing_is_null(document: Any) -> None:
    required = set()
    for name, operation in operations(document):
        for parameter in operation.get("parameters", []):
            assert {"type": "null"} not in parameter["schema"].get("anyOf", []), name
            if parameter["in"] == "path":
                assert parameter["required"], name
                assert f"{{{parameter['name']}}}" in name
            if parameter["in"] == "header" and parameter["required"]:
                required.add((name, parameter["name"]))
    assert required == {
        ("post /v1/scores", "Idempotency-Key"),
        ("post /v1/scores/batch", "Idempotency-Key"),
        ("post /v1/messages/{format}", "Idempotency-Key"),
    }


def test_every_example_of_a_body_fits_its_schema(document: Any) -> None:
    from jsonschema import Draft202012Validator  # makes a parser of every form, in a second

    bodies = [
        content
        for _, operation in operations(document)
        for content in operation.get("requestBody", {}).get("content", {}).values()
        if "examples" in content
    ]
    assert len(bodies) >= 3
    for content in bodies:
        schema = {**content["schema"], "components": document["components"]}
        for example in content["examples"].values():
            assert list(Draft202012Validator(schema).iter_errors(example["value"])) == []


def test_no_component_is_missing_or_unused(document: Any) -> None:
    named = set(REFERENCE.findall(json.dumps(document)))
    there = {
        f"components/{kind}/{name}"
        for kind, parts in document["components"].items()
        if kind != "securitySchemes"
        for name in parts
    }
    assert named == there


def test_a_decision_says_where_it_is_and_whether_it_was_given_before(document: Any) -> None:
    headers = document["paths"]["/v1/scores"]["post"]["responses"]["200"]["headers"]

    assert {"Location", "Idempotency-Replayed"} <= set(headers)
    assert headers["Location"] == {"$ref": "#/components/headers/Location"}
