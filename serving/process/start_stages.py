"""The stages of a start, reported when they begin."""

from collections.abc import Callable
from typing import Literal

Stage = Literal[
    "opening the database", "reading history", "checking models", "trying everything once"
]
# Called when a stage begins, then with the amounts done and in total; 0 of 0 means unknown.
StageReport = Callable[[Stage, int, int], None]


def ignore_stage(stage: Stage, done: int, total: int) -> None:
    """Report nothing, for starts that nobody watches."""
