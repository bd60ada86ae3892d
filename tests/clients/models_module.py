"""The models of the Python client, made of the description of the API.

`python -m tests.clients.models_module` writes `serving/client/tidegate_client/models.py`; a test
holds it to the description.
"""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deploy.site.__main__ import described_api

MODULE = Path(__file__).parents[2] / "serving" / "client" / "tidegate_client" / "models.py"

SENT = ("Submission", "RecordsBody")
ANSWERED = (
    *("ExplainedDecisionAnswer", "DecisionAnswer", "ExplanationAnswer", "BatchLine", "Problem"),
    *("DecisionPage", "CasePage", "WholeCase", "QueuePage", "EventPage"),
    *("RecordsAnswer", "ModelsAnswer", "FeaturesAnswer", "FeatureAnswer"),
    *("MessageAnswer", "StoredMessage"),
)

HEAD = '''"""What is sent to Tidegate and what it answers, as its description says.

Made of it: `python -m tests.clients.models_module`. What a later release answers beside is kept.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict


class Sent(BaseModel):
    """Base of what is sent: no field may be misspelt."""

    model_config = ConfigDict(extra="forbid")


class Answered(BaseModel):
    """Base of what is answered."""

    model_config = ConfigDict(extra="allow", frozen=True, protected_namespaces=())
'''

OF_TYPE = {"string": "str", "number": "float", "integer": "int", "boolean": "bool", "null": "None"}


def module(document: dict[str, Any]) -> str:
    """The module as it should be."""
    schemas = document["components"]["schemas"]
    sent = _with_parts(schemas, SENT)
    answered = [name for name in _with_parts(schemas, ANSWERED) if name not in sent]
    choices = [name for name in answered if "enum" in schemas[name]]
    parts = [HEAD, *(f"{name} = {_type(schemas[name], is_open=True)}" for name in choices)]
    parts += [_class(name, "Sent", schemas[name]) for name in sent]
    parts += [_class(name, "Answered", schemas[name]) for name in answered if name not in choices]
    return _formatted("\n\n".join(parts))


def _with_parts(schemas: dict[str, Any], names: tuple[str, ...]) -> list[str]:
    """Schemas with those that they refer to."""
    found = list(names)
    for name in found:  # grows while it is gone through
        found += [each for each in _references(schemas[name]) if each not in found]
    return sorted(set(found))


def _references(schema: Any) -> Iterator[str]:
    if isinstance(schema, dict):
        if "$ref" in schema:
            yield schema["$ref"].rsplit("/", 1)[-1]
        for each in schema.values():
            yield from _references(each)
    elif isinstance(schema, list):
        for each in schema:
            yield from _references(each)


def _class(name: str, base: str, schema: dict[str, Any]) -> str:
    says = schema.get("description", name).split("\n\n")[0].replace("\n", " ")
    is_open, required = base == "Answered", set(schema.get("required", ()))
    fields = [
        _field(field, told, is_required=field in required, is_open=is_open)
        for field, told in schema["properties"].items()
    ]
    fields.sort(key=lambda field: " = " in field)  # those with a default come last
    return "\n    ".join([f"class {name}({base}):", *_docstring(says), "", *fields]) + "\n"


def _docstring(says: str) -> list[str]:
    lines = textwrap.wrap(f'"""{says}', 93, break_long_words=False)
    lines[-1] += '"""'
    return lines


def _field(name: str, schema: dict[str, Any], *, is_required: bool, is_open: bool) -> str:
    annotation = _type(schema, is_open=is_open)
    # What may be null was perhaps not there in an earlier release.
    if is_required and not (is_open and annotation.endswith("None")):
        return f"{name}: {annotation}"
    if "default" not in schema and "None" not in annotation:
        annotation += " | None"
    return f"{name}: {annotation} = {schema.get('default')!r}"


def _type(schema: dict[str, Any], *, is_open: bool) -> str:
    """The annotation of a schema; `is_open` where a later release may know more words."""
    if "$ref" in schema:
        return str(schema["$ref"].rsplit("/", 1)[-1])
    if "anyOf" in schema:
        return " | ".join(dict.fromkeys(_type(each, is_open=is_open) for each in schema["anyOf"]))
    if "enum" in schema or "const" in schema:
        values = schema.get("enum", [schema.get("const")])
        known = f"Literal[{', '.join(map(repr, values))}]"
        return f"{known} | str" if is_open else known
    if schema.get("type") == "array":
        return f"list[{_type(schema.get('items', {}), is_open=is_open)}]"
    if schema.get("type") == "object":
        inside = schema.get("additionalProperties")
        values = _type(inside, is_open=is_open) if isinstance(inside, dict) else "Any"
        return f"dict[str, {values}]"
    if schema.get("format") == "date-time":
        return "AwareDatetime"
    return OF_TYPE.get(schema.get("type", ""), "Any")


def _formatted(source: str) -> str:
    for act in (["check", "--fix", "--quiet", "--select", "F401"], ["format"]):
        ruff = [Path(sys.executable).parent / "ruff", *act, "--stdin-filename", str(MODULE), "-"]
        done = subprocess.run(ruff, input=source, capture_output=True, text=True, check=True)
        source = done.stdout
    return source


if __name__ == "__main__":
    MODULE.write_text(module(described_api()))
