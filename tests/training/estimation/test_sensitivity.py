"""Bounds of figures whose assumptions do not hold."""

import numpy as np
import pytest

from training.confidence_intervals import Estimate
from training.estimation.population_figures import UNKNOWN
from training.estimation.sensitivity import SensitivityBound, sensitivity

KNOWN = Estimate(0.02, 0.01, 0.03), Estimate(0.5, 0.4, 0.6)


def test_every_bound_holds_the_figure_that_it_is_about() -> None:
    bounds = {b.figure: b for b in sensitivity(*KNOWN, 0.05, 0.1)}

    assert bounds["prevalence"].low <= 0.02 <= bounds["prevalence"].high
    assert bounds["share that smuggles"].low == 0.02
    assert bounds["recall at 5%"].high == 0.5


def test_results_that_are_not_known_are_confirmed_never_or_three_times_as_often() -> None:
    """Of 10,000 inspections a tenth is not known: 180 of the known 9,000 were confirmed."""
    (bound, *_) = sensitivity(*KNOWN, 0.05, 0.1)

    assert bound.low == pytest.approx(180 / 10_000)
    assert bound.high == pytest.approx((180 + 3 * 20) / 10_000)


def test_inspectors_who_look_half_as_hard_at_draws_missed_half_of_what_is_left() -> None:
    """Of 100 that were found by rank, 50 lie above; of those below another 50 were missed."""
    bound = next(b for b in sensitivity(*KNOWN, 0.05, 0.0) if b.figure.startswith("recall"))

    assert bound.low == pytest.approx(50 / (50 + 50 / 0.5))


@pytest.mark.parametrize("unknown_share", np.linspace(0, 1, 5))
def test_no_share_leaves_0_to_1(unknown_share: float) -> None:
    for prevalence in (0.0, 0.4, 1.0):
        figure = Estimate(prevalence, prevalence, prevalence)
        for bound in sensitivity(figure, figure, 0.05, float(unknown_share)):
            assert 0 <= bound.low <= bound.high <= 1


def test_of_what_is_not_known_there_is_no_bound() -> None:
    assert [*sensitivity(UNKNOWN, UNKNOWN, 0.05, 0.1)] == []


def test_a_bound_says_what_is_assumed_and_what_is_tried_instead() -> None:
    (prevalence, precision, blind, hard) = sensitivity(
        *KNOWN, 0.05, 0.1, precision=Estimate(0.3, 0.2, 0.4)
    )

    unknown = (
        "results that are not known would be like those that are",
        "10% of the results are not known: they are confirmed never, or 3 times as often",
    )
    assert prevalence == SensitivityBound(
        *unknown, "prevalence", pytest.approx(0.018), pytest.approx(0.024)
    )
    assert precision == SensitivityBound(
        *unknown, "precision", pytest.approx(0.27), pytest.approx(0.36)
    )
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
    bounds = sensitivity(KNOWN[0], UNKNOWN, 0.05, unknown_share)

    parts = [b.instead.split(" of the results")[0] for b in bounds if b.figure == "prevalence"]
    assert parts == said
