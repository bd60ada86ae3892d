"""Print every setting as the page `docs/configuration.md`: `python -m deploy.settings_page`."""

from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from serving.settings import FixedLimits, Settings

PAGE = """# Configuration

<!-- Made of serving/settings.py by `make docs`. Change the descriptions there. -->

The service reads its settings from the environment, once, when it starts. All have a default. A
value that is not allowed stops the start with a message that names the setting.

| variable | type | default | meaning |
|---|---|---|---|
{rows}

These variables are read by commands, or before there are settings:

| variable | meaning |
|---|---|
| `TIDEGATE_CACHE` | The folder of compiled code ([installation](installation.md)). |
| `TIDEGATE_FEATURES` | [Features of your own](library.md#features-of-your-own): paths. |
| `TIDEGATE_EXCHANGE_RATES` | A CSV file of monthly exchange rates, over the built-in ones. |
| `TIDEGATE_REPORTING_LIMITS` | A CSV file of limits of cash; most built-in ones are from memory. |
| `TIDEGATE_MLFLOW_URI` | The MLflow server or database. Without it that is `HOME/mlflow.db`. |
| `TIDEGATE_ADDRESS`, `_KEY`, `_KAFKA_…`, `_NATS_…` | [Streams](operations/integration.md). |

Limits that fit every deployment have no variable: `FixedLimits` in `serving/settings.py` has them,
with reasons. What is no fact of one machine has its own file in the home: `HOME/lanes.toml`
(capacities and time zones of offices, watch-lists and rules), `HOME/retention.toml`
([when data end](retention.md)) and `HOME/impact.toml` (the impact assessment that live use needs).
What training may choose stands in the parameters of an experiment (`training/parameters.py`).
"""

TYPES = {
    "bool": "true or false",
    "float": "number",
    "int": "whole number",
    "Path": "path",
    "SecretStr": "secret",
    "str": "text",
    "tuple": "names, with commas between",
}
SIGNS = {"gt": "> {}", "ge": "≥ {}", "le": "≤ {}", "lt": "< {}", "pattern": "like `{}`"}


def settings_page() -> str:
    """Return the page in Markdown: each setting with its type, default and meaning."""
    rows = (
        _row(name, field)
        for name, field in Settings.model_fields.items()
        if name not in FixedLimits.model_fields
    )
    return PAGE.format(rows="\n".join(rows))


def _row(name: str, field: FieldInfo) -> str:
    kind, bounds = _type_and_bounds(field.annotation)
    signs = [*bounds, *_signs(field.metadata)]
    cells = (
        f"`TIDEGATE_{name.upper()}`",
        # A pipe would end the cell of the table.
        ", ".join([TYPES[kind.__name__], *signs]).replace("|", "\\|"),
        "–" if field.default in (None, ()) else f"`{_text(field.default)}`",
        field.description,
    )
    return f"| {' | '.join(map(str, cells))} |"


def _type_and_bounds(annotation: Any) -> tuple[type, list[str]]:
    """Return the type of a setting that may be left out, and its bounds in signs."""
    if get_origin(annotation) in (Union, UnionType):
        (annotation,) = (part for part in get_args(annotation) if part is not NoneType)
    if get_origin(annotation) is Annotated:
        kind, *metadata = get_args(annotation)
        return kind, [sign for each in metadata for sign in _signs(each.metadata)]
    return annotation, []


def _signs(metadata: list[Any]) -> list[str]:
    """Return bounds in signs, such as `≥ 1`."""
    return [
        sign.format(f"{value:g}" if isinstance(value, float | int) else value)
        for bound in metadata
        for name, sign in SIGNS.items()
        if (value := getattr(bound, name, None)) is not None
    ]


def _text(default: Any) -> str:
    """Return a default as it is written in the environment."""
    if isinstance(default, tuple):
        return ", ".join(default)
    return str(default).lower() if isinstance(default, bool) else str(default)


if __name__ == "__main__":
    print(settings_page(), end="")
