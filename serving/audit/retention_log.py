"""Acts of retention: who did what, when and why."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from serving.access.visible_texts import is_visible
from serving.audit.errors import RetentionRefused

# A restore erases again what was erased since the backup. Overruling states that entries were dated
# by a clock that was ahead.
RetentionAction = Literal[
    "mask", "propose", "agree", "cancel", "erase", "hold", "lift", "erase_again", "overrule"
]


@dataclass(frozen=True)
class RetentionAct:
    """A retention act; `details` depend on the action, `number` is 0 until it is stored."""

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
        """Return an act as somebody states it; raise RetentionRefused without a visible reason."""
        if not is_visible(because):
            raise RetentionRefused("say why, in a few words")
        return cls(at.isoformat(), action, by, because, details)


# Raises RetentionRefused if an act may not follow those so far, oldest first.
Requirement = Callable[[Sequence[RetentionAct]], object]


@dataclass(frozen=True)
class MaskedDays:
    """The day (ISO) before which decisions are masked, and exceptions by a wrong clock.

    Spans are pairs of instants (ISO), both included. Decisions in `left_out` are not masked
    although the clock dated them early; those in `taken_in` are, although it dated them late.
    """

    before: str = ""
    left_out: tuple[tuple[str, str], ...] = ()
    taken_in: tuple[tuple[str, str], ...] = ()

    def counted(self, scored_at: str) -> str:
        """Return the instant (ISO) that counts for a decision; it differs within a span."""
        if any(first <= scored_at <= last for first, last in self.left_out):
            return max(scored_at, self.before)
        is_taken_in = any(first <= scored_at <= last for first, last in self.taken_in)
        return "" if is_taken_in else scored_at


def unlifted(acts: Sequence[RetentionAct]) -> list[RetentionAct]:
    """Return the holds that were not lifted."""
    lifted = {act.details["hold"] for act in acts if act.action == "lift"}
    return [act for act in acts if act.action == "hold" and act.number not in lifted]


def held_subjects(holds: Iterable[RetentionAct]) -> tuple[tuple[str, str], ...]:
    """Return the held subjects by kind and token."""
    return tuple((act.details["subject_kind"], act.details["subject"]) for act in holds)
