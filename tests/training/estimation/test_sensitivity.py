"""Bounds of figures whose assumptions do not hold."""

import pytest

from training.confidence_intervals import Estimate
from training.estimation.population_figures import UNKNOWN
from training.estimation.sensitivity import SensitivityBound, sensitivity

KNOWN = Estimate(0.02, 0.01, 0.03), Estimate(0.5, 0.4, 0.6)
EXTREMES = {
    "prevalence": (Estimate(0.018, 0.01, 0.03), Estimate(0.12, 0.1, 0.14)),
    "precision": (Estimate(0.27, 0.2, 0.4), Estimate(0.4, 0.3, 0.5)),
    "recall": (Estimate(None, 0.3, 0.6), Estimate(0.6, 0.5, 0.7)),
}


def test_every_bound_holds_the_figure_that_it_is_about() -> None:
    bounds = {b.figure: b for b in sensitivity(*KNOWN, 0.05, 0.0, EXTREMES)}

    assert bounds.keys() == {"share that smuggles", "recall at 5%"}
    assert bounds["share that smuggles"].low == 0.02
    assert bounds["recall at 5%"].high == 0.5


def test_results_that_are_not_known_leave_an_interval_whatever_they_are() -> None:
    prevalence, precision, recall, *others = sensitivity(*KNOWN, 0.05, 0.1, EXTREMES)

    assumed = (
        "results that are not known would be like those that are",
        "10% of the results are not known: whatever they are, its interval included",
    )
    assert prevalence == SensitivityBound(*assumed, "prevalence", 0.01, 0.14)
    assert precision == SensitivityBound(*assumed, "precision at 5%", 0.2, 0.5)
    assert recall == SensitivityBound(*assumed, "recall at 5%", 0.3, 0.7)
    assert len(others) == 2


def test_results_still_to_come_may_be_of_anybody() -> None:
    """A tenth is confirmed never, or always; of which part they are nobody knows."""
    prevalence, precision, *others = sensitivity(*KNOWN, 0.05, 0.2, EXTREMES, 0.1)

    assert (prevalence.low, prevalence.high) == pytest.approx((0.009, 0.226))
    assert (precision.low, precision.high) == pytest.approx((0.18, 0.55))
    assert [each.figure for each in others] == ["share that smuggles", "recall at 5%"]


def test_inspectors_who_look_half_as_hard_at_draws_missed_half_of_what_is_left() -> None:
    """Of 100 that were found by rank, 50 lie above; of those below another 50 were missed."""
    (*_, bound) = sensitivity(*KNOWN, 0.05, 0.0, {})

    assert bound.low == pytest.approx(50 / (50 + 50 / 0.5))


def test_of_what_is_not_known_there_is_no_bound() -> None:
    nothing = {"prevalence": (UNKNOWN, UNKNOWN), "recall": (Estimate(0.1, 0.0, 0.2), UNKNOWN)}

    assert [*sensitivity(UNKNOWN, UNKNOWN, 0.05, 0.1, nothing)] == []


def test_a_bound_says_what_is_assumed_and_what_is_tried_instead() -> None:
    (blind, hard) = sensitivity(*KNOWN, 0.05, 0.0, {})

    assert blind == SensitivityBound(
        "an inspection finds what is there",
        "it finds 60% of it, or all",
        "share that smuggles",
        0.02,
        pytest.approx(0.02 / 0.6),
    )
    assert hard == SensitivityBound(
        "inspectors look as hard at what was drawn as at what the score chose",
        "at what was drawn they find 50% of what they would, or all",
        "recall at 5%",
        pytest.approx(1 / 3),
        0.5,
    )


@pytest.mark.parametrize(
    ("unknown_share", "said"),
    [(0.0, []), (0.004, ["less than 1 %"]), (0.005, ["less than 1 %"]), (0.006, ["1%"])],
)
def test_where_every_result_is_known_nothing_is_said_of_unknown_ones_and_few_are_not_0(
    unknown_share: float, said: list[str]
) -> None:
    bounds = sensitivity(KNOWN[0], UNKNOWN, 0.05, unknown_share, EXTREMES)

    parts = [b.instead.split(" of the results")[0] for b in bounds if b.figure == "prevalence"]
    assert parts == said
