"""What all lives of the study say together: figures with their intervals, and a picture.

Intervals are 95 %: of t for a mean over worlds, of 2,000 redraws of worlds for weeks and curves.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from scipy import stats

from training.backtest.policy_figures import PolicyFigures
from training.ranking import Floats

CHANGE_WEEK = 30
"""Weeks of the policy before the change: day 455 of 700, from the 246th on."""

SMOOTHED_WEEKS = 4
BEFORE_WEEKS = 12
LAST_WEEKS = 13
REDRAWS = 2_000
KINDS, CAPACITIES = ("usual", "abrupt"), ("all", "office")
POLICIES = ("no_lot", "tenth_by_lot", "tenth_by_doubt")
LATE = "cloned_container"

Lives = dict[str, list[PolicyFigures]]
"""By policy, a life in each world, in the order of worlds."""


def told(folder: Path) -> dict[str, Any]:
    """Everything, by kind of world and by whose capacity it is."""
    found = {kind: {of: _lives(folder, kind, of) for of in CAPACITIES} for kind in KINDS}
    _draw(found["abrupt"]["all"], folder / "recovery.png")
    return {
        kind: {of: _of(lives, kind) for of, lives in by_capacity.items()}
        for kind, by_capacity in found.items()
    }


def _lives(folder: Path, kind: str, capacity_of: str) -> Lives:
    """Of the worlds that every policy was lived in."""

    def file(world: int, name: str) -> Path:
        return folder / "lives" / f"{kind}-{world}-{capacity_of}-{name}" / "figures.json"

    worlds = [w for w in range(1, 100) if all(file(w, name).exists() for name in POLICIES)]
    return {
        name: [PolicyFigures.model_validate_json(file(w, name).read_bytes()) for w in worlds]
        for name in POLICIES
    }


def _of(lives: Lives, kind: str) -> dict[str, Any]:
    hits = {name: np.array([_hits(life) for life in each]) for name, each in lives.items()}
    figures: dict[str, Any] = {
        "worlds": len(hits["no_lot"]),
        "hits": {name: [int(each) for each in values] for name, values in hits.items()},
        "hits lost beside no lot": {
            name: _mean(1 - hits[name] / hits["no_lot"]) for name in POLICIES[1:]
        },
        "share of the best": _each(lives, lambda life: life.share_of_best),
        f"share of the best, last {LAST_WEEKS} weeks": _each(lives, _last_share),
        "share found of the late typology": _each(lives, lambda life: _late(life)[0]),
        "weeks to find the late typology": {
            name: [_late(life)[1] for life in each] for name, each in lives.items()
        },
        "bias of prevalence": {
            name: {way: _mean(_bias(each, way)) for way in ("naive", "weighted", "stratified")}
            for name, each in lives.items()
        },
        "deviation of prevalence over a quarter": {
            name: {way: _deviation(each, way) for way in ("naive", "weighted", "stratified")}
            for name, each in lives.items()
        },
    }
    return figures | (_recovery(lives) if kind == "abrupt" else {})


def _recovery(lives: Lives) -> dict[str, Any]:
    """Of all worlds together: what the change costs, and when four fifths of that are made good."""
    counts = {name: _counts(each) for name, each in lives.items()}
    worlds = len(counts["no_lot"])
    lots = np.random.default_rng(7)
    draws = [lots.integers(0, worlds, worlds) for _ in range(REDRAWS)]

    def interval(of: Callable[[Floats, str], float], name: str) -> list[float]:
        redrawn = [of(counts[name][draw].sum(axis=0), name) for draw in draws]
        return [round(float(q), 3) for q in np.nanquantile(redrawn, (0.025, 0.975))]

    def whole(of: Callable[[Floats, str], float], name: str) -> dict[str, Any]:
        value = of(counts[name].sum(axis=0), name)
        return {"value": round(float(value), 3), "interval": interval(of, name)}

    sooner = {}
    for name in POLICIES[1:]:
        apart = [
            _back(counts["no_lot"][d].sum(axis=0), "") - _back(counts[name][d].sum(axis=0), "")
            for d in draws
        ]
        sooner[name] = [round(float(q), 1) for q in np.nanquantile(apart, (0.025, 0.5, 0.975))]
    return {
        "share of the best, before the change": {n: whole(_before, n) for n in POLICIES},
        "share of the best, lowest after it": {n: whole(_lowest, n) for n in POLICIES},
        "share of the best, weeks 1 to 12 after it": {n: whole(_first_weeks, n) for n in POLICIES},
        "weeks until 80 % of the loss is back": {n: whole(_back, n) for n in POLICIES},
        "sooner than no lot by weeks: low, median, high": sooner,
    }


def _counts(lives: list[PolicyFigures]) -> Floats:
    """Hits and best possible hits: worlds, weeks, two."""
    return np.array(
        [[(week.hits.value or 0.0, week.best or 0.0) for week in life.weeks] for life in lives]
    )


def _before(counts: Floats, _: str) -> float:
    found, best = counts[CHANGE_WEEK - BEFORE_WEEKS : CHANGE_WEEK].sum(axis=0)
    return float(found / best)


def _first_weeks(counts: Floats, _: str) -> float:
    found, best = counts[CHANGE_WEEK : CHANGE_WEEK + 12].sum(axis=0)
    return float(found / best)


def _lowest(counts: Floats, _: str) -> float:
    return float(_smoothed(counts)[CHANGE_WEEK:].min())


def _back(counts: Floats, _: str) -> float:
    """Weeks from the change until the share is back at all but a fifth of what was lost."""
    after = _smoothed(counts)[CHANGE_WEEK:]
    before, lowest = _before(counts, ""), int(after.argmin())
    wanted = before - 0.2 * (before - after[lowest])
    back = np.flatnonzero(after[lowest:] >= wanted)
    return float(lowest + back[0] + 1) if len(back) else float(len(after))


def _smoothed(counts: Floats) -> Floats:
    """The share of the best over the last weeks, at each week."""
    window = np.ones(SMOOTHED_WEEKS)
    found, best = (np.convolve(counts[:, at], window)[: len(counts)] for at in (0, 1))
    return np.asarray(found / best)


def _hits(life: PolicyFigures) -> float:
    assert life.hits.value is not None
    return life.hits.value


def _last_share(life: PolicyFigures) -> float:
    last = life.weeks[-LAST_WEEKS:]
    return sum(week.hits.value or 0.0 for week in last) / sum(week.best or 0.0 for week in last)


def _late(life: PolicyFigures) -> tuple[float | None, int | None]:
    """The share found of the late typology, and the weeks until the first."""
    for each in life.typologies:
        if each.typology == LATE:
            return each.found / each.subjects, each.weeks_to_find
    return None, None


def _bias(lives: list[PolicyFigures], way: str) -> list[float]:
    return [
        b.bias for life in lives for b in life.prevalence if b.way == way and b.bias is not None
    ]


def _deviation(lives: list[PolicyFigures], way: str) -> float | None:
    told = [b.deviation for life in lives for b in life.prevalence if b.way == way]
    known = [each for each in told if each is not None]
    return round(float(np.sqrt(np.mean(np.square(known)))), 4) if known else None


def _each(lives: Lives, of: Callable[[PolicyFigures], float | None]) -> dict[str, Any]:
    return {
        name: _mean([value for life in each if (value := of(life)) is not None])
        for name, each in lives.items()
    }


def _mean(values: Any) -> dict[str, float] | None:
    """The mean over worlds with its interval."""
    numbers = np.asarray(values, dtype=np.float64)
    if len(numbers) < 2:
        return None
    wide = stats.t.ppf(0.975, len(numbers) - 1) * numbers.std(ddof=1) / np.sqrt(len(numbers))
    low, value, high = numbers.mean() - wide, numbers.mean(), numbers.mean() + wide
    return {"low": round(low, 4), "value": round(value, 4), "high": round(high, 4)}


def _draw(lives: Lives, file: Path) -> None:
    """How each policy loses and wins back its share of the best."""
    figure, axes = plt.subplots(figsize=(8, 4.4), layout="constrained")
    names = {
        "no_lot": "no lot",
        "tenth_by_lot": "a tenth, even lot",
        "tenth_by_doubt": "a tenth, lot by doubt",
    }
    for name, color in zip(POLICIES, ("#1f3d5c", "#a34a18", "#1d6b66"), strict=True):
        share = _smoothed(_counts(lives[name]).sum(axis=0))
        weeks = np.arange(1, len(share) + 1)
        axes.plot(weeks[SMOOTHED_WEEKS:], share[SMOOTHED_WEEKS:], color=color, label=names[name])
    axes.axvline(CHANGE_WEEK, color="#566474", linestyle=":")
    axes.annotate("every network changes its trade", (CHANGE_WEEK + 0.6, 0.03), color="#566474")
    axes.set(
        xlabel="week of the policy",
        ylabel=f"hits beside the best possible, {SMOOTHED_WEEKS} weeks",
        title=f"{len(lives['no_lot'])} worlds, capacity shared by all offices",
        ylim=(0, None),
    )
    axes.legend(frameon=False)
    figure.savefig(file, dpi=120)
