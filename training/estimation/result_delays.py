"""Delays of results, separately for confirmed and not confirmed subjects.

A laboratory or court takes longer over a find than an officer over an empty van. Pooled, the many
quick results hide the few slow ones, and traffic seems settled although most of what will be
confirmed is still unknown.
"""

from dataclasses import dataclass
from typing import Self

import numpy as np

from training.inverse_probability import MIN_DRAWN
from training.ranking import Floats

# The share of results that must have arrived, by the delays of earlier ones.
SETTLED = 0.9


@dataclass(frozen=True)
class ResultDelays:
    """Delays of earlier results in one unit of time: all, and each kind with enough results."""

    kinds: tuple[Floats, ...]

    @classmethod
    def from_delays(cls, delays: Floats, confirmed: Floats) -> Self:
        """Return the delays by kind of result; `confirmed` is 1 or 0, parallel to `delays`."""
        each = [delays[confirmed == kind] for kind in (0.0, 1.0)]
        return cls((delays, *(kind for kind in each if len(kind) >= MIN_DRAWN)))

    @property
    def slow(self) -> float:
        """The delay within which 90 % of results arrive, for the slowest kind."""
        return max(float(np.quantile(kind, SETTLED)) for kind in self.kinds)

    def still_to_come(self, waited: Floats) -> float:
        """Return the share of results still to come after these waiting times, in 0..1.

        The slowest kind of result counts.
        """
        if not len(waited):
            return 0.0
        came = [np.searchsorted(np.sort(kind), waited, side="right") for kind in self.kinds]
        return max(
            1 - float(count.mean()) / len(kind)
            for count, kind in zip(came, self.kinds, strict=True)
        )
