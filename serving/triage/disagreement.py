"""Subjects that a challenger would select and the champion does not; drawn more often.

Subjects that both select are inspected anyway. Where they differ, only control cases show which one
was right, so these are drawn with a higher probability. It is stored with every decision and is
never lower than elsewhere, so weights derived from it stay correct.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.triage.cutoffs import Cutoff


@dataclass(frozen=True)
class ChallengerScore:
    """A challenger's score of a subject; `reference` holds its ascending scores in training."""

    probability: float
    reference: Sequence[float]

    def would_select(self, share: float) -> bool:
        """Return True if the subject is in the upper `share` of the challenger's scores."""
        cutoff = Cutoff.for_share(share, self.reference)
        return cutoff.probability(self.probability) > 0
