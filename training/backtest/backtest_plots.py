"""Pictures of a backtest, drawn without a display."""

from collections.abc import Iterable
from itertools import cycle

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.backtest.policy_figures import RECENT_WEEKS, PolicyFigures
from training.confidence_intervals import Estimate
from training.evaluation.plot_style import GREEN, INK, PALE, WARM, frame_plot
from training.ranking import Floats

COLOURS = (INK, WARM, GREEN, "#8a6d3b", "#6b5b95")
STATUS_QUO = "as it was, without a policy"


def backtest_pictures(policies: tuple[PolicyFigures, ...]) -> dict[str, Figure]:
    """Return every picture by name."""
    return {"hits": hits(policies), "precision": precision(policies)}


def hits(policies: tuple[PolicyFigures, ...]) -> Figure:
    """Plot cumulative hits, next to those of actual inspections.

    Bands are 95 % intervals; the dotted line is the best possible by true probabilities.
    """
    figure, axes = _by_week()
    for policy, colour in zip(policies, cycle(COLOURS), strict=False):
        _curve(axes, (week.hits_so_far for week in policy.weeks), policy.name, colour)
    weeks = policies[0].weeks[: policies[0].weeks_counted]
    numbers = [week.week for week in weeks]
    made = np.cumsum([week.hits_of_inspections_made for week in weeks])
    axes.plot(numbers, made, "--", color=PALE, label=STATUS_QUO)
    best = [week.best for week in weeks]
    # Only a synthetic world knows the best possible.
    if None not in best:
        so_far = np.cumsum(np.array(best, dtype=np.float64))
        axes.plot(numbers, so_far, ":", color=PALE, label="best possible")
    title = "What was found" + _of_whom(policies[0])
    axes.set(xlabel="week", ylabel="confirmed so far", title=title, ylim=(0, None))
    axes.legend(frameon=False, fontsize=8)
    return figure


def precision(policies: tuple[PolicyFigures, ...]) -> Figure:
    """Plot the share of inspections with a finding over recent weeks, next to the status quo."""
    figure, axes = _by_week()
    for policy, colour in zip(policies, cycle(COLOURS), strict=False):
        _curve(axes, (week.precision_56d for week in policy.weeks), policy.name, colour)
    weeks = policies[0].weeks[: policies[0].weeks_counted]
    found = _over_last([week.hits_of_inspections_made for week in weeks])
    results = _over_last([week.results_of_inspections_made for week in weeks])
    made = np.divide(found, results, out=np.full_like(found, np.nan), where=results > 0)
    axes.plot([week.week for week in weeks], made, "--", color=PALE, label=STATUS_QUO)
    axes.set(
        xlabel="week",
        ylabel=f"precision over the last {RECENT_WEEKS} weeks",
        title="How rightly it inspects" + _of_whom(policies[0]),
        ylim=(0, None),
    )
    axes.legend(frameon=False, fontsize=8)
    return figure


def _curve(axes: Axes, estimates: Iterable[Estimate], name: str, colour: str) -> None:
    """Plot a figure week by week with its intervals; unknown weeks stay blank."""
    curve = np.array([(e.value, e.low, e.high) for e in estimates], dtype=np.float64)
    weeks: Floats = np.arange(1, len(curve) + 1, dtype=np.float64)
    is_unknown = np.isnan(curve[:, 0])
    label = f"{name} (too little is known)" if is_unknown.all() else name
    axes.plot(weeks, curve[:, 0], color=colour, label=label)
    axes.fill_between(weeks, curve[:, 1], curve[:, 2], color=colour, alpha=0.15, linewidth=0)


def _over_last(values: list[float] | list[int]) -> Floats:
    sums = np.concatenate([[0.0], np.cumsum(np.array(values, dtype=np.float64))])
    last = np.arange(1, len(sums))
    return np.asarray(sums[last] - sums[np.maximum(last - RECENT_WEEKS, 0)])


def _of_whom(policy: PolicyFigures) -> str:
    of = f", of {policy.subjects:,} subjects"
    return of if policy.evidence is None else f"{of}: estimates, 95 % bands"


def _by_week() -> tuple[Figure, Axes]:
    figure, axes = frame_plot(6.4, 4.2)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    return figure, axes
