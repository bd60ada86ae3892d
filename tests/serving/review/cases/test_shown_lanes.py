"""What a reviewer may know of a lane: a case drawn at random looks like any other inspection."""

import pytest

from serving.review.cases.shown_lanes import ShownLane, shown_lane, stored_lanes


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
