"""The lanes: each declared once, and every list of lanes derived from the declarations."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal, cast

Lane = Literal["rescue", "inspect", "control", "document_check", "post_review", "release", "manual"]
LaneReason = Literal["life_at_risk", "watch_list", "rule", "score", "random", "no_score"]

# The lane of a case as reviewers see it.
ShownLane = Literal["rescue", "inspect", "document_check", "post_review"]
# The lane of one score of a subject. A score after the one that opened the case may have a lane
# without a case.
ScoreLane = Literal[ShownLane, "release", "manual"]
# A lane that a watch-list or a rule of a plan can ask for.
HitLane = Literal["inspect", "document_check"]


@dataclass(frozen=True)
class LaneDeclaration:
    """One lane: its texts on pages, its rank in the queue, and its consequences.

    `proposal` is a sentence that says why a case is there. Cases of a lower `rank` come first; None
    opens no case. `shown_as` is the lane that reviewers see in its place.
    """

    name: str
    proposal: str
    rank: int | None
    shown_as: Lane | None = None
    is_visited: bool = False
    """True if its subjects are inspected, so that outcomes can be measured."""
    has_daily_capacity: bool = False
    """True if a plan may limit how many an office takes per day."""
    is_always_in_time: bool = False
    """True if its cases have no deadline: searches for people, and reviews after release."""


# All lanes in order of precedence: the first one that selects a subject takes it.
LANES: dict[Lane, LaneDeclaration] = {
    "rescue": LaneDeclaration(
        "Rescue", "Lives may be at risk", rank=0, is_visited=True, is_always_in_time=True
    ),
    "inspect": LaneDeclaration(
        "Inspection", "Proposed for inspection", rank=1, is_visited=True, has_daily_capacity=True
    ),
    # A control case looks like any other inspection. Reviewers must not know that it was drawn at
    # random, so that it gets the same diligence.
    "control": LaneDeclaration(
        "Inspection", "Proposed for inspection", rank=1, shown_as="inspect", is_visited=True
    ),
    "document_check": LaneDeclaration(
        "Document check", "Proposed for a check of its documents", rank=2, has_daily_capacity=True
    ),
    "post_review": LaneDeclaration(
        "Review after release",
        "May go on, and is proposed for review afterwards",
        rank=3,
        is_always_in_time=True,
    ),
    "release": LaneDeclaration("Release", "Nothing calls for a closer look now", rank=None),
    "manual": LaneDeclaration(
        "Manual procedure", "No score could be made: the manual procedure decides", rank=None
    ),
}

LANE_NAMES: dict[Lane, str] = {lane: each.name for lane, each in LANES.items()}

# The order of the review queue: cases that can still be stopped come first.
QUEUE_RANK: dict[Lane, int] = {
    lane: each.rank for lane, each in LANES.items() if each.rank is not None
}

VISITED: tuple[Lane, ...] = tuple(lane for lane, each in LANES.items() if each.is_visited)
WITHOUT_CASE: tuple[Lane, ...] = tuple(lane for lane, each in LANES.items() if each.rank is None)
PACED: tuple[Lane, ...] = tuple(lane for lane, each in LANES.items() if each.has_daily_capacity)
ALWAYS_IN_TIME: tuple[Lane, ...] = tuple(
    lane for lane, each in LANES.items() if each.is_always_in_time
)

_SHOWN_AS: dict[str, Lane] = {lane: each.shown_as for lane, each in LANES.items() if each.shown_as}


def stored_lanes(shown: Iterable[ShownLane]) -> tuple[str, ...]:
    """Return the stored lanes behind shown ones; control cases are among the inspections."""
    lanes = tuple(shown)
    return (*lanes, *(stored for stored, seen in _SHOWN_AS.items() if seen in lanes))


def shown_lane(stored: str) -> ShownLane:
    """Return the lane that a reviewer sees in place of a case's stored one."""
    return cast("ShownLane", _SHOWN_AS.get(stored, stored))


def shown_score_lane(stored: str) -> ScoreLane:
    """Return the lane that a reviewer sees in place of a score's stored one."""
    return cast("ScoreLane", _SHOWN_AS.get(stored, stored))
