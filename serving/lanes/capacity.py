"""Thresholds on the score, such that each lane fills to its share of the work."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from serving.settings import Settings


@dataclass(frozen=True)
class Shares:
    """Which part of all subjects each lane can take; together at most 1."""

    inspect: float
    document_check: float
    post_review: float

    def __post_init__(self) -> None:
        if self.inspect + self.document_check + self.post_review > 1:
            raise ValueError("the shares of the lanes add up to more than all subjects")

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The shares that this machine's settings name."""
        return cls(
            settings.inspect_share, settings.document_check_share, settings.post_review_share
        )


@dataclass(frozen=True)
class Thresholds:
    """A subject belongs to the first lane whose threshold its probability exceeds.

    "Exceeds", not "reaches": where many subjects share one score, a lane rather stays short of its
    capacity than floods.
    """

    inspect: float
    document_check: float
    post_review: float

    @classmethod
    def of(cls, score_quantiles: Sequence[float], shares: Shares) -> Self:
        """Thresholds from the quantiles (0..100 % in even steps) of recent probabilities.

        >>> Thresholds.of([0.0, 0.1, 0.2, 0.3, 0.4], Shares(0.25, 0.25, 0.25))
        Thresholds(inspect=0.3, document_check=0.2, post_review=0.1)
        """
        taken = np.cumsum([shares.inspect, shares.document_check, shares.post_review])
        at = np.linspace(0.0, 1.0, len(score_quantiles))
        inspect, document_check, post_review = np.interp(1.0 - taken, at, score_quantiles)
        return cls(float(inspect), float(document_check), float(post_review))
