"""Subjects that a challenger would select and the champion does not: drawn more often.

Outcomes of what both select come by themselves. Where they differ, only control cases tell which
was right, so these are drawn with a higher probability. It is stored with every decision and never
lower than elsewhere, so that weights by it stay right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.triage.cutoffs import Cutoff


@dataclass(frozen=True)
class ChallengerScore:
    """A challenger's score of a subject; `reference` ascends, and holds its scores in training."""

    probability: float
    reference: Sequence[float]

    def would_select(self, share: float) -> bool:
        """Return whether the subject is in the upper `share` of the challenger's scores."""
        cutoff = Cutoff.for_share(share, self.reference)
        return cutoff.probability(self.probability) > 0
