"""The challenger's score of a subject while its lane is chosen: one number, and no reasons.

Its full score is stored later by `shadow_scoring`; this one is needed at once, since it raises the
probability of a random draw where the two models differ.
"""

from features.records import SubjectKind
from serving.explanation.formatting import Value
from serving.models.model_pool import ModelPool
from serving.triage.disagreement import ChallengerScore


def challenger_score(
    models: ModelPool, kind: SubjectKind, vector: dict[str, Value]
) -> ChallengerScore | None:
    """Score a vector with the challenger; None where there is none."""
    challenger = models.challengers(kind).get("challenger")
    if challenger is None:
        return None
    row, _ = challenger.model.encode(vector)
    (probability,) = challenger.scorer.probabilities(row.reshape(1, -1)).tolist()
    return ChallengerScore(probability, challenger.model.manifest.score_quantiles)
