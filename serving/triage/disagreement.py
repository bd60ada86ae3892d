"""What a challenger would select and the champion does not: worth a few more random looks.

Outcomes of what both select come by themselves. Where they differ, only control cases tell which
was right, so these are drawn with a higher probability. It is stored with every decision and never
lower than elsewhere, so that weights by it stay right.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from serving.triage.cutoffs import Cut


@dataclass(frozen=True)
class Rival:
    """What a challenger said of a subject; `reference` ascends, and is what it said in training."""

    probability: float
    reference: Sequence[float]

    def would_select(self, share: float) -> bool:
        """Whether the subject is in the upper `share` of what the challenger sees."""
        return share > 0 and Cut.taking(share, self.reference).probability(self.probability) > 0
