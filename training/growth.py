"""Trees and the line that calibrates them, from the windows that a split allows for it.

Without `refit`, trees grow on the fit window and the line is fitted on the calibration window. With
it, those two only decide how many trees there are, and the trees then grow on both windows. Where
labels are few, the line is fitted on margins that each of four stretches of time gets from trees
grown on the others; where they are many, the calibration window alone says it as surely.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from training.calibration import calibrate
from training.encoded_rows import EncodedRows
from training.encoding import Encoding
from training.evaluation.report import InfluenceFigures
from training.fit import Grown, Rows, grow, tree_count
from training.influence import bounded, influence_of
from training.manifest import Calibration
from training.margins import Margins
from training.parameters import TrainingParameters
from training.ranking import Floats, Ints
from training.time_split import TimeSplit, Window
from training.training_set import TrainingSet

Progress = Callable[[str, int, int], None]
"""Told a step in words, how much of it is done, and how much there is."""

STRETCHES = 4
MOST_STRETCHED = 100_000
"""Labelled rows up to which four more growths are worth their time."""


@dataclass(frozen=True)
class Growth:
    """One growing of trees, on the labelled rows of `data` that `split` names."""

    data: TrainingSet
    split: TimeSplit
    encoding: Encoding
    parameters: TrainingParameters
    progress: Progress

    def trees_and_line(self) -> tuple[str, Calibration]:
        """The model text and its calibration. Raises CalibrationError."""
        fit = self.encoded(self.split.fit)
        held_back = self.encoded(self.split.calibration)
        text = self._grow(fit, held_back, self.parameters, self._told("fit"))
        if not self.parameters.split.refit:
            return text, self._line(self._margins(text, held_back), self.split.calibration)
        window = self.split.before_evaluation(self.data, self.parameters.split)
        rows, fixed = self.encoded(window), self.parameters.with_trees(tree_count(text))
        if len(rows.labels) > MOST_STRETCHED:
            line = self._line(self._margins(text, held_back), self.split.calibration)
        else:
            line = self._line(self._by_stretch(rows, fixed), window)
        return self._grow(rows, None, fixed, self._told("refit")), line

    def _by_stretch(self, rows: Rows, parameters: TrainingParameters) -> Floats:
        """Margins of all rows, each stretch of time under trees that never saw it."""
        margins = np.empty(len(rows.labels))
        for stretch in np.array_split(np.arange(len(margins)), STRETCHES):
            others = np.setdiff1d(np.arange(len(margins)), stretch)
            text = self._grow(rows.only(others), None, parameters)
            margins[stretch] = self._margins(text, rows.only(stretch))
        return margins

    def _line(self, margins: Floats, window: Window) -> Calibration:
        return calibrate(margins, window.labels, self._calibration_weights(window.rows))

    def encoded(self, window: Window) -> Rows:
        """The window's rows, weighted as trees see them."""
        weights = self._fit_weights(window.rows)
        return Rows(EncodedRows(self._columns, window.rows), window.labels, weights)

    @cached_property
    def _columns(self) -> list[Floats]:
        return self.encoding.encode_columns(self.data.frame)

    def _fit_weights(self, rows: Ints) -> Floats | None:
        """What each row weighs; None where all weigh the same."""
        before = self._selection_weights(rows)
        weights = bounded(before, self.data, rows, self.parameters.selection)
        is_equal = self.parameters.selection.fit == "equal" and weights is before
        return None if is_equal else weights

    def influence(self) -> tuple[InfluenceFigures, ...]:
        """Who weighs most in all that is learnt from."""
        rows = self.split.before_evaluation(self.data, self.parameters.split).rows
        before = self._selection_weights(rows)
        weights = bounded(before, self.data, rows, self.parameters.selection)
        return influence_of(before, weights, self.data, rows, self.parameters.selection)

    def _selection_weights(self, rows: Ints) -> Floats:
        selection, outcomes = self.parameters.selection, self.data.outcomes
        if selection.fit == "equal":
            return np.ones(len(rows))
        if selection.fit == "case_control":
            return outcomes.case_control_weights(clip=selection.fit_clip)[rows]
        return outcomes.weights(clip=selection.fit_clip)[rows]

    def _calibration_weights(self, rows: Ints) -> Floats | None:
        selection = self.parameters.selection
        if selection.calibration == "equal":
            return None
        return self.data.outcomes.weights(clip=selection.calibration_clip)[rows]

    def _grow(
        self,
        rows: Rows,
        held_back: Rows | None,
        parameters: TrainingParameters,
        grown: Grown = lambda done, total: None,
    ) -> str:
        return grow(rows, held_back, self.encoding, self.data.inputs, parameters, grown)

    def _margins(self, text: str, rows: Rows) -> Floats:
        return Margins.from_text(text, self.parameters.threads).of_all(rows.values)

    def _told(self, step: str) -> Grown:
        return lambda done, total: self.progress(step, done, total)
