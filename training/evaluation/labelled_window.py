"""Subjects of a window with their labels and a model's probabilities."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.data.training_set import TrainingSet
from training.outcomes import Bools
from training.ranking import Floats, Ints, ScoreRanking


@dataclass(frozen=True)
class LabelledWindow:
    """Subjects of a window, with or without a label; `rows` are indices into `data`.

    `probability` is parallel to `rows`.
    """

    data: TrainingSet
    rows: Ints
    probability: Floats

    @property
    def labels(self) -> Floats:
        """1 if confirmed, 0 if not; NaN without a label."""
        return self.data.outcomes.label[self.rows]

    @property
    def subjects(self) -> pd.DataFrame:
        """Attributes of the subjects, for grouping."""
        return self.data.subjects.iloc[self.rows]

    @property
    def in_random_lane(self) -> Bools:
        """Mask of the rows that were inspected at random."""
        return self.data.outcomes.in_random_lane[self.rows]

    @property
    def declared_value(self) -> Floats:
        """Declared values in euros; 0 if unknown."""
        value = self.subjects["declared_value_eur"].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.nan_to_num(value)

    def only(self, mask: Bools) -> "LabelledWindow":
        """Return the rows selected by a mask."""
        return LabelledWindow(self.data, self.rows[mask], self.probability[mask])

    def ranking(self) -> ScoreRanking:
        """Rank the subjects by probability, each with weight 1."""
        return ScoreRanking.from_scores(self.labels, self.probability, values=self.declared_value)
