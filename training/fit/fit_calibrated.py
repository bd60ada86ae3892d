"""Trees and their calibration, fitted on the windows of a time split.

Without `refit`, trees are fitted on the fit window and calibrated on the calibration window. With
it, the final trees are fitted on both windows. If labels are few, four cross-fitted folds of time
determine the number of trees and the calibration; if they are many, the fit window and the
calibration window alone do so just as reliably.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from training.data.time_split import TimeSplit, TimeWindow
from training.data.training_set import TrainingSet
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import (
    LabelledRows,
    TreeProgress,
    cross_fit_trees,
    fit_trees,
    tree_count,
)
from training.fit.label_influence import InfluenceFigures, bound_influence, influence_figures
from training.fit.sample_weights import label_weights, weighted_rows
from training.fit.workers.worker_group import WorkerGroup
from training.model.calibration import calibrate
from training.model.encoding import Encoding
from training.model.manifest import Calibration
from training.parameters import TrainingParameters
from training.ranking import Floats, Ints

# Called with the name of a step, the amount done and the total.
Progress = Callable[[str, int, int], None]

FOLDS = 4
# Above this many labelled rows, four fits take more time than they gain in precision.
MAX_CROSS_FITTED = 100_000


@dataclass(frozen=True)
class CalibratedFit:
    """A fit of trees and their calibration to the labelled rows of `data` in `split`."""

    data: TrainingSet
    split: TimeSplit
    encoding: Encoding
    parameters: TrainingParameters
    progress: Progress
    growers: WorkerGroup | None = None
    """Workers for trees of whole windows; None is this process, which always grows folds."""
    losses: dict[int, float] = field(default_factory=dict)
    """The ranking loss by number of trees, kept during the fit: of the calibration window, or the
    mean of the folds."""

    def fit(self) -> tuple[str, Calibration]:
        """Fit trees; return the model text and its calibration. Raises TrainingError.

        Fills `losses`.
        """
        if not self.parameters.split.refit:
            return self._fit_on_the_fit_window()
        window = self.split.before_evaluation(self.data, self.parameters.split)
        rows = self.rows_of(window)
        if len(window.rows) > MAX_CROSS_FITTED:
            text, calibration = self._fit_on_the_fit_window()
            rounds = tree_count(text)
        else:
            rounds, margins = self._cross_fit(window, rows)
            calibration = self._calibration(margins, window)
        # The number of trees is fixed: no rows remain to stop early on.
        fixed = self.parameters.with_trees(rounds)
        return self._fit_trees(rows, None, fixed, self._progress_of("refit")), calibration

    def _fit_on_the_fit_window(self) -> tuple[str, Calibration]:
        fit, held_back = self.rows_of(self.split.fit), self.rows_of(self.split.calibration)
        text = self._fit_trees(fit, held_back, self.parameters, self._progress_of("fit"))
        return text, self.calibrate_on(text, self.split.calibration)

    def _cross_fit(self, window: TimeWindow, rows: LabelledRows) -> tuple[int, Floats]:
        """Return the best number of rounds, and each labelled row's out-of-fold margin."""
        folds = folds_of(window)
        fitted = cross_fit_trees(
            rows,
            places_of(folds, rows),
            self.encoding,
            self.data.inputs,
            self.parameters,
            self._progress_of("fit"),
            self.losses.__setitem__,
        )
        margins = [
            self._margins(text, fold) for text, fold in zip(fitted.texts, folds, strict=True)
        ]
        return fitted.rounds, np.concatenate(margins)

    def calibrate_on(self, text: str, window: TimeWindow) -> Calibration:
        """Return the calibration of trees to the labels of a window that they have not learnt."""
        return self._calibration(self._margins(text, window.rows), window)

    def _calibration(self, margins: Floats, window: TimeWindow) -> Calibration:
        return calibrate(margins, window.labels, self._calibration_weights(window.rows))

    def rows_of(self, window: TimeWindow) -> LabelledRows:
        """Return the rows of a window that trees are fitted on, encoded and weighted."""
        weighted = weighted_rows(window, self.data, self.parameters.selection)
        values = EncodedRows(self._columns, weighted.rows)
        return LabelledRows(values, weighted.targets, weighted.weights)

    @cached_property
    def _columns(self) -> list[Floats]:
        return self.encoding.encode_columns(self.data.frame)

    def influence(self) -> tuple[InfluenceFigures, ...]:
        """Return the authors and offices with the most weight among the labels of the fit."""
        rows = self.split.before_evaluation(self.data, self.parameters.split).rows
        before = label_weights(rows, self.data, self.parameters.selection)
        weights = bound_influence(before, self.data, rows, self.parameters.selection)
        return influence_figures(before, weights, self.data, rows, self.parameters.selection)

    def _calibration_weights(self, rows: Ints) -> Floats | None:
        selection = self.parameters.selection
        if selection.calibration == "equal":
            return None
        return self.data.outcomes.weights(clip=selection.calibration_clip)[rows]

    def _fit_trees(
        self,
        rows: LabelledRows,
        held_back: LabelledRows | None,
        parameters: TrainingParameters,
        on_tree: TreeProgress,
    ) -> str:
        on_loss = self.losses.__setitem__ if held_back else None
        if self.growers:
            return self.growers.grow(
                self.data, rows, held_back, self.encoding, parameters, on_tree, on_loss
            )
        return fit_trees(
            rows, held_back, self.encoding, self.data.inputs, parameters, on_tree, on_loss
        )

    def _margins(self, text: str, rows: Ints) -> Floats:
        values = EncodedRows(self._columns, rows)
        return Margins.from_text(text, self.parameters.threads).predict_all(values)

    def _progress_of(self, step: str) -> TreeProgress:
        return lambda done, total: self.progress(step, done, total)


def folds_of(window: TimeWindow) -> list[Ints]:
    """Return the labelled rows of a window in contiguous parts of equal size.

    Neighbours in time resemble each other, and would leak between folds drawn at random.
    """
    return np.array_split(window.rows, FOLDS)


def places_of(folds: list[Ints], rows: LabelledRows) -> list[Ints]:
    """Return the indices into `rows` of each fold; unlabelled ones within its span belong to it."""
    places = rows.values.places
    return [np.flatnonzero((places >= fold[0]) & (places <= fold[-1])) for fold in folds]
