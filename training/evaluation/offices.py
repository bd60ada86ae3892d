"""The model at the capacity of the offices: each inspects as many of its own as it did.

They take them from among inspected subjects alone, so that figures describe what was chosen for
inspection and not what an office would find in its traffic.
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
    """Figures where every office takes the highest of its own labelled subjects.

    Its share is that of the subjects it inspected among all that were declared there. `everyone`
    holds all subjects of the window, `labelled` those with a label; `share` is of the latter.
    """
    offices = _offices(labelled)
    # Per office, the share of its subjects that has an outcome, conclusive or not.
    is_inspected = pd.Series(pd.notna(everyone.data.outcomes.selected_by[everyone.rows]))
    inspected = is_inspected.groupby(_offices(everyone).to_numpy()).mean()
    capacity = offices.map(inspected).to_numpy(dtype=np.float64)
    # From just above 0 for the highest of an office to 1 for its lowest; equals share a place.
    placed = (
        pd.Series(labelled.probability).groupby(offices.to_numpy()).rank(ascending=False, pct=True)
    )
    place_in_office = np.asarray(placed, dtype=np.float64)
    usage = place_in_office / capacity
    ranking = ScoreRanking.from_scores(labelled.labels, -usage, values=labelled.declared_value)
    share = float(capacity.mean())
    estimates = with_intervals(
        ranking, lambda drawn: at_capacity(drawn, share), rounds=parameters.redraws, seed=seed
    )
    return CapacityFigures(share=share, **estimates)


def _offices(window: LabelledWindow) -> "pd.Series[str]":
    return window.subjects["office_id"].astype(object).fillna(UNKNOWN).reset_index(drop=True)
