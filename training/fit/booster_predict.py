"""LightGBM's own predictions: raw margins and feature contributions."""

from dataclasses import dataclass
from typing import Self

import numpy as np

from training.fit.encoded_rows import EncodedRows
from training.lightgbm_alone import lightgbm
from training.ranking import Floats


@dataclass(frozen=True)
class Margins:
    """A LightGBM model that predicts uncalibrated margins."""

    booster: lightgbm.Booster
    threads: int

    @classmethod
    def from_text(cls, booster_text: str, threads: int) -> Self:
        """Read a model text, which must be trusted: made by this process, or its digest checked."""
        return cls(lightgbm.Booster(model_str=booster_text), threads)

    def predict(self, rows: Floats) -> Floats:
        """Return one margin per row."""
        margins = self.booster.predict(rows, raw_score=True, num_threads=self.threads)
        return np.asarray(margins, dtype=np.float64)

    def predict_all(self, rows: EncodedRows) -> Floats:
        """Return one margin per row, in batches to bound memory."""
        return np.concatenate([self.predict(batch) for batch in rows.batches()])

    def contributions(self, rows: Floats) -> tuple[Floats, float]:
        """Return the contribution of each feature to each row's margin, and the expected margin."""
        parts = self.booster.predict(rows, pred_contrib=True, num_threads=self.threads)
        parts = np.asarray(parts, dtype=np.float64)
        # LightGBM puts the expected value, equal for all rows, into the last column.
        return parts[:, :-1], float(parts[0, -1])
