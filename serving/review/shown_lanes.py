"""Lanes as reviewers see them: a case drawn at random looks like any other inspection."""

from collections.abc import Iterable
from typing import Literal, cast

ShownLane = Literal["rescue", "inspect", "document_check", "post_review"]


def stored_lanes(shown: Iterable[ShownLane]) -> tuple[str, ...]:
    """The stored lanes behind shown ones; control cases are among the inspections."""
    lanes = tuple(shown)
    return (*lanes, "control") if "inspect" in lanes else lanes


def shown_lane(stored: str) -> ShownLane:
    """The lane that a reviewer sees in place of the stored one."""
    return cast("ShownLane", "inspect" if stored == "control" else stored)
