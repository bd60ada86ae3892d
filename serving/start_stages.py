"""What a start is doing, for whoever waits for it."""

from collections.abc import Callable
from typing import Literal

Stage = Literal[
    "opening the database", "reading history", "checking models", "trying everything once"
]

Report = Callable[[Stage, int, int], None]
"""Told of a stage as it begins, and then how much of how much is done; 0 of 0 is not counted."""


def unheard(stage: Stage, done: int, total: int) -> None:
    """For a start that nobody watches."""
