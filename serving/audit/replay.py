"""Computes a stored decision again, with the model of that day.

It uses the stored vector and not the records: records were added since, and the vector is what the
model saw.
"""

import struct
from dataclasses import dataclass

from serving.audit.decision import Decision
from serving.explanation.explained_score import Score, score_of
from serving.models.model_pool import LoadedModel


@dataclass(frozen=True)
class Replay:
    """The score of a decision then and now; `differences` names what differs in any bit."""

    decision: Decision
    recomputed: Score
    differences: tuple[str, ...]

    @property
    def is_identical(self) -> bool:
        """Return whether every bit agrees, including the digest of the model."""
        return not self.differences


def replayed(decision: Decision, champion: LoadedModel) -> Replay:
    """Score the stored vector again and compare; raise NotFound."""
    recomputed, _ = score_of(champion, decision.vector)
    differences = _different_bits(decision, recomputed)
    if champion.model.digest != decision.result.model.digest:
        # First, because a different model explains all other differences.
        differences.insert(0, "model digest")
    return Replay(decision, recomputed, tuple(differences))


def _different_bits(decision: Decision, recomputed: Score) -> list[str]:
    stored = decision.result.score
    figures = ("log_odds", "base_log_odds", "probability", "percentile")
    differences = [
        figure
        for figure in figures
        if _bits(getattr(stored, figure)) != _bits(getattr(recomputed, figure))
    ]
    pairs = zip(decision.vector, stored.contributions, recomputed.contributions, strict=True)
    return differences + [
        f"contribution of {name}" for name, then, now in pairs if _bits(then) != _bits(now)
    ]


def _bits(number: float) -> bytes:
    # Bits, not values: -0.0 equals 0.0, and NaN does not equal itself.
    return struct.pack("<d", number)
