"""Acts about the end of data: who did what, when and why."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Protocol

RetentionAction = Literal[
    "mask", "propose", "agree", "cancel", "erase", "hold", "lift", "erase_again"
]
"""To erase again is what a restore does with what had been erased since the backup."""


@dataclass(frozen=True)
class RetentionAct:
    """One act; `details` depend on the action, `number` is 0 until it is stored."""

    at: str
    action: RetentionAction
    by: str
    because: str
    details: Mapping[str, Any]
    number: int = 0


class RetentionLog(Protocol):
    """Every retention act, appended and never changed."""

    def append(self, act: RetentionAct) -> int:
        """Store an act; its number."""
        ...

    def all(self, *actions: RetentionAction) -> list[RetentionAct]:
        """The acts of these kinds, or all, oldest first."""
        ...

    def holds(self) -> list[RetentionAct]:
        """The holds that were not lifted."""
        ...

    def masked_before(self) -> str:
        """The day (ISO) before which decisions are masked; empty where none are."""
        ...
