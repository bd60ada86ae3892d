"""Switching models off, and on again: who did it and why stays on record.

Regulation (EU) 2024/1689, Article 14(4)(e), wants a stop within reach of whoever oversees a system.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, get_args

from features.records import SubjectKind
from serving.db.repositories.kill_switch_repository import Switched, SwitchRegister
from serving.errors import Unprocessable

Asked = Literal["route", "shipment", "all"]
KINDS: tuple[SubjectKind, ...] = ("route", "shipment")
SHORTEST, LONGEST = 10, 500


def switch(
    register: SwitchRegister, asked: Asked, *, is_on: bool, by: str, because: str, at: datetime
) -> None:
    """Switch the models of a kind, or of all, on or off from now on, in every worker.

    Raises Unprocessable without a name or a reason in words, and LogUnavailable.
    """
    if asked not in get_args(Asked):
        raise Unprocessable(f"say which models: {', '.join(get_args(Asked))}")
    if not by.strip():
        raise Unprocessable("say who switches the models")
    if not SHORTEST <= len(because.strip()) <= LONGEST:
        raise Unprocessable(f"say why, in {SHORTEST} to {LONGEST} characters")
    kinds = KINDS if asked == "all" else (asked,)
    register.add([Switched(kind, is_on, at.isoformat(), by, because.strip()) for kind in kinds])


def state(newest: Mapping[str, Switched]) -> dict[SubjectKind, Switched | None]:
    """How each kind was switched last; None for one that was never touched, and so is on."""
    return {kind: newest.get(kind) for kind in KINDS}
