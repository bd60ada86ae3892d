"""Figures of all traffic from inspected subjects: how far off, and how often intervals hold.

    python -m experiments.2026-11-27-figures-that-hold.population [REDRAWS] [SUBJECTS]

One invented traffic with scores and truth; six designs of inspection are drawn from it again and
again, and what the estimates say is laid beside what is true of the whole traffic.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from scipy.special import expit

from training.confidence_intervals import Estimate
from training.estimation.inspected_sample import inspected_sample
from training.estimation.population_figures import population_figures
from training.outcomes import Bools, Texts
from training.ranking import Floats, ScoreRanking, at_capacity, roc_auc

SEED = 20261127
SHARES = (0.02, 0.05, 0.1)


@dataclass(frozen=True)
class Traffic:
    """Subjects with their scores, what is true of them, and the office where each arrives."""

    scores: Floats
    truth: Floats
    chance: Floats
    office: Floats
    rule: Bools

    @classmethod
    def invented(cls, subjects: int, rng: np.random.Generator) -> "Traffic":
        """One in seventy is confirmable; the score knows some of what makes it so."""
        known, hidden = rng.normal(size=(2, subjects))
        chance = expit(-5.4 + 1.3 * known + 0.8 * hidden)
        return cls(
            scores=known,
            truth=(rng.random(subjects) < chance).astype(np.float64),
            chance=chance,
            office=rng.integers(0, 8, subjects),
            rule=known + hidden + rng.normal(size=subjects) > 3.0,
        )

    @property
    def truths(self) -> dict[str, float]:
        """Every figure as it is."""
        ranking = ScoreRanking.from_scores(self.truth, self.scores)
        told = {"prevalence": ranking.prevalence, "roc_auc": roc_auc(ranking)}
        for share in SHARES:
            found = at_capacity(ranking, share)
            told |= {f"{name}@{share:.0%}": found[name] for name in ("precision", "recall", "lift")}
        return told


Design = Callable[[Traffic, np.random.Generator], tuple[Floats, Bools]]
"""Gives the probability of being inspected, and who was selected for certain by a tip."""


def one_probability(traffic: Traffic, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Everybody is drawn with one probability."""
    return np.full(len(traffic.scores), 0.03), _nobody(traffic)


def rule_and_draw(traffic: Traffic, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """A rule selects six in ten of what it hits, and two in a hundred are drawn anyway."""
    return _either(np.where(traffic.rule, 0.6, 0.0), 0.02), _nobody(traffic)


def per_office(traffic: Traffic, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Every office draws with a probability of its own."""
    by_office = np.array([0.01, 0.01, 0.02, 0.02, 0.04, 0.04, 0.1, 0.2])
    return _either(
        np.where(traffic.rule, 0.6, 0.0), by_office[traffic.office.astype(int)]
    ), _nobody(traffic)


def disputed(traffic: Traffic, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """What a challenger would select is drawn at a tenth, all else at a hundredth."""
    challenger = traffic.scores + 0.5 * rng.normal(size=len(traffic.scores)) > 2.0
    return _either(np.where(traffic.rule, 0.6, 0.0), np.where(challenger, 0.1, 0.01)), _nobody(
        traffic
    )


def by_day(traffic: Traffic, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """The probability differs from day to day."""
    days = np.exp(rng.normal(np.log(0.02), 0.5, 60)).clip(0.005, 0.2)
    day = rng.integers(0, 60, len(traffic.scores))
    return _either(np.where(traffic.rule, 0.6, 0.0), days[day]), _nobody(traffic)


def with_tips(traffic: Traffic, rng: np.random.Generator) -> tuple[Floats, Bools]:
    """Tips come first and know much; rule and draw take from the rest."""
    tipped = rng.random(len(traffic.scores)) < 0.001 + 0.95 * traffic.chance**1.3
    return _either(np.where(traffic.rule, 0.6, 0.0), 0.02), tipped


DESIGNS: tuple[Design, ...] = (
    one_probability, rule_and_draw, per_office, disputed, by_day, with_tips,
)  # fmt: skip


def estimates(traffic: Traffic, design: Design, rng: np.random.Generator) -> dict[str, Estimate]:
    """What one set of inspections says of all traffic; three in a hundred end inconclusive."""
    probability, tipped = design(traffic, rng)
    drawn = (rng.random(len(tipped)) < probability) & ~tipped
    is_settled = rng.random(len(tipped)) > 0.03
    labels = np.where((drawn | tipped) & is_settled, traffic.truth, np.nan)
    ways: Texts = np.full(len(tipped), None, dtype=object)
    ways[drawn], ways[tipped] = "random", "intelligence"
    sample = inspected_sample(labels, ways, np.where(drawn, probability, np.nan))
    figures = population_figures(sample, traffic.scores, SHARES)
    told = {"prevalence": figures.prevalence, "roc_auc": figures.roc_auc}
    for at in figures.at_share:
        told[f"precision@{at.share:.0%}"] = at.precision
        told[f"recall@{at.share:.0%}"] = at.recall
        told[f"lift@{at.share:.0%}"] = at.lift
    return told


@dataclass(frozen=True)
class Held:
    """One figure of one design over all redraws; `unknown` counts those that were refused."""

    design: str
    figure: str
    truth: float
    bias: float
    held: float
    width: float
    unknown: int


def studied(design: Design, subjects: int, redraws: int, seed: int = SEED) -> Iterator[Held]:
    """Every figure of a design."""
    rng = np.random.default_rng(seed)
    traffic = Traffic.invented(subjects, rng)
    told = [estimates(traffic, design, rng) for _ in range(redraws)]
    for figure, truth in traffic.truths.items():
        known = np.array(
            [
                (each[figure].value, each[figure].low, each[figure].high)
                for each in told
                if each[figure].value is not None
            ],
            dtype=np.float64,
        )
        if not len(known):
            continue
        yield Held(
            design=design.__name__,
            figure=figure,
            truth=truth,
            bias=float(known[:, 0].mean() / truth - 1),
            held=float(((known[:, 1] <= truth) & (truth <= known[:, 2])).mean()),
            width=float((known[:, 2] - known[:, 1]).mean() / truth),
            unknown=redraws - len(known),
        )


def _either(one: Floats, other: Floats | float) -> Floats:
    return 1 - (1 - one) * (1 - other)


def _nobody(traffic: Traffic) -> Bools:
    return np.zeros(len(traffic.scores), dtype=np.bool_)


def main() -> None:
    """Print the table."""
    redraws, subjects = (int(word) for word in (sys.argv[1:] or ["200", "60000"])[:2])
    print(f"{redraws} redraws of {subjects:,} subjects\n")
    print("| design | figure | true | bias | holds | width | unknown |")
    print("|---|---|---|---|---|---|---|")
    for design in DESIGNS:
        for row in studied(design, subjects, redraws):
            print(
                f"| {row.design} | {row.figure} | {row.truth:.4f} | {row.bias:+.1%} | "
                f"{row.held:.1%} | {row.width:.2f} | {row.unknown} |"
            )


if __name__ == "__main__":
    main()
