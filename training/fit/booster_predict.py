"""LightGBM's own predictions: raw margins, and the contribution of each feature to them."""

from dataclasses import dataclass
from typing import Self

import lightgbm
import numpy as np

from training.fit.encoded_rows import EncodedRows
from training.ranking import Floats


@dataclass(frozen=True)
class Margins:
    """A model text that predicts margins; nothing here is calibrated."""

    booster: lightgbm.Booster
    threads: int

    @classmethod
    def from_text(cls, booster_text: str, threads: int) -> Self:
        """Read a text that this process made, or whose digest was checked."""
        return cls(lightgbm.Booster(model_str=booster_text), threads)

    def predict(self, rows: Floats) -> Floats:
        """One margin per row."""
        margins = self.booster.predict(rows, raw_score=True, num_threads=self.threads)
        return np.asarray(margins, dtype=np.float64)

    def predict_all(self, rows: EncodedRows) -> Floats:
        """One margin per row, a batch at a time."""
        return np.concatenate([self.predict(batch) for batch in rows.batches()])

    def contributions(self, rows: Floats) -> tuple[Floats, float]:
        """Per row and feature its contribution to the margin, and the expected margin."""
        parts = self.booster.predict(rows, pred_contrib=True, num_threads=self.threads)
        parts = np.asarray(parts, dtype=np.float64)
        return parts[:, :-1], float(parts[0, -1])
