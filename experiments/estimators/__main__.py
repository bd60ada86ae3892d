"""Bias and coverage of figures of all traffic: `python -m experiments.estimators --help`.

Each redraw is a new traffic of 6,000 subjects, 2 % of which would be confirmed. The highest 4 % by
score are inspected with probability .8, others are drawn by lot. Ten designs change who is drawn or
which results are known; bounds hold whatever these are. The truth is that of each traffic; that of
the slope, of a large one.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated

import numpy as np
import typer
from scipy.special import expit

from training.confidence_intervals import Estimate
from training.estimation.calibration_on_traffic import traffic_calibration
from training.estimation.inspected_sample import inspected_sample
from training.estimation.population_figures import UNKNOWN, extremes_of, population_figures
from training.outcomes import Bools, Texts
from training.ranking import Floats, ScoreRanking, at_capacity

SUBJECTS, HIGHEST, INSPECTED_HIGHEST, SHARE = 6_000, 0.04, 0.8, 0.05
# Log-odds by what the score knows and by what it does not; a prevalence of .02.
MEAN, BY_KNOWN, BY_HIDDEN = -5.05, 1.3, 0.8
TOGETHER, DAYS = 6, 120
FIGURES = (
    *("prevalence", "precision at 5 %", "recall at 5 %", "slope"),
    *("prevalence, bound", "precision at 5 %, bound"),
)


@dataclass(frozen=True, eq=False)
class Traffic:
    """Subjects with scores and truth; `control` is the probability of being drawn by lot.

    `is_tipped` and `is_seen` mark inspections by a tip and at discretion, `is_unknown` results that
    are never known, and `together` numbers those inspected together.
    """

    scores: Floats
    truth: Floats
    day: Floats
    control: Floats
    together: Floats
    is_tipped: Bools
    is_seen: Bools
    is_unknown: Bools


Design = Callable[[Traffic, np.random.Generator], Traffic]


def drawn_traffic(rng: np.random.Generator, together: int = 1, size: int = SUBJECTS) -> Traffic:
    """Draw a traffic in which as many as `together` are alike, inspected or not."""
    known, hidden = rng.normal(size=(2, size // together)).repeat(together, axis=1)
    chance = expit(MEAN + BY_KNOWN * known + BY_HIDDEN * hidden)
    lot = rng.random(size // together).repeat(together)
    nobody = np.zeros(size, dtype=np.bool_)
    return Traffic(
        scores=MEAN + BY_KNOWN * known,
        truth=(lot < chance).astype(np.float64),
        day=rng.uniform(0, DAYS, size // together).repeat(together),
        control=np.full(size, 0.02),
        together=np.arange(size // together).repeat(together),
        is_tipped=nobody,
        is_seen=nobody,
        is_unknown=nobody,
    )


def by_time(traffic: Traffic, rng: np.random.Generator) -> Traffic:
    """Draw .005, then .03, then .10."""
    third = (traffic.day / DAYS * 3).astype(int)
    return replace(traffic, control=np.array([0.005, 0.03, 0.10])[third])


def by_time_with_tips(traffic: Traffic, rng: np.random.Generator) -> Traffic:
    """Add tips about a quarter of what is smuggled, and as many false ones."""
    chance = np.where(traffic.truth == 1, 0.25, 0.005)
    return replace(by_time(traffic, rng), is_tipped=rng.random(len(chance)) < chance)


def by_office(traffic: Traffic, rng: np.random.Generator) -> Traffic:
    """Let twenty offices draw from .08 to .005, the riskier the less."""
    nearby = traffic.scores + BY_KNOWN * rng.normal(size=SUBJECTS)
    office = (np.argsort(np.argsort(nearby)) * 20) // SUBJECTS
    return replace(traffic, control=np.geomspace(0.08, 0.005, 20)[office])


def unknown(guilty: float, clean: float, *, only_by_lot: bool = False) -> Design:
    """Return a design in which these shares of results are never known."""

    def design(traffic: Traffic, rng: np.random.Generator) -> Traffic:
        share = np.where(traffic.truth == 1, guilty, clean)
        is_unknown = rng.random(SUBJECTS) < share
        return replace(traffic, is_unknown=is_unknown & ~(only_by_lot & is_highest(traffic)))

    return design


def late(traffic: Traffic, rng: np.random.Generator) -> Traffic:
    """Let finds take 35 days on average and others 7, in a window counted to its end."""
    delay = rng.exponential(np.where(traffic.truth == 1, 35.0, 7.0))
    return replace(traffic, is_unknown=traffic.day + delay > DAYS)


def discretion(traffic: Traffic, rng: np.random.Generator) -> Traffic:
    """Let officers find a fifth of what nothing else selects, without a probability."""
    return replace(traffic, is_seen=rng.random(SUBJECTS) < np.where(traffic.truth, 0.2, 0.01))


def as_drawn(traffic: Traffic, rng: np.random.Generator) -> Traffic:
    """Change nothing."""
    return traffic


DESIGNS: dict[str, tuple[Design, int]] = {
    "control .02": (as_drawn, 1),
    "control .005, .03, .10 over time": (by_time, 1),
    "... and tips on a quarter": (by_time_with_tips, 1),
    "20 offices, .08 to .005 against risk": (by_office, 1),
    "six alike inspected together": (as_drawn, TOGETHER),
    "overrides: 35 % of clean, 10 % of guilty": (unknown(0.10, 0.35, only_by_lot=True), 1),
    "withdrawn: 30 % of guilty, 3 % of clean": (unknown(0.30, 0.03), 1),
    "inconclusive: 30 % / 5 %": (unknown(0.30, 0.05), 1),
    "late: found 35 d, not 7 d": (late, 1),
    "discretion finds a fifth of the rest": (discretion, 1),
}


def is_highest(traffic: Traffic, share: float = HIGHEST) -> Bools:
    """Return a mask of the highest by score, in whole groups inspected together."""
    return np.asarray(np.argsort(np.argsort(-traffic.scores, kind="stable")) < share * SUBJECTS)


def estimates(traffic: Traffic, rng: np.random.Generator) -> dict[str, Estimate]:
    """Draw inspections and return what is estimated from them."""
    groups = traffic.together.astype(int)
    by_score, by_lot = rng.random((2, len(groups)))[:, groups]
    chosen = INSPECTED_HIGHEST * is_highest(traffic)
    probability = 1 - (1 - chosen) * (1 - traffic.control)
    ways: Texts = np.full(len(groups), None, dtype=object)
    ways[traffic.is_seen] = "discretion"
    ways[by_lot < traffic.control] = "random"
    ways[by_score < chosen] = "model"
    ways[traffic.is_tipped] = "intelligence"
    is_drawn = np.isin(ways, ("random", "model"))
    is_known = np.not_equal(ways, None) & ~traffic.is_unknown
    sample = inspected_sample(
        np.where(is_known, traffic.truth, np.nan),
        ways,
        np.where(is_drawn, probability, np.nan),
        groups,
    )
    figures = population_figures(sample, traffic.scores, (SHARE,))
    extremes = extremes_of(sample, is_highest(traffic, SHARE).astype(np.float64))
    return dict(
        zip(
            FIGURES,
            (
                figures.prevalence,
                figures.at_share[0].precision,
                figures.at_share[0].recall,
                traffic_calibration(sample, traffic.scores, SHARE).slope,
                *(_bound(extremes.get(each)) for each in ("prevalence", "precision")),
            ),
            strict=True,
        )
    )


def _bound(ends: tuple[Estimate, Estimate] | None) -> Estimate:
    """Return what is left when missing results may be anything: no figure, and the outer ends."""
    return UNKNOWN if ends is None else Estimate(None, ends[0].low, ends[1].high)


def truths(traffic: Traffic, slope: float) -> dict[str, float]:
    """Return the figures as they are."""
    ranking = ScoreRanking.from_scores(traffic.truth, traffic.scores)
    found = at_capacity(ranking, SHARE)
    values = (
        *(ranking.prevalence, found["precision"], found["recall"], slope),
        *(ranking.prevalence, found["precision"]),
    )
    return dict(zip(FIGURES, values, strict=True))


def true_slope(rng: np.random.Generator) -> float:
    """Return the slope of a large traffic of which everyone was inspected."""
    whole = drawn_traffic(rng, size=400_000)
    ways: Texts = np.full(len(whole.truth), "rule", dtype=object)
    sample = inspected_sample(whole.truth, ways, np.ones(len(whole.truth)))
    return float(traffic_calibration(sample, whole.scores, SHARE).slope.value or np.nan)


def rows(redraws: int, seed: int) -> Iterator[str]:
    """Yield a row of the table for each design and figure."""
    slope = true_slope(np.random.default_rng(seed))
    for name, (design, together) in DESIGNS.items():
        errors, held, given = defaultdict(list), defaultdict(list), defaultdict(list)
        ends = defaultdict(list)
        for number in range(redraws):
            rng = np.random.default_rng([seed, number])
            traffic = design(drawn_traffic(rng, together), rng)
            true = truths(traffic, slope)
            for figure, found in estimates(traffic, rng).items():
                if found.low is None or found.high is None:
                    continue
                ends[figure].append((found.low, found.high))
                held[figure].append(found.low <= true[figure] <= found.high)
                if found.value is not None:
                    errors[figure].append(found.value - true[figure])
                    given[figure].append(true[figure])
        for figure in FIGURES:
            bias = f"{sum(errors[figure]) / sum(given[figure]):+.0%}" if given[figure] else "–"
            holds = np.mean(held[figure]) if held[figure] else np.nan
            low, high = np.mean(ends[figure], axis=0) if ends[figure] else (np.nan, np.nan)
            yield (
                f"| {name} | {figure} | {bias} | {holds:.1%} | {low:.3f} and {high:.3f} | "
                f"{len(held[figure])} | {len(given[figure])} |"
            )


def run(
    redraws: Annotated[int, typer.Option(min=1, help="Redraws of each design.")] = 200,
    seed: Annotated[int, typer.Option(help="Of the first redraw.")] = 1,
) -> None:
    """Print bias and coverage of each figure in each design."""
    typer.echo(
        "| design | figure | bias | holds | between | intervals | figures |\n"
        "|---|---|---|---|---|---|---|"
    )
    for row in rows(redraws, seed):
        typer.echo(row)


if __name__ == "__main__":
    typer.run(run)
