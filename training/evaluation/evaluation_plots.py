"""The report's pictures, drawn without a screen."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.evaluation.beeswarm import beeswarm
from training.evaluation.evaluation_report import EvaluationReport, Figures
from training.evaluation.explained import ExplainedSample
from training.evaluation.plot_style import GREEN, INK, PALE, WARM, blank, framed

MOST_FEATURES = 25


def pictures(
    report: EvaluationReport, explained: ExplainedSample | None = None
) -> dict[str, Figure]:
    """Every picture by name; without a sample of contributions, no `beeswarm`."""
    figures = {
        "reliability": reliability(report),
        "at_capacity": at_capacity(report),
        "lift": lift(report),
    }
    if report.importance:
        figures["importance"] = importance(report)
    if explained is not None:
        figures["beeswarm"] = blank(7.4, 6.4)
        beeswarm(explained, figures["beeswarm"])
        figures["beeswarm"].axes[0].set_title("What moves scores, subject by subject")
    return figures


def reliability(report: EvaluationReport) -> Figure:
    """What was promised against what came, in bins of equally many subjects."""
    figure, axes = framed(5.0, 4.6)
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


def at_capacity(report: EvaluationReport) -> Figure:
    """Precision, recall and value captured at every share that can be inspected."""
    figure, axes = framed(5.6, 4.6)
    for place, (name, colour) in enumerate(
        (("precision", WARM), ("recall", INK), ("value_captured", GREEN))
    ):
        _curve(axes, report.inspected, name, colour, name.replace("_", " "), place)
    axes.axhline(
        report.inspected.prevalence.value or 0, color=PALE, linestyle="--", label="drawn by lot"
    )
    axes.set(
        xlabel="% inspected", ylabel="share", title="At capacity (all inspected)", ylim=(0, 1.03)
    )
    axes.legend(frameon=False, fontsize=8)
    return figure


def lift(report: EvaluationReport) -> Figure:
    """How many times as many as at random, for all inspected and for each other way of counting."""
    figure, axes = framed(5.6, 4.6)
    for place, (label, figures, colour) in enumerate(_sets(report)):
        _curve(axes, figures, "lift", colour, label, place)
    highest = max(at.lift.value or 1 for _, drawn, _ in _sets(report) for at in drawn.at_capacity)
    axes.axhline(1, color=PALE, linestyle="--", label="drawn by lot")
    axes.set(xlabel="% inspected", ylabel="lift", title="Lift over the lot")
    axes.set_ylim(0, 2 * highest)  # an interval may reach far beyond
    axes.legend(frameon=False, fontsize=8)
    return figure


def _curve(axes: Axes, figures: Figures, name: str, colour: str, label: str, place: int) -> None:
    """One figure at every share, its intervals beside those of earlier curves; none if unknown."""
    estimates = [getattr(at, name) for at in figures.at_capacity]
    if all(estimate.value is None for estimate in estimates):
        return
    shares = [100 * at.share + 0.1 * place for at in figures.at_capacity]
    values = [e.value or 0.0 for e in estimates]
    low = [v - (v if e.low is None else e.low) for v, e in zip(values, estimates, strict=True)]
    high = [(v if e.high is None else e.high) - v for v, e in zip(values, estimates, strict=True)]
    spread = [[max(0.0, x) for x in low], [max(0.0, x) for x in high]]
    axes.errorbar(shares, values, spread, fmt="o-", capsize=3, color=colour, label=label)


def importance(report: EvaluationReport) -> Figure:
    """The features that move scores most."""
    shown = report.importance[:MOST_FEATURES][::-1]
    figure, axes = framed(6.4, 1.2 + 0.24 * len(shown))
    axes.barh(
        [entry.feature for entry in shown],
        [entry.mean_absolute_contribution for entry in shown],
        color=INK,
        height=0.7,
    )
    axes.set(xlabel="mean |contribution| (log-odds)", title="What moves scores")
    axes.tick_params(axis="y", labelsize=8)
    return figure


def _sets(report: EvaluationReport) -> list[tuple[str, Figures, str]]:
    return [("all inspected", report.inspected, INK)]
