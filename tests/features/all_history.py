"""The features that count all that is known, however old, with the reason: `all_history.toml`."""

import tomllib
from pathlib import Path
from typing import Any

TABLE = Path(__file__).with_suffix(".toml")


def reasons_for_all_history() -> dict[str, Any]:
    """By group why its features count all history (`why`), and which they are (`features`)."""
    return tomllib.loads(TABLE.read_text(encoding="utf-8"))
