"""Subjects of one window with their labels and the probabilities of a model."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.data.training_set import TrainingSet
from training.outcomes import Bools
from training.ranking import Floats, Ints, ScoreRanking


@dataclass(frozen=True)
class LabelledWindow:
    """Subjects of a window, labelled or not; `rows` are positions in `data`.

    `probability` is parallel to `rows`.
    """

    data: TrainingSet
    rows: Ints
    probability: Floats

    @property
    def labels(self) -> Floats:
        """1 confirmed, 0 not; NaN for rows without a label."""
        return self.data.outcomes.label[self.rows]

    @property
    def subjects(self) -> pd.DataFrame:
        """Return what the subjects are, for grouping."""
        return self.data.subjects.iloc[self.rows]

    @property
    def in_random_lane(self) -> Bools:
        """Return which of the rows were inspected at random."""
        return self.data.outcomes.in_random_lane[self.rows]

    @property
    def declared_value(self) -> Floats:
        """Return what was declared, in euros; 0 where unknown."""
        value = self.subjects["declared_value_eur"].to_numpy(dtype=np.float64, na_value=np.nan)
        return np.nan_to_num(value)

    def only(self, mask: Bools) -> "LabelledWindow":
        """The rows where `mask` holds."""
        return LabelledWindow(self.data, self.rows[mask], self.probability[mask])

    def ranking(self) -> ScoreRanking:
        """The subjects ranked, each counted once."""
        return ScoreRanking.from_scores(self.labels, self.probability, values=self.declared_value)
