"""The pictures of a backtest, drawn without a screen."""

from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.backtest.policy_figures import PolicyFigures
from training.evaluation.plot_style import GREEN, INK, PALE, WARM, framed
from training.ranking import Floats

COLOURS = (INK, WARM, GREEN, "#8a6d3b", "#6b5b95")
SMOOTHED_WEEKS = 8


def pictures(policies: tuple[PolicyFigures, ...]) -> dict[str, Figure]:
    """Every picture by name."""
    return {"hits": hits(policies), "precision": precision(policies)}


def hits(policies: tuple[PolicyFigures, ...]) -> Figure:
    """All that was found, as it grows; dotted, what the true probabilities would have led to."""
    figure, axes = _by_week()
    for policy, colour in zip(policies, cycle(COLOURS), strict=False):
        found = np.cumsum([week.hits for week in policy.weeks])
        axes.plot([week.week for week in policy.weeks], found, color=colour, label=policy.name)
    best = [week.best for week in policies[0].weeks]
    if None not in best:
        axes.plot(
            [week.week for week in policies[0].weeks],
            np.cumsum(np.array(best, dtype=np.float64)),
            ":",
            color=PALE,
            label="best possible",
        )
    axes.set(xlabel="week", ylabel="confirmed so far", title="What was found")
    axes.legend(frameon=False, fontsize=8)
    return figure


def precision(policies: tuple[PolicyFigures, ...]) -> Figure:
    """The share of inspections that find something, over the last weeks."""
    figure, axes = _by_week()
    for policy, colour in zip(policies, cycle(COLOURS), strict=False):
        found = _over_last([week.hits for week in policy.weeks])
        inspected = _over_last([week.stands_for for week in policy.weeks])
        share = np.divide(found, inspected, out=np.zeros_like(found), where=inspected > 0)
        axes.plot([week.week for week in policy.weeks], share, color=colour, label=policy.name)
    axes.set(
        xlabel="week",
        ylabel=f"precision over the last {SMOOTHED_WEEKS} weeks",
        title="How rightly it inspects",
        ylim=(0, None),
    )
    axes.legend(frameon=False, fontsize=8)
    return figure


def _by_week() -> tuple[Figure, Axes]:
    figure, axes = framed(6.4, 4.2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes


def _over_last(values: list[float] | list[int]) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(np.array(values, dtype=np.float64))])
    last = np.arange(1, len(sums))
    first = np.maximum(last - SMOOTHED_WEEKS, 0)
    return np.asarray(sums[last] - sums[first])
