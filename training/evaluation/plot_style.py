"""The style of plots, drawn without a display."""

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

INK = "#1b3a4b"
WARM = "#c8553d"
PALE = "#9aa7b0"
GREEN = "#5b8a5a"


def blank(width: float, height: float) -> Figure:
    """Return an empty figure of this size in inches."""
    # Not pyplot, which keeps global state and may need a display.
    figure = Figure(figsize=(width, height), layout="constrained", dpi=110)
    FigureCanvasAgg(figure)
    return figure


def frame_plot(width: float, height: float) -> tuple[Figure, Axes]:
    """Return a figure with one pair of axes, without top and right borders."""
    figure = blank(width, height)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes
