"""A sample of subjects with the contribution of each feature to their scores."""

from dataclasses import dataclass

import numpy as np

from training.evaluation.evaluation_report import Importance
from training.ranking import Floats


@dataclass(frozen=True)
class ExplainedSample:
    """Encoded rows with their `contributions`, SHAP values in calibrated log-odds."""

    names: tuple[str, ...]
    is_categorical: tuple[bool, ...]
    rows: Floats
    contributions: Floats

    @property
    def importance(self) -> tuple[Importance, ...]:
        """Mean |contribution| per feature, largest first, then by name."""
        means = np.abs(self.contributions).mean(axis=0)
        pairs = sorted(zip(self.names, means, strict=True), key=lambda pair: (-pair[1], pair[0]))
        return tuple(
            Importance(feature=name, mean_absolute_contribution=float(mean)) for name, mean in pairs
        )
