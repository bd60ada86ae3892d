"""Pictures of the report, drawn without a display. Plots of figures cover all traffic."""

from collections.abc import Iterable

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.confidence_intervals import Estimate
from training.evaluation.beeswarm import beeswarm
from training.evaluation.dependence import dependence
from training.evaluation.evaluation_report import EvaluationReport, PopulationSection
from training.evaluation.explained import ExplainedSample
from training.evaluation.plot_style import INK, PALE, WARM, blank, frame_plot

MAX_FEATURES = 25
Point = tuple[float, Estimate]


def evaluation_pictures(
    report: EvaluationReport, explained: ExplainedSample | None = None
) -> dict[str, Figure]:
    """Return the pictures by name; none of all traffic if its figures are unknown.

    Without a sample of contributions there is no `beeswarm` and no `dependence`.
    """
    figures = {}
    population = report.population
    if population is not None and population.figures.refusal is None:
        figures["reliability"] = reliability_chart(population)
        figures["at_capacity"] = capacity_chart(population)
        figures["lift"] = lift_chart(population)
    if report.importance:
        figures["importance"] = importance(report)
    if explained is not None:
        figures["beeswarm"] = blank(7.4, 6.4)
        beeswarm(explained, figures["beeswarm"])
        figures["beeswarm"].axes[0].set_title("What moves scores, subject by subject")
        if (by_value := dependence(explained)) is not None:
            figures["dependence"] = by_value
    return figures


def reliability_chart(population: PopulationSection) -> Figure:
    """Plot predicted against estimated shares confirmed, in bands of all traffic."""
    figure, axes = frame_plot(5.6, 4.6)
    points = [(band.mean_probability, band.share) for band in population.bands]
    # Unknown shares have no place on the axes, but keep their band in the report.
    known = [(promised, share.value) for promised, share in points if share.value is not None]
    _marked(axes, points, INK, "bands of all traffic")
    least = min((promised for promised, _ in known), default=0.01)
    top = min(1.0, 1.6 * max((max(pair) for pair in known), default=1.0))
    axes.plot([0, top], [0, top], ":", color=PALE, linewidth=1.2, label="as promised")
    # Most probabilities lie near 0 and the interesting ones far above. A symmetric log axis shows
    # both; it is linear below the smallest probability, since 0 has no logarithm.
    axes.set_xscale("symlog", linthresh=max(least, 1e-4))
    axes.set_yscale("symlog", linthresh=max(least, 1e-4))
    axes.set(
        xlabel="mean probability that the model gave",
        ylabel="share that would be confirmed, 95 % interval",
        xlim=(0, top),
        ylim=(0, 1),
    )
    axes.set_title(f"Reliability, {_of_whom(population)}", fontsize=11)
    axes.legend(frameon=False, fontsize=8)
    return figure


def capacity_chart(population: PopulationSection) -> Figure:
    """Plot precision and recall at each share of all traffic, with the status quo."""
    figure = blank(9.6, 4.6)
    for place, name in enumerate(("precision", "recall"), start=1):
        axes = figure.add_subplot(1, 2, place)
        axes.spines[["top", "right"]].set_visible(False)
        _by_share(axes, population, name)
        axes.set_ylim(bottom=0)
    prevalence = population.figures.prevalence.value
    if prevalence is not None:
        figure.axes[0].axhline(prevalence, color=PALE, linestyle="--", label="drawn at random")
    # The recall of random draws equals the share inspected; the axis is in per cent.
    figure.axes[1].axline((0, 0), slope=0.01, color=PALE, linestyle="--", label="drawn at random")
    for axes in figure.axes:
        axes.legend(frameon=False, fontsize=8)
    figure.suptitle(f"What inspecting finds, {_of_whom(population)}", fontsize=11)
    return figure


def lift_chart(population: PopulationSection) -> Figure:
    """Plot the lift over random draws at each share of all traffic."""
    figure, axes = frame_plot(5.6, 4.6)
    _by_share(axes, population, "lift")
    axes.axhline(1, color=PALE, linestyle="--", label="drawn at random")
    axes.set_title(f"Lift, {_of_whom(population)}", fontsize=11)
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, fontsize=8)
    return figure


def _by_share(axes: Axes, population: PopulationSection, name: str) -> None:
    by_model = [(100 * at.share, getattr(at, name)) for at in population.figures.at_share]
    was = population.status_quo
    if was is not None:
        by_model.append((100 * was.share, getattr(was, f"model_{name}")))
    _marked(axes, sorted(by_model, key=lambda point: point[0]), INK, "by the model's order")
    if was is not None:
        _marked(
            # Moved aside a little: it has the same share as a point of the model.
            axes,
            [(100 * was.share + 0.15, getattr(was, name))],
            WARM,
            "status quo, as was inspected",
            marker="D",
        )
    axes.set(xlabel="% of all traffic inspected", ylabel=f"{name}, 95 % interval")
    axes.set_xlim(0, 1.1 * max(x for x, _ in by_model))


def _marked(
    axes: Axes, points: Iterable[Point], colour: str, label: str, marker: str = "o"
) -> None:
    """Plot points with their intervals; unknown ones are left out."""
    known = [
        # Never negative, which matplotlib rejects and rounding could produce.
        (x, e.value, max(0.0, e.value - e.low), max(0.0, e.high - e.value))
        for x, e in points
        if e.value is not None and e.low is not None and e.high is not None
    ]
    if known:
        x, y, below, above = (list(column) for column in zip(*known, strict=True))
        axes.errorbar(x, y, [below, above], fmt=marker, capsize=3, color=colour, label=label)


def _of_whom(population: PopulationSection) -> str:
    return f"all traffic from {population.begins:%Y-%m-%d} until before {population.ends:%Y-%m-%d}"


def importance(report: EvaluationReport) -> Figure:
    """Plot the features that move scores most."""
    # Reversed, because barh draws from the bottom up.
    shown = report.importance[:MAX_FEATURES][::-1]
    figure, axes = frame_plot(6.4, 1.2 + 0.24 * len(shown))
    axes.barh(
        [entry.feature for entry in shown],
        [entry.mean_absolute_contribution for entry in shown],
        color=INK,
        height=0.7,
    )
    axes.set(xlabel="mean |contribution| (log-odds)", title="What moves scores")
    axes.tick_params(axis="y", labelsize=8)
    return figure
