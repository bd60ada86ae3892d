"""Lanes as reviewers see them: a case drawn at random looks like any other inspection."""

from collections.abc import Iterable
from typing import Literal, cast

ShownLane = Literal["rescue", "inspect", "document_check", "post_review"]
ScoreLane = Literal[ShownLane, "release", "manual"]
"""The lane of one score of a subject: a later one than opened its case may send it nowhere."""


def stored_lanes(shown: Iterable[ShownLane]) -> tuple[str, ...]:
    """The stored lanes behind shown ones; control cases are among the inspections."""
    lanes = tuple(shown)
    return (*lanes, "control") if "inspect" in lanes else lanes


def shown_lane(stored: str) -> ShownLane:
    """The lane that a reviewer sees in place of a case's stored one."""
    return cast("ShownLane", shown_score_lane(stored))


def shown_score_lane(stored: str) -> ScoreLane:
    """The lane that a reviewer sees in place of a score's stored one."""
    return cast("ScoreLane", "inspect" if stored == "control" else stored)
