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

MAX_FIT_ROWS = 50_000
MAX_EVALUATION_ROWS = 20_000
# Rows of the overall share in each cell before any row is counted, against chance in small cells.
PRIOR_ROWS = 2.0


@dataclass(frozen=True)
class Sample:
    """Labelled rows to fill tables from, followed by rows to evaluate them on.

    `rows` are their indices in the training set.
    """

    frame: pd.DataFrame
    labels: Floats
    fit_count: int
    rows: Ints

    @classmethod
    def from_split(cls, data: TrainingSet, split: TimeSplit, parameters: SplitParameters) -> Self:
        """Return the latest rows of the final fit, and the first of the evaluation window.

        With `refit` the trees see the calibration window too, so tables may use it as well.
        """
        fit = split.of_final_trees(data, parameters).rows[-MAX_FIT_ROWS:]
        evaluated = split.evaluation.rows[:MAX_EVALUATION_ROWS]
        rows: Ints = np.concatenate([fit, evaluated])
        return cls(data.frame.iloc[rows], data.outcomes.label[rows], len(fit), rows)

    @property
    def evaluation_labels(self) -> Floats:
        """Labels of the rows that tables are evaluated on."""
        return self.labels[self.fit_count :]

    @property
    def evaluated(self) -> Ints:
        """Indices of the rows that tables are evaluated on."""
        return self.rows[self.fit_count :]


@dataclass(frozen=True)
class TargetLookup:
    """A table's answers on the evaluation rows.

    `is_seen` marks those whose cell a fit row filled; `rows_per_cell` is the mean number of fit
    rows per cell: near 1, the table knows subjects rather than risks.
    """

    scores: Floats
    is_seen: Bools
    rows_per_cell: float

    @classmethod
    def fitted(cls, cells: Ints, sample: Sample) -> Self:
        """Fill a table and look up the evaluation rows; `cells` has a number for each row."""
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
        """Return the ROC-AUC of the table's answers."""
        return roc_auc(ScoreRanking.from_scores(sample.evaluation_labels, self.scores))
