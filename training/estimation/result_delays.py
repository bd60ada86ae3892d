"""How long results take to come, of what is confirmed and of what is not.

A laboratory or a court takes longer over a find than an officer over an empty van. Where both are
thrown together, the many that come at once hide the few that take long, and traffic seems settled
in which most of what will be confirmed is still unknown.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from training.inverse_probability import FEWEST_DRAWN
from training.ranking import Floats

# The share of results that must have come, by the delays of earlier ones.
SETTLED = 0.9


@dataclass(frozen=True)
class ResultDelays:
    """Delays of earlier results, in one unit of time: all of them, and each kind that was seen
    often enough.
    """

    kinds: tuple[Floats, ...]

    @classmethod
    def from_delays(cls, delays: Floats, confirmed: Floats) -> Self:
        """`confirmed` is 1 or 0, parallel to the delays."""
        each = [delays[confirmed == kind] for kind in (0.0, 1.0)]
        return cls((delays, *(kind for kind in each if len(kind) >= FEWEST_DRAWN)))

    @property
    def slow(self) -> float:
        """After which nine in ten results have come, of whichever kind takes longest."""
        return max(float(np.quantile(kind, SETTLED)) for kind in self.kinds)

    def still_to_come(self, waited: Floats) -> float:
        """Return which part of the results is still to come of subjects that waited so long, in
        0..1.

        Of whichever kind takes longest.
        """
        if not len(waited):
            return 0.0
        came = [np.searchsorted(np.sort(kind), waited, side="right") for kind in self.kinds]
        return max(
            1 - float(count.mean()) / len(kind)
            for count, kind in zip(came, self.kinds, strict=True)
        )
