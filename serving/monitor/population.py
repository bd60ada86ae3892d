"""Estimate figures of all traffic from strata with a known inspection probability.

Subjects selected by score, rule or watch-list are inspected because something was expected, so
their findings say nothing about the rest. The control lane does, since chance alone selected its
cases. In a stratum with enough outcomes, each of them stands for size / known subjects. Strata with
too few are merged, and there each outcome keeps its own weight, the inverse of its probability.
Means and intervals come from `training.estimation`.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from math import ceil
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from training.confidence_intervals import Estimate
from training.estimation.inspected_sample import MIN_INSPECTIONS, NO_CLIP, effective_size
from training.estimation.weighted_mean import ConfidenceDistribution, weighted_mean
from training.inverse_probability import MIN_DRAWN, inverse_probability_weight

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Stratum:
    """Subjects with one `probability` of inspection; 1 if all were selected.

    `size` counts all of them, `known_outcomes` those with a conclusive outcome, `confirmed` those
    with a finding. `shared` holds both counts for each inspection that covered several subjects.
    Unknown outcomes are assumed to be like known ones.
    """

    name: str
    size: int
    known_outcomes: int
    confirmed: int
    probability: float = 1.0
    shared: tuple[tuple[int, int], ...] = ()

    @property
    def is_certain(self) -> bool:
        """True if all of them were selected."""
        return self.probability >= 1

    def inspections(self) -> Iterator[tuple[int, int]]:
        """Yield how many subjects each inspection covered, and how many were confirmed."""
        found = self.confirmed - sum(found for _, found in self.shared)
        alone = self.known_outcomes - sum(of for of, _ in self.shared)
        yield from repeat((1, 1), found)
        yield from repeat((1, 0), alone - found)
        yield from self.shared


class KnownOutcomes(NamedTuple):
    """Known outcomes, 1 or 0, the subjects each stands for, and numbers of their inspections."""

    values: Floats
    weights: Floats
    together: Ints


@dataclass(frozen=True)
class MergedStratum:
    """One stratum, or several with too few outcomes, estimated together.

    `others` counts uninspected subjects whose stratum is unknown.
    """

    parts: tuple[Stratum, ...]
    others: int = 0

    @property
    def name(self) -> str:
        """The name of its largest part."""
        return max(self.parts, key=lambda part: part.size).name if self.parts else "not inspected"

    @property
    def size(self) -> int:
        """The number of its subjects."""
        return sum(part.size for part in self.parts) + self.others

    @cached_property
    def known_outcomes(self) -> int:
        """The known outcomes of all parts."""
        return sum(part.known_outcomes for part in self.parts)

    @cached_property
    def weights(self) -> Floats:
        """The number of subjects that an outcome of each part stands for; empty if unknown."""
        known = np.array([part.known_outcomes for part in self.parts], dtype=np.float64)
        probability = np.array([part.probability for part in self.parts])
        # With probability 0 nobody could be drawn, so no outcome represents these subjects.
        if not known.sum() or not (probability > 0).all():
            return np.zeros(0)
        weights = inverse_probability_weight(probability, clip=NO_CLIP)
        # Scale the weights to the known size; each outcome stands at least for itself.
        return np.maximum(weights * self.size / float(known @ weights), 1.0)

    @cached_property
    def effective_size(self) -> float:
        """The number of evenly drawn outcomes with the same information."""
        return effective_size(self.outcomes().weights)

    @property
    def has_enough_outcomes(self) -> bool:
        """True if the outcomes suffice for an estimate of the whole stratum."""
        if all(part.is_certain for part in self.parts):
            return self.known_outcomes >= min(MIN_DRAWN, ceil(self.size / 2))
        _, weights, together = self.outcomes()
        inspections = effective_size(weights, together)
        return self.effective_size >= min(MIN_DRAWN, self.size) and (
            inspections >= min(MIN_INSPECTIONS, self.size)
        )

    @property
    def needs(self) -> str:
        """The number of outcomes that would suffice, in words."""
        if all(part.is_certain for part in self.parts):
            return f"{self.name}: want {min(MIN_DRAWN, ceil(self.size / 2))} known outcomes"
        lowest = min(part.probability for part in self.parts)
        if lowest <= 0:
            return f"{self.name}: want a chance above 0 for each of {self.size:,} decisions"
        enough = (
            self.size * MIN_DRAWN / self.effective_size
            if self.effective_size
            else MIN_DRAWN / lowest
        )
        return (
            f"{self.name}: {self.known_outcomes} known outcomes say as much as "
            f"{self.effective_size:.0f} evenly drawn; want {MIN_DRAWN}, as come of about "
            f"{float(f'{enough:.2g}'):,.0f} decisions instead of {self.size:,}"
        )

    def outcomes(self) -> KnownOutcomes:
        """Return the known outcomes; none if no weight is known."""
        # One row for each inspection: subjects, those confirmed, and the weight of each.
        rows = [
            (of, found, weight)
            for part, weight in zip(self.parts, self.weights, strict=bool(len(self.weights)))
            for of, found in part.inspections()
        ]
        of, found, weight = np.array(rows, dtype=np.float64).reshape(-1, 3).T
        sizes = of.astype(np.int64)
        counts = np.column_stack([found, of - found]).astype(np.int64).ravel()
        return KnownOutcomes(
            values=np.repeat(np.tile((1.0, 0.0), len(rows)), counts),
            weights=np.repeat(weight, sizes),
            together=np.repeat(np.arange(len(rows)), sizes),
        )


@dataclass(frozen=True)
class TrafficPart:
    """A part of the traffic, in strata merged until they hold enough outcomes."""

    strata: tuple[MergedStratum, ...]

    @classmethod
    def from_strata(cls, strata: Iterable[Stratum]) -> "TrafficPart":
        """Drop empty strata and merge small ones with those of the next probability."""
        return cls(_merged([each for each in strata if each.size > 0]))

    def __add__(self, other: "TrafficPart") -> "TrafficPart":
        return TrafficPart((*self.strata, *other.strata))

    @property
    def size(self) -> int:
        """The number of its subjects."""
        return sum(each.size for each in self.strata)

    @property
    def known_outcomes(self) -> int:
        """The number of its subjects with a conclusive outcome."""
        return sum(each.known_outcomes for each in self.strata)

    @property
    def too_few_outcomes(self) -> tuple[MergedStratum, ...]:
        """The strata with too few outcomes, because of which the part has no estimate."""
        return tuple(each for each in self.strata if not each.has_enough_outcomes)

    @cached_property
    def effective_size(self) -> float:
        """The number of evenly drawn outcomes with the information of the known ones."""
        return effective_size(self._outcomes.weights)

    @cached_property
    def confirmed(self) -> ConfidenceDistribution | None:
        """The number of subjects that would be confirmed; None if too little is known."""
        if self.too_few_outcomes:
            return None
        if not self.strata:
            return ConfidenceDistribution(0.0, np.zeros(1))
        return weighted_mean(*self._outcomes).scaled(self.size)

    @property
    def found(self) -> Estimate:
        """The share confirmed among subjects of this kind, of which known outcomes are a sample."""
        outcomes = self._outcomes
        if not len(outcomes.values):
            return Estimate(None)
        return weighted_mean(*outcomes, is_this_traffic=False).estimate

    @property
    def precision(self) -> Estimate:
        """The share confirmed as in `found`; unknown if too few outcomes are known."""
        return Estimate(None) if self.too_few_outcomes else self.found

    @property
    def share_confirmed(self) -> ConfidenceDistribution | None:
        """The share of subjects that would be confirmed; None without subjects or estimate."""
        return self.confirmed.scaled(1 / self.size) if self.confirmed and self.size else None

    @cached_property
    def _outcomes(self) -> KnownOutcomes:
        whole = KnownOutcomes(np.zeros(0), np.zeros(0), np.zeros(0, dtype=np.int64))
        for stratum in self.strata:
            values, weights, together = stratum.outcomes()
            apart = together + whole.together.max(initial=-1) + 1
            pairs = zip(whole, (values, weights, apart), strict=True)
            whole = KnownOutcomes(*(np.concatenate(pair) for pair in pairs))
        return whole


def _merged(strata: list[Stratum]) -> tuple[MergedStratum, ...]:
    """Merge strata with too few outcomes into the one of the next probability.

    A stratum that is still too small afterwards has no estimate.
    """
    # Merging neighbours in probability keeps the weights within a stratum as equal as possible.
    kept = [MergedStratum((each,)) for each in sorted(strata, key=lambda each: each.probability)]
    place = 0
    while len(kept) > 1 and place < len(kept):
        if kept[place].has_enough_outcomes:
            place += 1
            continue
        # The last stratum has no successor and joins its predecessor.
        low = place if place + 1 < len(kept) else place - 1
        kept[low : low + 2] = [MergedStratum((*kept[low].parts, *kept[low + 1].parts))]
        place = low
    return tuple(kept)
