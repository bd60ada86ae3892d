"""Example of each API call, for curl and for the bundled Python client."""

import json
import re
from typing import Any

# Recursive schemas would otherwise never end.
_MAX_DEPTH = 6
_PLAIN: dict[str, Any] = {
    "boolean": True,
    "integer": 1,
    "number": 1.0,
    "date": "2026-11-24",
    "date-time": "2026-11-24T10:00:00Z",
    "string": "what is meant, in words",
}

# Example code by operation; operations that the client lacks have none.
PYTHON = {
    "score_subject": """\
decision = tidegate.score(body)
print(decision.lane, decision.probability)""",
    "score_subjects": """\
for line in tidegate.score_batch(body):
    print(line.line, line.status)""",
    "take_records": """\
kept = tidegate.add_records(body)
print(kept.accepted, kept.errors)""",
    "take_message": """\
with open("waybill.xml", "rb") as message:
    taken = tidegate.send_message("ubl", message.read())
print(taken.message_id, taken.records)""",
    "read_message": """\
print(tidegate.message(os.environ["MESSAGE_ID"]).text)""",
    "list_decisions": """\
for decision in tidegate.decisions():
    print(decision.subject_id, decision.lane)""",
    "read_decision": """\
print(tidegate.decision(os.environ["DECISION_ID"]).lane)""",
    "read_explanation": """\
for reason in tidegate.explanation(os.environ["DECISION_ID"]).reasons:
    print(reason.words)""",
    "list_cases": """\
for case in tidegate.cases():
    print(case.case_id, case.status)""",
    "read_case": """\
print(tidegate.case(os.environ["CASE_ID"]).status)""",
    "read_events": """\
for event in tidegate.events():
    print(event.type, event.subject_id)""",
    "list_models": """\
print(tidegate.models())""",
}

Json = dict[str, Any]


def curl(path: str, method: str, operation: Json, body: Any) -> str:
    """Return a curl command for a call; values specific to the caller come from the environment."""
    address = re.sub(r"\{(\w+)\}", lambda name: f"${name[1].upper()}", path)
    parts = [f'curl --silent --fail-with-body "$TIDEGATE_ADDRESS{address}"']
    media = [*operation.get("requestBody", {}).get("content", {})]
    # curl sends GET unless there is a body.
    if method == "post" and body is None and not media:
        parts.append("--request POST")
    if operation.get("security"):
        parts.append('--header "Authorization: Bearer $TIDEGATE_KEY"')
    parts += [
        f'--header "{each["name"]}: {_stated(each)}"'
        for each in operation.get("parameters", [])
        if each["in"] == "header" and each.get("required")
    ]
    if body is not None:
        # The body is in single quotes, so a quote within it ends and reopens the shell string.
        written = json.dumps(body, indent=2, ensure_ascii=False).replace("'", r"'\''")
        parts.append(f"--json '{written}'")
    elif media:
        parts.append(f'--header "Content-Type: {media[0]}" --data-binary @FILE')
    return " \\\n  ".join(parts)


def python(operation: Json, body: Any) -> str | None:
    """Return example code for the client; None if the client has no such method."""
    does = PYTHON.get(operation["operationId"])
    if does is None:
        return None
    given = "" if body is None else f"body = {_literal(body)}\n\n"
    inside = "\n".join(f"    {line}" for line in does.splitlines())
    return f"""\
import os

from tidegate_client import Tidegate

{given}with Tidegate(os.environ["TIDEGATE_ADDRESS"], os.environ["TIDEGATE_KEY"]) as tidegate:
{inside}"""


def body_of(operation: Json, schemas: Json) -> Any:
    """Return a body: the first example, or one built from the schema; None if the call has none."""
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    if content is None:
        return None
    for example in content.get("examples", {}).values():
        return example["value"]
    return example_of(content["schema"], schemas)


def example_of(schema: Json, schemas: Json, depth: int = 0) -> Any:
    """Return a value of a schema, with its required fields."""
    if "$ref" in schema:
        return example_of(schemas[schema["$ref"].rpartition("/")[2]], schemas, depth)
    stated = schema.get("examples") or schema.get("enum") or [schema.get("const")]
    if stated[0] is not None:
        return stated[0]
    among = schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf")
    return example_of(among[0], schemas, depth) if among else _made(schema, schemas, depth)


def _made(schema: Json, schemas: Json, depth: int) -> Any:
    """Return a value of a schema that states no example itself."""
    kind, fields = schema.get("type", ""), schema.get("properties", {})
    is_deep = depth == _MAX_DEPTH
    if kind == "object":
        wanted = () if is_deep else schema.get("required", ())
        return {name: example_of(fields[name], schemas, depth + 1) for name in wanted}
    if kind == "array":
        return [] if is_deep else [example_of(schema["items"], schemas, depth + 1)]
    return _PLAIN.get(schema.get("format") or kind, "…")


def _literal(value: Any, indent: str = "") -> str:
    """Format JSON as a Python literal, one field per line."""
    if not isinstance(value, dict | list) or not value:
        return repr(value) if not isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    deeper = f"{indent}    "
    if isinstance(value, dict):
        lines = [f"{json.dumps(name)}: {_literal(each, deeper)}" for name, each in value.items()]
    else:
        lines = [_literal(each, deeper) for each in value]
    begins, ends = "{}" if isinstance(value, dict) else "[]"
    return begins + "".join(f"\n{deeper}{line}," for line in lines) + f"\n{indent}{ends}"


def _stated(parameter: Json) -> str:
    """Return a value of a header: the example of the operation, or a placeholder."""
    examples = parameter.get("schema", {}).get("examples") or [parameter.get("example")]
    return examples[0] or "one-for-each-request"
