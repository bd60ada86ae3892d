"""Acts about the end of data: who did what, when and why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from serving.access.visible_texts import is_visible
from serving.audit.errors import RetentionRefused

# To erase again is what a restore does with what had been erased since the backup; to overrule is
# to say of entries that a clock which was ahead dated them.
RetentionAction = Literal[
    "mask", "propose", "agree", "cancel", "erase", "hold", "lift", "erase_again", "overrule"
]


@dataclass(frozen=True)
class RetentionAct:
    """One act; `details` depend on the action, `number` is 0 until it is stored."""

    at: str
    action: RetentionAction
    by: str
    because: str
    details: Mapping[str, Any]
    number: int = 0

    @classmethod
    def stated(
        cls,
        at: datetime,
        action: RetentionAction,
        by: str,
        because: str,
        details: Mapping[str, Any],
    ) -> "RetentionAct":
        """An act as somebody states it; raises RetentionRefused where no reason can be seen."""
        if not is_visible(because):
            raise RetentionRefused("say why, in a few words")
        return cls(at.isoformat(), action, by, because, details)


# Raises RetentionRefused where an act may not follow those so far, oldest first.
Requirement = Callable[[Sequence[RetentionAct]], object]


@dataclass(frozen=True)
class MaskedDays:
    """The day (ISO) before which decisions are masked, and what a wrong clock dated otherwise.

    Spans are pairs of instants (ISO), both in it: decisions of `left_out` are not masked, though
    the clock said that they are older, and those of `taken_in` are, though it said the contrary.
    """

    before: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    taken_in: tuple[tuple[str, str], ...] = ()

    def counted(self, scored_at: str) -> str:
        """Return the instant (ISO) that counts for a decision of this one: another in a span."""
        if any(first <= scored_at <= last for first, last in self.left_out):
            return max(scored_at, self.before)
        is_taken_in = any(first <= scored_at <= last for first, last in self.taken_in)
        return "" if is_taken_in else scored_at


def unlifted(acts: Sequence[RetentionAct]) -> list[RetentionAct]:
    """The holds among acts that were not lifted."""
    lifted = {act.details["hold"] for act in acts if act.action == "lift"}
    return [act for act in acts if act.action == "hold" and act.number not in lifted]


def held_subjects(holds: Iterable[RetentionAct]) -> tuple[tuple[str, str], ...]:
    """The subjects that are held, by kind and token."""
    return tuple((act.details["subject_kind"], act.details["subject"]) for act in holds)
