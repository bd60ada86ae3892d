"""Which features move scores, measured by the contributions that every score is explained with."""

import numpy as np

from training.evaluation.report import Importance
from training.ranking import Floats


def importance(contributions: Floats, names: list[str]) -> tuple[Importance, ...]:
    """Mean |contribution| per feature over the rows, the largest first, names breaking ties."""
    means = np.abs(contributions).mean(axis=0)
    ranked = sorted(zip(names, means, strict=True), key=lambda pair: (-pair[1], pair[0]))
    return tuple(
        Importance(feature=name, mean_absolute_contribution=float(mean)) for name, mean in ranked
    )
