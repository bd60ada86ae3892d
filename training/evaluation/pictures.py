"""The report's pictures, drawn without a screen."""

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from training.evaluation.report import Figures, Report

INK = "#1b3a4b"
WARM = "#c8553d"
PALE = "#9aa7b0"
MOST_FEATURES = 25


def pictures(report: Report) -> dict[str, Figure]:
    """Every picture by name: `reliability`, `at_capacity`, `importance`."""
    drawn = {
        "reliability": reliability(report),
        "at_capacity": at_capacity(report),
    }
    if report.importance:
        drawn["importance"] = importance(report)
    return drawn


def reliability(report: Report) -> Figure:
    """What was promised against what came, in bins of equally many subjects."""
    figure, axes = _empty(5.0, 4.6)
    highest = 0.0
    for label, figures, colour in _sets(report):
        x = [b.probability for b in figures.reliability]
        y = [b.confirmed_share for b in figures.reliability]
        highest = max(highest, *x, *y)
        axes.plot(x, y, "o-", color=colour, markersize=4, linewidth=1.2, label=label)
    top = min(1.0, highest * 1.05) or 1.0
    axes.plot([0, top], [0, top], ":", color=INK, linewidth=1, label="perfectly calibrated")
    axes.set(xlabel="probability", ylabel="share confirmed", title="Reliability")
    axes.legend(frameon=False, fontsize=8)
    return figure


def at_capacity(report: Report) -> Figure:
    """Precision and recall at every share that can be inspected, with intervals."""
    figure, axes = _empty(5.6, 4.6)
    at = report.inspected.at_capacity
    shares = [100 * figure.share for figure in at]
    for name, colour in (("precision", WARM), ("recall", INK)):
        estimates = [getattr(figure, name) for figure in at]
        values = [e.value or 0.0 for e in estimates]
        low = [v - (v if e.low is None else e.low) for v, e in zip(values, estimates, strict=True)]
        high = [
            (v if e.high is None else e.high) - v for v, e in zip(values, estimates, strict=True)
        ]
        spread = [[max(0.0, x) for x in low], [max(0.0, x) for x in high]]
        axes.errorbar(shares, values, spread, fmt="o-", capsize=3, color=colour, label=name)
    axes.axhline(
        report.inspected.prevalence.value or 0, color=PALE, linestyle="--", label="drawn by lot"
    )
    axes.set(
        xlabel="% inspected", ylabel="share", title="At capacity (all inspected)", ylim=(0, 1.03)
    )
    axes.legend(frameon=False, fontsize=8)
    return figure


def importance(report: Report) -> Figure:
    """The features that move scores most."""
    shown = report.importance[:MOST_FEATURES][::-1]
    figure, axes = _empty(6.4, 1.2 + 0.24 * len(shown))
    axes.barh(
        [entry.feature for entry in shown],
        [entry.mean_absolute_contribution for entry in shown],
        color=INK,
        height=0.7,
    )
    axes.set(xlabel="mean |contribution| (log-odds)", title="What moves scores")
    axes.tick_params(axis="y", labelsize=8)
    return figure


def _sets(report: Report) -> list[tuple[str, Figures, str]]:
    sets = [
        ("all inspected", report.inspected, PALE),
        ("weighted to the population", report.weighted, INK),
    ]
    if report.random_lane is not None:
        sets.append(("random lane", report.random_lane, WARM))
    return sets


def _empty(width: float, height: float):  # type: ignore[no-untyped-def]
    figure = Figure(figsize=(width, height), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
