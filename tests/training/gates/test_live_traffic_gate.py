"""What live traffic says of a model: harm that cannot be excluded is not passed."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.confidence_intervals import Estimate
from training.gates.live_traffic_gate import (
    GATE,
    MARGIN,
    no_worse_on_live_traffic,
    too_recent_on_live_traffic,
)
from training.gates.non_inferiority import enough_in_words, no_worse_by
from training.gates.verdict import Answer


@pytest.mark.parametrize(
    ("gain", "verdict"),
    [
        (Estimate(0.1, 0.02, 0.2), "passed"),
        (Estimate(0.0, 0.0, 0.0), "passed"),
        (Estimate(-0.005, -0.019, 0.0), "passed"),
        (Estimate(-0.005, -0.02, 0.01), "undecided"),
        (Estimate(0.1, -0.2, 0.4), "undecided"),
        (Estimate(-0.1, -0.2, 0.0), "undecided"),
        (Estimate(-0.01, -0.015, -1e-9), "refused"),
        (Estimate(-0.1, -0.2, -0.03), "refused"),
        (Estimate(None), "undecided"),
        (Estimate(0.1, None, 0.2), "undecided"),
        (Estimate(0.1, 0.02, None), "undecided"),
        (Estimate(None, 0.02, 0.2), "undecided"),
    ],
)
def test_an_interval_that_does_not_exclude_the_margin_passes_nobody(
    gain: Estimate, verdict: Answer
) -> None:
    told = no_worse_on_live_traffic(gain, 1_000)

    assert (told.gate, told.verdict) == (GATE, verdict)
    assert told.is_open is (verdict == "passed")
    assert "1,000 decisions" in told.reason


def test_the_difference_is_told_with_its_interval_and_what_is_wanted() -> None:
    assert no_worse_on_live_traffic(Estimate(0.012, -0.01, 0.03), 1_000).reason == (
        "precision among as many chosen differs from the champion's by +0.012 (-0.010 to +0.030) "
        "over 1,000 decisions; want an interval above -0.02 that does not lie below 0"
    )


@given(
    value=st.floats(-0.3, 0.3),
    half=st.floats(0.001, 0.3),
)
def test_as_many_decisions_as_would_be_enough_are(value: float, half: float) -> None:
    """Intervals narrow with the square root of the decisions."""
    told = no_worse_on_live_traffic(Estimate(value, value - half, value + half), 10_000)
    if told.verdict != "undecided" or value <= -MARGIN + 0.001:
        return
    words = told.reason.split("about ")[1].split(" ")[0]
    needed = int(words.replace(",", ""))
    assert needed >= 10_000

    narrow = half * (10_000 / (1.01 * needed)) ** 0.5
    later = no_worse_on_live_traffic(Estimate(value, value - narrow, value + narrow), needed)
    assert later.verdict != "undecided"


def test_what_would_be_enough_is_not_guessed_where_the_loss_seems_larger() -> None:
    told = no_worse_on_live_traffic(Estimate(-0.05, -0.2, 0.1), 500)
    assert "beyond the margin" in told.reason


@pytest.mark.parametrize(
    "gain", [Estimate(None), Estimate(None, 0.1, 0.2), Estimate(0.1, None, 0.2)]
)
def test_of_what_is_half_known_nothing_is_decided_and_no_number_guessed(gain: Estimate) -> None:
    assert enough_in_words(gain, MARGIN, 5, "subjects") == "more subjects would tell"
    for half_known in (replace(gain, low=None), replace(gain, high=None)):
        assert no_worse_by(half_known, MARGIN) == "undecided"


def test_too_few_results_of_what_differs_say_what_is_lacking() -> None:
    told = no_worse_on_live_traffic(Estimate(None), 80, "not inspected: want 30 known outcomes")
    assert told.verdict == "undecided"
    assert "not inspected: want 30 known outcomes" in told.reason


def test_what_was_asked_too_lately_for_results_leaves_it_undecided() -> None:
    told = too_recent_on_live_traffic(1_234, date(2026, 11, 2))
    assert (told.gate, told.verdict, told.is_open) == (GATE, "undecided", False)
    assert "1,234 decisions" in told.reason
    assert "2026-11-02" in told.reason
