"""Shares of all subjects, estimated from those that were looked at.

Whoever is selected by a score is inspected because something was expected: the share confirmed
among them says nothing about the rest. The control lane does, since chance alone put a subject
there. So subjects are divided into strata within which everyone had the same probability of being
looked at, each stratum's share is estimated from its own inspections, and they are put together by
the known sizes of the strata. Weighting by sizes instead of by drawn weights keeps the bias of
small strata away.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy import stats

from training.confidence_intervals import Estimate

Floats = npt.NDArray[np.float64]

# A stratum with fewer known outcomes says too little, unless the outcome of everyone is known.
FEWEST_OUTCOMES = 30


@dataclass(frozen=True)
class Stratum:
    """Subjects with one probability of being looked at.

    `size` counts all of them, `known_outcomes` those with a conclusive outcome, `confirmed` those
    where something was found. Outcomes still to come are taken to be like those that came.
    """

    name: str
    size: int
    known_outcomes: int
    confirmed: int

    @property
    def has_enough_outcomes(self) -> bool:
        """Whether a share may be estimated: enough outcomes are known, or those of everyone."""
        return self.known_outcomes >= min(FEWEST_OUTCOMES, self.size)


@dataclass(frozen=True)
class PopulationEstimate:
    """A share of all subjects; `estimate` has no value where a stratum has too few outcomes."""

    estimate: Estimate
    subjects: int
    too_few_outcomes: tuple[str, ...] = ()


def share(strata: Sequence[Stratum]) -> PopulationEstimate:
    """The share of all subjects that would be confirmed, with a 95 % interval.

    The interval is Wilson's at the number of simple random inspections that would tell as much: at
    small shares it keeps its coverage where the normal approximation loses it.
    """
    known = [stratum for stratum in strata if stratum.size > 0]
    subjects = sum(stratum.size for stratum in known)
    too_few_outcomes = tuple(stratum.name for stratum in known if not stratum.has_enough_outcomes)
    if not known or too_few_outcomes:
        return PopulationEstimate(Estimate(None), subjects, too_few_outcomes)
    parts = np.array([stratum.size / subjects for stratum in known])
    shares = np.array([stratum.confirmed / stratum.known_outcomes for stratum in known])
    value = float(parts @ shares)
    effective = _effective_inspections(known, parts)
    return PopulationEstimate(_wilson(value, effective), subjects)


def recall(selected: Sequence[Stratum], others: Sequence[Stratum]) -> PopulationEstimate:
    """The share of everything that would be confirmed that lies in the selected strata.

    The interval follows from those of the two shares, on the scale of log-odds.
    """
    found, missed = share(selected), share(others)
    too_few_outcomes = (*found.too_few_outcomes, *missed.too_few_outcomes)
    subjects = found.subjects + missed.subjects
    if too_few_outcomes or found.estimate.value is None or missed.estimate.value is None:
        return PopulationEstimate(Estimate(None), subjects, too_few_outcomes)
    return PopulationEstimate(_part_of_both(_counts(found), _counts(missed)), subjects)


def _counts(part: PopulationEstimate) -> Estimate:
    """How many of the subjects would be confirmed."""
    whole = part.estimate
    assert whole.value is not None
    assert whole.low is not None
    assert whole.high is not None
    subjects = part.subjects
    return Estimate(subjects * whole.value, subjects * whole.low, subjects * whole.high)


def _part_of_both(found: Estimate, missed: Estimate) -> Estimate:
    """found / (found + missed). The ends of two independent intervals are reached in quadrature."""
    value = _part(found.value, missed.value)
    if value is None:
        return Estimate(None)
    fewer = [_part(found.low, missed.value), _part(found.value, missed.high)]
    more = [_part(found.high, missed.value), _part(found.value, missed.low)]
    below, above = (
        np.sqrt(sum((value - end) ** 2 for end in ends if end is not None))
        for ends in (fewer, more)
    )
    return Estimate(value, max(0.0, float(value - below)), min(1.0, float(value + above)))


def _part(found: float | None, missed: float | None) -> float | None:
    assert found is not None
    assert missed is not None
    return found / (found + missed) if found + missed > 0 else None


def _effective_inspections(strata: Sequence[Stratum], parts: Floats) -> float:
    """How many inspections drawn from everyone would have the variance of these."""
    value = variance = 0.0
    for part, stratum in zip(parts, strata, strict=True):
        left = 1 - stratum.known_outcomes / stratum.size
        # Where some are left, one imagined inspection keeps a stratum of none from seeming sure.
        imagined = 1 if left else 0
        confirmed = (stratum.confirmed + imagined / 2) / (stratum.known_outcomes + imagined)
        value += part * confirmed
        variance += part**2 * confirmed * (1 - confirmed) / stratum.known_outcomes * left
    return value * (1 - value) / variance if variance else np.inf


def _wilson(value: float, trials: float) -> Estimate:
    if np.isinf(trials):
        return Estimate(value, value, value)
    z = float(stats.norm.ppf(0.975))
    centre = (value + z * z / (2 * trials)) / (1 + z * z / trials)
    half = (
        z * np.sqrt(value * (1 - value) / trials + z * z / (4 * trials**2)) / (1 + z * z / trials)
    )
    return Estimate(value, max(0.0, float(centre - half)), min(1.0, float(centre + half)))
