"""A table from values to the share confirmed, as a baseline without a model."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pandas as pd

from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.outcomes import Bools
from training.parameters import SplitParameters
from training.ranking import Floats, Ints, ScoreRanking, roc_auc

MOST_FIT_ROWS = 50_000
MOST_EVALUATION_ROWS = 20_000
# How many rows of the overall share stand in each cell before any row is counted.
PRIOR_ROWS = 2.0


@dataclass(frozen=True)
class Sample:
    """Labelled rows to fill tables from, then rows to evaluate them on, end to end.

    `rows` are their positions in the training set.
    """

    frame: pd.DataFrame
    labels: Floats
    fit_count: int
    rows: Ints

    @classmethod
    def from_split(cls, data: TrainingSet, split: TimeSplit, parameters: SplitParameters) -> Self:
        """The latest rows that the final trees are fitted on, the first of the evaluation window's.

        With `refit` the trees see the calibration window too, so a table may know it as well.
        """
        fit = split.of_final_trees(data, parameters).rows[-MOST_FIT_ROWS:]
        evaluated = split.evaluation.rows[:MOST_EVALUATION_ROWS]
        rows: Ints = np.concatenate([fit, evaluated])
        return cls(data.frame.iloc[rows], data.outcomes.label[rows], len(fit), rows)

    @property
    def evaluation_labels(self) -> Floats:
        """Labels of the rows that tables are evaluated on."""
        return self.labels[self.fit_count :]

    @property
    def evaluated(self) -> Ints:
        """Positions of the rows that tables are evaluated on."""
        return self.rows[self.fit_count :]


@dataclass(frozen=True)
class TargetLookup:
    """A filled table's answers on the evaluation rows.

    `is_seen` tells which of them have a cell that a fit row filled; `rows_per_cell` is how many fit
    rows share a cell on average: near 1, the table knows subjects rather than risks.
    """

    scores: Floats
    is_seen: Bools
    rows_per_cell: float

    @classmethod
    def fitted(cls, cells: Ints, sample: Sample) -> Self:
        """Fill a table and look the evaluation rows up; `cells` numbers each row's cell."""
        numbers, distinct = pd.factorize(cells)
        fit, labels = numbers[: sample.fit_count], sample.labels[: sample.fit_count]
        counts = np.bincount(fit, minlength=len(distinct))
        confirmed = np.bincount(fit, weights=labels, minlength=len(distinct))
        shares = (confirmed + PRIOR_ROWS * labels.mean()) / (counts + PRIOR_ROWS)
        evaluated = numbers[sample.fit_count :]
        return cls(
            scores=shares[evaluated],
            is_seen=counts[evaluated] > 0,
            rows_per_cell=sample.fit_count / max(1, int((counts > 0).sum())),
        )

    def roc_auc(self, sample: Sample) -> float:
        """Of the table's answers as scores."""
        return roc_auc(ScoreRanking.from_scores(sample.evaluation_labels, self.scores))
