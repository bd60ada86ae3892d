"""What a challenger would select: the upper share of what it saw in training."""

import pytest

from serving.triage.disagreement import ChallengerScore

REFERENCE = [n / 100 for n in range(100)]


@pytest.mark.parametrize(
    ("share", "probability", "would_select"),
    [
        (0.02, 0.99, True),
        (0.02, 0.98, True),
        (0.02, 0.979, False),
        (0.02, 0.0, False),
        (0.5, 0.5, True),
        (0.5, 0.499, False),
        (1.0, 0.0, True),
        (1e-9, 0.99, True),
        (0.0, 0.99, False),
        (0.0, 1.0, False),
        (-0.1, 1.0, False),
    ],
)
def test_a_challenger_selects_what_it_puts_into_the_share_that_the_lane_takes(
    share: float, probability: float, would_select: bool
) -> None:
    assert ChallengerScore(probability, REFERENCE).would_select(share) is would_select


def test_what_the_challenger_would_select_by_lot_alone_is_worth_a_look_too() -> None:
    assert ChallengerScore(0.5, [0.1, 0.5, 0.5, 0.5]).would_select(0.25)
    assert not ChallengerScore(0.1, [0.1, 0.5, 0.5, 0.5]).would_select(0.75)
