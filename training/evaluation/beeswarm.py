"""Beeswarm plot: one dot per sampled subject and feature, coloured by the feature's value."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import shap
from matplotlib.figure import Figure

from training.evaluation.explained import ExplainedSample

SHOWN = 20


def beeswarm(explained: ExplainedSample, figure: Figure) -> None:
    """Draw into an empty figure, with the most important features on top.

    Codes of categories have no order, so their dots are grey like missing values.
    """
    values = np.where(np.array(explained.is_categorical), np.nan, explained.rows)
    explanation = shap.Explanation(
        values=explained.contributions, data=values, feature_names=list(explained.names)
    )
    axes = figure.add_subplot()
    with _fixed_random_state():
        shap.plots.beeswarm(
            explanation,
            max_display=SHOWN,
            ax=axes,
            show=False,
            plot_size=None,
            s=8,
            group_remaining_features=False,
        )
    axes.set_xlabel("contribution to the score (log-odds)", fontsize=9)
    axes.tick_params(labelsize=8)


@contextmanager
def _fixed_random_state() -> Iterator[None]:
    """Make `shap` reproducible while the block runs, and hide its warnings.

    It uses numpy's global random state, and computes the spread of empty columns.
    """
    former = np.random.get_state()  # noqa: NPY002  shap draws from the global state
    np.random.seed(0)  # noqa: NPY002  likewise
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)
            yield
    finally:
        np.random.set_state(former)  # noqa: NPY002  likewise
