"""The model at each office's capacity: every office inspects as many of its own as it did.

Offices choose among inspected subjects only. The figures describe that selection, not what an
office would find in all its traffic.
"""

import numpy as np
import pandas as pd

from training.confidence_intervals import with_intervals
from training.evaluation.evaluation_report import CapacityFigures
from training.evaluation.labelled_window import LabelledWindow
from training.parameters import EvaluationParameters
from training.ranking import ScoreRanking, at_capacity

UNKNOWN = "(unknown)"


def at_office_capacity(
    everyone: LabelledWindow, labelled: LabelledWindow, parameters: EvaluationParameters, seed: int
) -> CapacityFigures:
    """Return figures if each office takes its own highest labelled subjects.

    An office's share is the subjects it inspected among all declared there. `everyone` holds all
    subjects of the window, `labelled` those with a label; `share` is of the latter.
    """
    offices = _offices(labelled)
    # Per office, the share of subjects with an outcome, conclusive or not.
    is_inspected = pd.Series(pd.notna(everyone.data.outcomes.selected_by[everyone.rows]))
    inspected = is_inspected.groupby(_offices(everyone).to_numpy()).mean()
    capacity = offices.map(inspected).to_numpy(dtype=np.float64)
    # Rank within the office, from above 0 (highest) to 1 (lowest); ties get the mean rank.
    placed = (
        pd.Series(labelled.probability).groupby(offices.to_numpy()).rank(ascending=False, pct=True)
    )
    place_in_office = np.asarray(placed, dtype=np.float64)
    # At most 1 within the office's capacity, so one ranking serves offices of different sizes.
    usage = place_in_office / capacity
    ranking = ScoreRanking.from_scores(labelled.labels, -usage, values=labelled.declared_value)
    share = float(capacity.mean())
    estimates = with_intervals(
        ranking, lambda drawn: at_capacity(drawn, share), rounds=parameters.redraws, seed=seed
    )
    return CapacityFigures(share=share, **estimates)


def _offices(window: LabelledWindow) -> "pd.Series[str]":
    return window.subjects["office_id"].astype(object).fillna(UNKNOWN).reset_index(drop=True)
