"""Trees and the line that calibrates them, from the windows that a split allows for it.

Without `refit`, trees grow on the fit window and the line is fitted on the calibration window. With
it, those two only decide how many trees there are; the trees then grow on both windows, and the
line is fitted on margins that each of four stretches of time gets from trees grown on the others.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from training.calibration import calibrate
from training.encoding import Encoding
from training.fit import Grown, Rows, grow, tree_count
from training.manifest import Calibration
from training.margins import Margins
from training.parameters import TrainingParameters
from training.ranking import Floats, Ints
from training.time_split import TimeSplit, Window
from training.training_set import TrainingSet

Progress = Callable[[str, int, int], None]
"""Told a step in words, how much of it is done, and how much there is."""

STRETCHES = 4


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
        if self.parameters.split.refit:
            return self._on_both_windows(tree_count(text))
        margins = self._margins(text, held_back)
        weights = self._calibration_weights(self.split.calibration.rows)
        return text, calibrate(margins, held_back.labels, weights)

    def _on_both_windows(self, trees: int) -> tuple[str, Calibration]:
        window = self.split.before_evaluation(self.data, self.parameters.split)
        rows = self.encoded(window)
        fixed = self.parameters.with_trees(trees)
        margins = np.empty(len(rows.labels))
        for stretch in np.array_split(np.arange(len(margins)), STRETCHES):
            others = np.setdiff1d(np.arange(len(margins)), stretch)
            text = self._grow(rows.only(others), None, fixed)
            margins[stretch] = self._margins(text, rows.only(stretch))
        line = calibrate(margins, rows.labels, self._calibration_weights(window.rows))
        return self._grow(rows, None, fixed, self._told("refit")), line

    def encoded(self, window: Window) -> Rows:
        """The window's rows, weighted as trees see them."""
        selection = self.parameters.selection
        weights = None
        if selection.fit == "inverse_probability":
            weights = self.data.outcomes.weights(clip=selection.fit_clip)[window.rows]
        values = self.encoding.encode_frame(self.data.frame.iloc[window.rows])
        return Rows(values, window.labels, weights)

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
        return Margins.from_text(text, self.parameters.threads).of(rows.values)

    def _told(self, step: str) -> Grown:
        return lambda done, total: self.progress(step, done, total)
