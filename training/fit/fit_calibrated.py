"""Trees and the line that calibrates them, from the windows that a split allows for it.

Without `refit`, trees grow on the fit window and the line is fitted on the calibration window. With
it, those two only decide how many trees there are, and the trees then grow on both windows. Where
labels are few, the line is fitted on margins that each of four stretches of time gets from trees
grown on the others; where they are many, the calibration window alone says it as surely.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from training.data.time_split import TimeSplit, TimeWindow
from training.data.training_set import TrainingSet
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.influence import InfluenceFigures, bounded, influence_of
from training.fit.lightgbm_trees import Grown, Rows, grow, tree_count
from training.fit.sample_weights import label_weights, taught
from training.model.calibration import calibrate
from training.model.encoding import Encoding
from training.model.manifest import Calibration
from training.parameters import TrainingParameters
from training.ranking import Floats, Ints

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
    losses: dict[int, float] = field(default_factory=dict)
    """The ranking loss on the calibration window by number of trees, told while trees grow."""

    def trees_and_line(self) -> tuple[str, Calibration]:
        """The model text and its calibration; `losses` are then known. Raises CalibrationError."""
        fit, held_back = self.taught(self.split.fit), self.taught(self.split.calibration)
        text = self._grow(fit, held_back, self.parameters, self._told("fit"))
        if not self.parameters.split.refit:
            return text, self._line_of(text, self.split.calibration)
        window = self.split.before_evaluation(self.data, self.parameters.split)
        rows, fixed = self.taught(window), self.parameters.with_trees(tree_count(text))
        if len(window.rows) > MOST_STRETCHED:
            line = self._line_of(text, self.split.calibration)
        else:
            line = self._line(self._by_stretch(window, rows, fixed), window)
        return self._grow(rows, None, fixed, self._told("refit")), line

    def _by_stretch(self, window: TimeWindow, rows: Rows, parameters: TrainingParameters) -> Floats:
        """Margins of labelled rows, each stretch of time under trees that never saw it."""
        margins = []
        for stretch in np.array_split(window.rows, STRETCHES):
            is_within = (rows.values.places >= stretch[0]) & (rows.values.places <= stretch[-1])
            text = self._grow(rows.only(np.flatnonzero(~is_within)), None, parameters)
            margins.append(self._margins(text, stretch))
        return np.concatenate(margins)

    def _line_of(self, text: str, window: TimeWindow) -> Calibration:
        return self._line(self._margins(text, window.rows), window)

    def _line(self, margins: Floats, window: TimeWindow) -> Calibration:
        return calibrate(margins, window.labels, self._calibration_weights(window.rows))

    def taught(self, window: TimeWindow) -> Rows:
        """The rows that trees learn from, encoded and weighted as trees see them."""
        told = taught(window, self.data, self.parameters.selection)
        return Rows(EncodedRows(self._columns, told.rows), told.targets, told.weights)

    @cached_property
    def _columns(self) -> list[Floats]:
        return self.encoding.encode_columns(self.data.frame)

    def influence(self) -> tuple[InfluenceFigures, ...]:
        """Who weighs most among all labels that are learnt from."""
        rows = self.split.before_evaluation(self.data, self.parameters.split).rows
        before = label_weights(rows, self.data, self.parameters.selection)
        weights = bounded(before, self.data, rows, self.parameters.selection)
        return influence_of(before, weights, self.data, rows, self.parameters.selection)

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
        lost = self.losses.__setitem__ if held_back else None
        return grow(rows, held_back, self.encoding, self.data.inputs, parameters, grown, lost)

    def _margins(self, text: str, rows: Ints) -> Floats:
        values = EncodedRows(self._columns, rows)
        return Margins.from_text(text, self.parameters.threads).of_all(values)

    def _told(self, step: str) -> Grown:
        return lambda done, total: self.progress(step, done, total)
