"""The declarations cover every lane, and a control case looks like any other inspection."""

from typing import get_args

import pytest

from serving.triage.lane_declarations import (
    LANES,
    HitLane,
    Lane,
    ScoreLane,
    ShownLane,
    shown_lane,
    stored_lanes,
)


@pytest.mark.parametrize(
    ("shown", "stored"),
    [
        (["inspect"], {"inspect", "control"}),
        (["rescue", "inspect"], {"rescue", "inspect", "control"}),
        (["document_check", "post_review"], {"document_check", "post_review"}),
        ([], set()),
    ],
)
def test_who_asks_for_inspections_gets_the_random_ones_among_them(
    shown: list[ShownLane], stored: set[str]
) -> None:
    assert set(stored_lanes(shown)) == stored


@pytest.mark.parametrize("lane", ["rescue", "inspect", "document_check", "post_review"])
def test_a_lane_that_is_no_control_is_shown_as_it_is(lane: str) -> None:
    assert shown_lane(lane) == lane


def test_a_control_case_is_shown_as_an_inspection() -> None:
    assert shown_lane("control") == "inspect"


def test_types_and_declarations_name_the_same_lanes() -> None:
    shown = {lane: each.shown_as or lane for lane, each in LANES.items()}

    assert [*LANES] == [*get_args(Lane)]
    assert {*shown.values()} == {*get_args(ScoreLane)}
    opening = {shown[lane] for lane, each in LANES.items() if each.rank is not None}
    assert opening == {*get_args(ShownLane)}
    assert {*get_args(HitLane)} <= {*get_args(ShownLane)}
