"""The windows that peers compute, as plain facts; knows nothing of this project's own ways."""

import json
from dataclasses import dataclass
from pathlib import Path

HOUR_US, DAY_US = 3_600_000_000, 86_400_000_000


@dataclass(frozen=True)
class Task:
    """One window for a peer: which file of events, keyed how, reduced how, over how long."""

    name: str
    events: str
    by: tuple[str, ...]
    matching: tuple[str, ...]
    where: str | None
    reducer: str
    value: str | None
    span_us: int | None


def tasks_of(folder: Path) -> list[Task]:
    """The windows to compute."""
    given = json.loads((folder / "windows.json").read_text())
    return [Task(**task | {k: tuple(task[k]) for k in ("by", "matching")}) for task in given]
