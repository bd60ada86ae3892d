"""The cutoff of a lane: a score threshold, and a share of the scores that equal it."""

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Cutoff:
    """Takes every score above `threshold`, and a share of the scores that equal it.

    Trees give many subjects the same score. Drawing a share of them at random fills a lane to its
    capacity in expectation, instead of flooding it or leaving it empty.
    """

    threshold: float
    share_at_threshold: float

    @classmethod
    def for_share(cls, share: float, scores: Sequence[float]) -> Self:
        """Return the cutoff that takes this share of ascending, non-empty `scores`.

        A share of 0 takes nothing, not even a score that is higher than all of them.

        >>> Cutoff.for_share(0.5, [0.1, 0.2, 0.2, 0.2])
        Cutoff(threshold=0.2, share_at_threshold=0.6666666666666666)
        """
        if share >= 1:
            return cls(-math.inf, 1.0)
        if share <= 0:
            return cls(math.inf, 0.0)
        quota = share * len(scores)
        # The lowest score that the quota reaches; of those that equal it, only a share fits.
        threshold = scores[len(scores) - math.ceil(quota)]
        above = len(scores) - bisect_right(scores, threshold)
        equal = len(scores) - above - bisect_left(scores, threshold)
        return cls(threshold, (quota - above) / equal)

    def probability(self, score: float) -> float:
        """Return the probability with which this score is taken."""
        if score == self.threshold:
            return self.share_at_threshold
        return 1.0 if score > self.threshold else 0.0
