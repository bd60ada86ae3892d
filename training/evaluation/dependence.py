"""Dependence plots: the contribution of a feature at each of its values."""

import numpy as np
import shap
from matplotlib.figure import Figure

from training.evaluation.explained import ExplainedSample
from training.evaluation.plot_style import INK, blank

SHOWN = 4


def dependence(explained: ExplainedSample) -> Figure | None:
    """Plot the numeric features that move scores most, one panel for each; None if there are none.

    Subjects without a value stand at the left edge. Categories are left out: they have no order.
    """
    numeric = dict(zip(explained.names, np.logical_not(explained.is_categorical), strict=True))
    shown = [e.feature for e in explained.importance if numeric[e.feature]][:SHOWN]
    shown = [name for name in shown if _has_values(explained, name)]
    if not shown:
        return None
    explanation = shap.Explanation(
        values=explained.contributions, data=explained.rows, feature_names=list(explained.names)
    )
    figure = blank(3.2 * len(shown), 3.2)
    for place, name in enumerate(shown, start=1):
        axes = figure.add_subplot(1, len(shown), place)
        # Without jitter nothing is drawn at random.
        shap.plots.scatter(
            explanation[:, name], color=INK, x_jitter=0, dot_size=8, ax=axes, show=False
        )
        axes.set_xlabel(name, fontsize=8)
        axes.set_ylabel("contribution (log-odds)" if place == 1 else "", fontsize=8)
        axes.tick_params(labelsize=7)
    figure.suptitle("Contributions by value; without a value at the left edge", fontsize=11)
    return figure


def _has_values(explained: ExplainedSample, name: str) -> bool:
    return bool(np.isfinite(explained.rows[:, explained.names.index(name)]).any())
