"""The gate on calibration: its bands on figures written by hand, its power on invented traffic."""

from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.special import expit

from training.confidence_intervals import Estimate
from training.estimation.calibration_on_traffic import TrafficCalibration, traffic_calibration
from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.evaluation.evaluation_report import PopulationSection
from training.gates.calibration_gate import calibrated, calibration_verdict
from training.gates.verdict import Answer
from training.ranking import Floats

GOOD = Estimate(1.0, 0.9, 1.1)
UNKNOWN = Estimate(None)


def calibration(
    ratio: Estimate = GOOD, top: Estimate = GOOD, slope: Estimate = GOOD
) -> TrafficCalibration:
    return TrafficCalibration(0.05, ratio, top, slope)


@pytest.mark.parametrize(
    ("figures", "answer"),
    [
        (calibration(), "passed"),
        (calibration(ratio=Estimate(1.0, 0.5, 4.0)), "passed"),
        (calibration(ratio=Estimate(1.0, 0.49, 4.0)), "undecided"),
        (calibration(ratio=Estimate(1.0, 0.5, 4.1)), "undecided"),
        (calibration(ratio=Estimate(0.2, 0.1, 0.49)), "refused"),
        (calibration(ratio=Estimate(5.0, 4.1, 9.0)), "refused"),
        (calibration(top=Estimate(1.0, 0.5, 3.0)), "passed"),
        (calibration(top=Estimate(1.0, 0.49, 3.0)), "undecided"),
        (calibration(top=Estimate(1.0, 0.5, 3.1)), "undecided"),
        (calibration(top=Estimate(0.3, 0.2, 0.49)), "refused"),
        (calibration(top=Estimate(3.5, 3.1, 4.0)), "refused"),
        (calibration(slope=Estimate(1.0, 0.34, 2.0)), "passed"),
        (calibration(slope=Estimate(1.0, 0.33, 2.0)), "undecided"),
        (calibration(slope=Estimate(1.0, 0.34, 2.1)), "undecided"),
        (calibration(slope=Estimate(0.3, 0.2, 0.33)), "refused"),
        (calibration(slope=Estimate(3.0, 2.1, 4.0)), "refused"),
        (calibration(ratio=UNKNOWN), "undecided"),
        (calibration(top=UNKNOWN), "undecided"),
        (calibration(slope=UNKNOWN), "undecided"),
        (calibration(top=UNKNOWN, slope=Estimate(0.1, 0.0, 0.2)), "refused"),
        (calibration(ratio=Estimate(0.4, 0.3, 0.5)), "undecided"),
        (calibration(ratio=Estimate(5.0, 4.0, 9.0)), "undecided"),
        (calibration(ratio=Estimate(1.0, 0.9)), "undecided"),
        (calibration(ratio=Estimate(1.0, None, 1.1)), "undecided"),
    ],
)
def test_every_interval_lies_within_its_band(figures: TrafficCalibration, answer: Answer) -> None:
    assert calibration_verdict(figures, drawn=100).verdict == answer


def test_an_undecided_gate_says_how_many_results_would_be_enough() -> None:
    twice_too_wide = calibration(top=Estimate(1.0, 0.0, 1.5))

    verdict = calibration_verdict(twice_too_wide, drawn=100)

    assert verdict.reason.endswith(
        "about 400 results drawn with a probability would be enough, 100 are known"
    )


@pytest.mark.parametrize(
    ("ratio", "top", "enough"),
    [
        # An interval that reaches 1.6 times as far down as it may, of 101 results: 258.56.
        (GOOD, Estimate(1.0, 0.2, 1.5), 259),
        (Estimate(1.0, 0.2, 1.5), GOOD, 259),
        # Upwards ratios count: log(3.5 / 2) / log(3 / 2) times as far, squared, is 1.905.
        (GOOD, Estimate(2.0, 1.9, 3.5), 193),
        # The figure that wants most says how many.
        (Estimate(1.0, 0.4, 1.5), Estimate(1.0, 0.2, 1.5), 259),
        (Estimate(1.0, 0.2, 1.5), Estimate(1.0, 0.4, 1.5), 259),
    ],
)
def test_what_would_be_enough_is_that_of_the_widest_interval(
    ratio: Estimate, top: Estimate, enough: int
) -> None:
    verdict = calibration_verdict(calibration(ratio=ratio, top=top), drawn=101)

    assert verdict.reason.endswith(
        f"about {enough:,} results drawn with a probability would be enough, 101 are known"
    )


@pytest.mark.parametrize(
    "top",
    [UNKNOWN, Estimate(3.1, 2.0, 4.0), Estimate(0.5, 0.4, 0.6), Estimate(3.0, 2.0, 4.0)],
)
@pytest.mark.parametrize("ratio", [GOOD, Estimate(1.0, 0.2, 1.5)])
def test_no_number_is_promised_where_none_would_be_enough(ratio: Estimate, top: Estimate) -> None:
    verdict = calibration_verdict(calibration(ratio=ratio, top=top), drawn=1_000)

    assert verdict.verdict == "undecided"
    assert verdict.reason.endswith(
        "; 1,000 results were drawn with a probability, too few to say; twice as many would tell "
        "more"
    )


def test_every_figure_is_told_with_its_interval_and_its_band() -> None:
    told = calibration(ratio=Estimate(1.25, 0.75, 2.5), top=UNKNOWN, slope=Estimate(1.0, 0.2, 0.3))

    assert calibration_verdict(told, drawn=100).reason == (
        "confirmed for each one expected 1.25 (0.75 to 2.50), want within 0.5 to 4; "
        "confirmed for each one expected in the highest 5% unknown, want within 0.5 to 3; "
        "slope 1.00 (0.20 to 0.30), want within 0.33 to 2"
    )


def test_nothing_is_decided_where_nothing_holds_of_all_traffic() -> None:
    refused = section(calibration(), refusal="too few draws")

    assert calibrated(None).verdict == "undecided"
    assert calibrated(refused).verdict == "undecided"
    assert calibrated(refused).reason == "too few draws"


def test_the_figures_of_an_evaluation_are_judged_with_the_draws_that_they_rest_on() -> None:
    wide = calibration(slope=Estimate(1.0, 0.2, 1.5))

    assert calibrated(section(calibration())).verdict == "passed"
    assert calibrated(section(wide)).verdict == "undecided"
    assert calibrated(section(wide)).reason.endswith(", 3 are known")
    passed = calibrated(section(calibration(slope=Estimate(1.0, 0.5, 1.25)), drawn=640)).cases
    assert passed is not None
    # The slope's interval reaches three quarters as far as its band.
    assert (passed.known, passed.needed) == (640, 360)
    # Three results in a hundred days, and thirty are the fewest of any figure.
    cases = calibrated(section(wide)).cases
    assert cases is not None
    assert (cases.known, cases.needed) == (3, 30)
    assert cases.expected_at == datetime(2026, 1, 1, tzinfo=UTC) + timedelta(days=1_000)


def section(
    told: TrafficCalibration, refusal: str | None = None, drawn: int = 3
) -> PopulationSection:
    """What the gate reads of an evaluation."""
    return PopulationSection.model_construct(
        begins=datetime(2026, 1, 1, tzinfo=UTC),
        ends=datetime(2026, 4, 11, tzinfo=UTC),
        figures=SimpleNamespace(refusal=refusal, drawn=drawn),
        calibration=told,
    )


SUBJECTS = 50_000
NEVER = -20.0
SPOILT: dict[str, Callable[[Floats], Floats]] = {
    "always 0": lambda scores: np.full(len(scores), NEVER),
    "shuffled": lambda scores: np.random.default_rng(5).permutation(scores),
    "odds x 8": lambda scores: scores + np.log(8),
    "odds x .01": lambda scores: scores + np.log(0.01),
    "slope x 3": lambda scores: 3 * scores,
}


def inspections(log_odds: Floats, rng: np.random.Generator) -> InspectedSample:
    """Half of what is smuggled is tipped; a rule takes risky ones, and 1 % are drawn."""
    chance, subjects = expit(log_odds), len(log_odds)
    truth = rng.random(subjects) < chance
    tipped = rng.random(subjects) < 0.001 + 0.95 * chance**1.3
    hit = 0.25 * (log_odds + 6.6) + rng.normal(size=subjects) > 1.8
    probability = 1 - (1 - 0.01) * (1 - np.where(hit, 0.6, 0.0))
    drawn = (rng.random(subjects) < probability) & ~tipped
    ways = np.full(subjects, None, dtype=object)
    ways[drawn], ways[tipped] = "random", "intelligence"
    labels = np.where(drawn | tipped, truth.astype(np.float64), np.nan)
    return inspected_sample(labels, ways, np.where(drawn, probability, np.nan))


def answers(spoil: Callable[[Floats], Floats], redraws: int) -> "Counter[Answer]":
    rng = np.random.default_rng(3)
    log_odds = rng.normal(-6.6, 2.1, SUBJECTS)
    found: Counter[Answer] = Counter()
    for _ in range(redraws):
        sample = inspections(log_odds, rng)
        told = traffic_calibration(sample, spoil(log_odds), 0.05)
        found[calibration_verdict(told, int(sample.is_drawn.sum())).verdict] += 1
    return found


@pytest.mark.parametrize("name", SPOILT)
def test_spoilt_probabilities_do_not_pass(name: str) -> None:
    assert answers(SPOILT[name], redraws=30)["passed"] == 0


def test_true_probabilities_pass_in_most_redraws_and_are_refused_in_none() -> None:
    found = answers(lambda scores: scores, redraws=30)

    assert found["passed"] >= 20
    assert found["refused"] == 0
