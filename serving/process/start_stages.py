"""The stages of a start, reported as they begin."""

from collections.abc import Callable
from typing import Literal

Stage = Literal[
    "opening the database", "reading history", "checking models", "trying everything once"
]
# Called with a stage as it begins, then with the amount done and in all; 0 of 0 is not counted.
StageReport = Callable[[Stage, int, int], None]


def ignore_stage(stage: Stage, done: int, total: int) -> None:
    """Report nothing, for a start that nobody watches."""
