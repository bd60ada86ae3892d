"""Gate: probabilities must be calibrated on all traffic, by three figures with the ideal 1.

Confirmed over expected must hold on all traffic and on the highest 5 %, which decide who is
inspected. The slope of the line through the log-odds detects what preserves both sums but shuffles
or stretches scores. Ratios may lie farther above 1 than below: with few finds in the draws, their
intervals reach far up.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

from training.confidence_intervals import Estimate
from training.estimation.calibration_on_traffic import TrafficCalibration
from training.evaluation.evaluation_report import PopulationSection
from training.gates.verdict import Answer, Verdict
from training.inverse_probability import MIN_DRAWN
from training.model.counted_cases import CountedCases
from training.parameters import GATE_SHARE

GATE = "calibration"

Band = tuple[float, float]
ALLOWED_RATIO: Band = (0.5, 4.0)
ALLOWED_TOP_RATIO: Band = (0.5, 3.0)
ALLOWED_SLOPE: Band = (1 / 3, 2.0)


@dataclass(frozen=True)
class JudgedFigure:
    """A calibration figure with the band that its interval must lie in."""

    name: str
    estimate: Estimate
    allowed: Band

    @property
    def answer(self) -> Answer:
        """Passed if the whole interval is in the band, refused if all of it is outside."""
        low, high = self.estimate.low, self.estimate.high
        if low is None or high is None:
            return "undecided"
        if self.allowed[0] <= low and high <= self.allowed[1]:
            return "passed"
        return "refused" if high < self.allowed[0] or low > self.allowed[1] else "undecided"

    @property
    def times_as_many(self) -> float | None:
        """The factor by which more or fewer results make the interval as wide as the band.

        None if no number of results would: the figure is unknown or itself outside.
        """
        value, low, high = self.estimate.value, self.estimate.low, self.estimate.high
        if value is None or low is None or high is None:
            return None
        if not self.allowed[0] < value < self.allowed[1]:
            return None
        # Ratios have skewed intervals, so the distance above is measured on the log scale.
        below = (value - low) / (value - self.allowed[0])
        above = math.log(high / value) / math.log(self.allowed[1] / value)
        return max(below, above) ** 2

    @property
    def in_words(self) -> str:
        """The figure, its interval and its band as text."""
        low, high = self.allowed
        return f"{self.name} {_spelt(self.estimate)}, want within {low:.2g} to {high:.2g}"


def calibrated(population: PopulationSection | None) -> Verdict:
    """Return the verdict on an evaluation; undecided if its traffic allows no figure."""
    if population is None:
        return Verdict(GATE, "undecided", "figures of all traffic were not measured")
    if population.figures.refusal is not None:
        cases = drawn_cases(population, None)
        return Verdict(GATE, "undecided", population.figures.refusal, cases=cases)
    drawn = population.figures.drawn
    verdict = calibration_verdict(population.calibration, drawn)
    needed = _results_needed([*judged_figures(population.calibration)], drawn)
    return replace(verdict, cases=drawn_cases(population, needed))


def drawn_cases(population: PopulationSection, needed: int | None) -> CountedCases:
    """Return the results drawn with a probability; at least as many as any figure rests on."""
    drawn = population.figures.drawn
    if drawn < MIN_DRAWN:
        needed = max(MIN_DRAWN, needed or 0)
    days = (population.begins, population.ends)
    return CountedCases("results drawn with a probability", drawn, needed, *days)


def calibration_verdict(calibration: TrafficCalibration, drawn: int) -> Verdict:
    """Return refused if an interval is outside its band, passed if all are within.

    `drawn` is the number of results with a probability that the figures rest on.
    """
    figures = [*judged_figures(calibration)]
    reason = "; ".join(figure.in_words for figure in figures)
    answers = {figure.answer for figure in figures}
    # One figure that is certainly wrong refuses, whatever the others are.
    if "refused" in answers:
        return Verdict(GATE, "refused", reason)
    if answers == {"passed"}:
        return Verdict(GATE, "passed", reason)
    unclear = [figure for figure in figures if figure.answer == "undecided"]
    return Verdict(GATE, "undecided", f"{reason}; {_enough(unclear, drawn)}")


def judged_figures(calibration: TrafficCalibration) -> Iterator[JudgedFigure]:
    """Yield the three figures with their bands."""
    ratio = "confirmed for each one expected"
    yield JudgedFigure(ratio, calibration.observed_over_expected, ALLOWED_RATIO)
    yield JudgedFigure(
        f"{ratio} in the highest {GATE_SHARE:.0%}",
        calibration.top_observed_over_expected,
        ALLOWED_TOP_RATIO,
    )
    yield JudgedFigure("slope", calibration.slope, ALLOWED_SLOPE)


def _enough(unclear: list[JudgedFigure], drawn: int) -> str:
    """Return what would decide the unclear figures."""
    needed = _results_needed(unclear, drawn)
    if needed is None:
        return (
            f"{drawn:,} results were drawn with a probability, too few to say; twice as many "
            "would tell more"
        )
    return f"about {needed:,} results drawn with a probability would be enough, {drawn:,} are known"


def _results_needed(figures: list[JudgedFigure], drawn: int) -> int | None:
    """Return the number of results that brings all figures into their bands; None if none does."""
    times = [figure.times_as_many for figure in figures]
    if any(each is None for each in times):
        return None
    return math.ceil(drawn * max(each for each in times if each is not None))


def _spelt(estimate: Estimate) -> str:
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "unknown"
    return f"{estimate.value:.2f} ({estimate.low:.2f} to {estimate.high:.2f})"
