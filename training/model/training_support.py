"""Bounds of the training data, and values of a case outside of them.

A number is outside beyond the minimum and maximum of the fit window, a category if it is unknown
(or was too rare to be learnt), and a missing value if none was missing there. Single values are
outside now and then. A case is unlike training if it has more such values than all but one per cent
of the evaluation window, which came later and was not used for fitting either.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
import numpy.typing as npt

from training.model.encoding import Floats
from training.model.manifest import Reference

if TYPE_CHECKING:
    import pandas as pd

Bools = npt.NDArray[np.bool_]

TYPICAL_SHARE = 0.99


@dataclass(frozen=True)
class TrainingSupport:
    """Bounds of the columns of encoded rows, in the model's order; infinite for categories."""

    names: list[str]
    least: Floats
    most: Floats
    is_always_known: Bools

    @classmethod
    def from_references(cls, references: dict[str, Reference]) -> Self:
        """Return the bounds in a manifest's references, in the model's order."""
        bounds = [reference.quantiles or (-np.inf, np.inf) for reference in references.values()]
        return cls(
            names=list(references),
            least=np.array([steps[0] for steps in bounds]),
            most=np.array([steps[-1] for steps in bounds]),
            is_always_known=np.array(
                [reference.missing_share == 0 for reference in references.values()]
            ),
        )

    def outside(self, row: Floats, unseen: Sequence[str]) -> list[str]:
        """Return the features of an encoded row that are outside; `unseen` is from the encoding."""
        flags = self._flags(row)
        return [
            n for n, flag in zip(self.names, flags.tolist(), strict=True) if flag or n in unseen
        ]

    def counts(self, rows: Floats, frame: "pd.DataFrame") -> Floats:
        """Return the number of values outside in each row; `frame` is what `rows` encode."""
        flags = self._flags(rows)
        for place, name in enumerate(self.names):
            # Unknown and missing categories are both NaN in `rows`, so consult the frame.
            if not np.isfinite(self.least[place]):
                flags[:, place] |= np.isnan(rows[:, place]) & frame[name].notna().to_numpy()
        return flags.sum(axis=1)

    def _flags(self, rows: Floats) -> Bools:
        is_beyond = (rows < self.least) | (rows > self.most)
        return is_beyond | (np.isnan(rows) & self.is_always_known)


def most_outside(
    references: dict[str, Reference], batches: "Iterable[tuple[Floats, pd.DataFrame]]"
) -> int:
    """Return how many values may be outside before a case counts as unlike training.

    Each batch holds encoded rows and the frame that they encode.
    """
    support = TrainingSupport.from_references(references)
    counts = np.concatenate([support.counts(rows, frame) for rows, frame in batches])
    # A count that occurs, not one interpolated between two.
    return int(np.quantile(counts, TYPICAL_SHARE, method="higher"))
