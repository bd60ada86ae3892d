"""Figures of monitoring: how far off, and how often their intervals hold the truth.

    python -m experiments.2026-11-27-figures-that-hold.monitoring [REDRAWS]

Each design is one invented traffic with its truth: some subjects are selected by the score or by a
watch list, all others are drawn with the probability of their stratum. The draw is repeated, three
in a hundred results stay unknown, and what `Slice` says of it is laid beside the truth.
"""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from serving.monitor.decision_facts import drawn_at
from serving.monitor.selection_strata import BY_SCORE, Slice
from training.confidence_intervals import Estimate
from training.outcomes import Bools, Texts
from training.ranking import Floats

SEED = 20261127
INCONCLUSIVE = 0.03
FIGURES = ("prevalence", "precision", "recall", "lift")


@dataclass(frozen=True)
class Traffic:
    """Subjects: whether each would be confirmed, its stratum, and its chance of being drawn."""

    is_smuggled: Bools
    stratum: Texts
    probability: Floats

    @property
    def is_inspected(self) -> Bools:
        """Whether a score or a watch list selected it."""
        return self.probability >= 1

    @property
    def truths(self) -> dict[str, float]:
        """Every figure as it is."""
        found = self.is_smuggled[self.is_inspected]
        recall = float(found.sum() / self.is_smuggled.sum())
        return {
            "prevalence": float(self.is_smuggled.mean()),
            "precision": float(found.mean()),
            "recall": recall,
            "lift": recall / float(self.is_inspected.mean()),
        }

    def visits(self, rng: np.random.Generator) -> pd.DataFrame:
        """Who is looked at in one draw, and what is found."""
        is_visit = rng.random(len(self.is_smuggled)) < self.probability
        found = self.is_smuggled[is_visit].astype(np.float64)
        found[rng.random(len(found)) < INCONCLUSIVE] = np.nan
        return pd.DataFrame({"stratum": self.stratum[is_visit], "confirmed": found})


@dataclass(frozen=True)
class Part:
    """Subjects of one risk, and the probability with which what nobody selects of them is drawn."""

    subjects: int
    risk: float
    probability: float

    def traffic(self, rng: np.random.Generator, selected: float = 0.02) -> Traffic:
        """A part of the traffic; the score selects some, a quarter of which would be confirmed."""
        is_chosen = np.arange(self.subjects) < round(selected * self.subjects)
        is_smuggled = _spread(is_chosen, 0.25, rng) | _spread(~is_chosen, self.risk, rng)
        stratum = np.where(
            is_chosen, BY_SCORE, f"not inspected, drawn at {drawn_at(self.probability)}"
        ).astype(object)
        return Traffic(is_smuggled, stratum, np.where(is_chosen, 1.0, self.probability))


def one_probability(rng: np.random.Generator) -> Traffic:
    """Everybody is drawn with one probability."""
    return Part(20_000, 0.01, 0.03).traffic(rng)


def two_probabilities(rng: np.random.Generator) -> Traffic:
    """Half of the time twice as many are drawn, and more is smuggled."""
    return _all([Part(20_000, 0.008, 0.02).traffic(rng), Part(20_000, 0.014, 0.04).traffic(rng)])


def per_office(rng: np.random.Generator) -> Traffic:
    """Offices draw with probabilities of their own; that of the most draws is the riskiest."""
    parts = Part(10_000, 0.006, 0.01), Part(10_000, 0.01, 0.04), Part(10_000, 0.02, 0.2)
    return _all([part.traffic(rng) for part in parts])


def small_offices(rng: np.random.Generator) -> Traffic:
    """The same with 3,000 subjects: some offices alone have too few draws."""
    parts = Part(1_000, 0.006, 0.01), Part(1_000, 0.01, 0.04), Part(1_000, 0.02, 0.2)
    return _all([part.traffic(rng) for part in parts])


def disputed(subjects: int, share: float) -> Callable[[np.random.Generator], Traffic]:
    """What a challenger would select is drawn at .10 and is risky, all else at .01."""

    def design(rng: np.random.Generator) -> Traffic:
        few = round(share * subjects)
        return _all(
            [
                Part(few, 0.10, 0.10).traffic(rng, selected=0.0),
                Part(subjects - few, 0.008, 0.01).traffic(rng),
            ]
        )

    return design


def by_day(rng: np.random.Generator) -> Traffic:
    """The probability differs from day to day, and days of more draws are riskier."""
    days = np.exp(rng.normal(np.log(0.03), 0.5, 60)).clip(0.01, 0.2)
    return _all([Part(500, 0.01 * (day / 0.03) ** 0.3, float(day)).traffic(rng) for day in days])


def with_tips(rng: np.random.Generator) -> Traffic:
    """A watch list selects what tips name; half of it would be confirmed."""
    rest = Part(20_000, 0.008, 0.03).traffic(rng)
    tips = Traffic(
        _spread(np.ones(150, dtype=np.bool_), 0.5, rng),
        np.full(150, "inspected by watch list", dtype=object),
        np.ones(150),
    )
    return _all([rest, tips])


DESIGNS: dict[str, Callable[[np.random.Generator], Traffic]] = {
    "one probability": one_probability,
    "two probabilities": two_probabilities,
    "per office, 30,000": per_office,
    "merged: offices at .01/.04/.20, 3,000": small_offices,
    "merged: 20,000, 1.2 % disputed": disputed(20_000, 0.012),
    "merged: 8,000, 2 % disputed": disputed(8_000, 0.02),
    "merged: 5,000, 3 % disputed": disputed(5_000, 0.03),
    "varying by day": by_day,
    "with tips": with_tips,
}


@dataclass(frozen=True)
class Held:
    """One figure of one design; `width` is of the interval, as a multiple of the truth.

    `unsure` is the standard error of `bias`, both as parts of the truth, and `interval_only` the
    part of the redraws that give no figure.
    """

    design: str
    figure: str
    truth: float
    bias: float | None
    unsure: float | None
    held: float | None
    width: float | None
    interval_only: float


def studied(design: str, redraws: int, seed: int = SEED) -> Iterator[Held]:
    """Every figure of a design."""
    rng = np.random.default_rng(seed)
    traffic = DESIGNS[design](rng)
    sizes = Counter(traffic.stratum.tolist())
    slices = [Slice.from_visits(sizes, traffic.visits(rng)) for _ in range(redraws)]
    for figure, truth in traffic.truths.items():
        estimates: list[Estimate] = [getattr(each, figure) for each in slices]
        yield _held(design, figure, truth, estimates)


def _held(design: str, figure: str, truth: float, estimates: list[Estimate]) -> Held:
    ends = np.array(
        [(each.low, each.high) for each in estimates if each.low is not None], dtype=np.float64
    ).reshape(-1, 2)
    values = np.array([each.value for each in estimates if each.value is not None])
    is_held = (ends[:, 0] <= truth + 1e-12) & (truth <= ends[:, 1] + 1e-12)
    return Held(
        design=design,
        figure=figure,
        truth=truth,
        bias=float(values.mean() / truth - 1) if len(values) else None,
        unsure=float(values.std() / truth / np.sqrt(len(values))) if len(values) else None,
        held=float(is_held.mean()) if len(ends) else None,
        width=float((ends[:, 1] - ends[:, 0]).mean() / truth) if len(ends) else None,
        interval_only=1 - len(values) / len(estimates),
    )


def _spread(is_in: Bools, share: float, rng: np.random.Generator) -> Bools:
    """That share of these subjects, as nearly as it can be counted, in random places."""
    places = np.flatnonzero(is_in)
    wanted = share * len(places)
    count = int(wanted) + int(rng.random() < wanted - int(wanted))
    chosen = np.zeros(len(is_in), dtype=np.bool_)
    chosen[rng.permutation(places)[:count]] = True
    return chosen


def _all(parts: list[Traffic]) -> Traffic:
    return Traffic(
        np.concatenate([part.is_smuggled for part in parts]),
        np.concatenate([part.stratum for part in parts]),
        np.concatenate([part.probability for part in parts]),
    )


def main() -> None:
    """Print the table."""
    redraws = int(sys.argv[1]) if len(sys.argv) > 1 else 200
    print(f"{redraws} redraws\n")
    print("| design | figure | true | bias | ± | holds | width | interval only |")
    print("|---|---|---|---|---|---|---|---|")
    for design in DESIGNS:
        for row in studied(design, redraws):
            bias = "–" if row.bias is None else f"{row.bias:+.1%}"
            unsure = "–" if row.unsure is None else f"{row.unsure:.1%}"
            print(
                f"| {row.design} | {row.figure} | {row.truth:.4f} | {bias} | {unsure} | "
                f"{row.held or 0:.1%} | {row.width or 0:.2f} | {row.interval_only:.0%} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
