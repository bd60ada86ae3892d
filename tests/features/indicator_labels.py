"""The indicator that each feature is a sign of, as it was read: `indicator_labels.toml`."""

import tomllib
from pathlib import Path

TABLE = Path(__file__).with_suffix(".toml")


def reviewed_labels() -> dict[str, str | None]:
    """By feature its indicator; None where it is a sign of nothing."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    return {
        name: None if number == "none" else number
        for number, row in table.items()
        for name in row["features"]
    }
