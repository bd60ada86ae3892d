"""What the challenger says of a subject while its lane is chosen: one number, and no reasons.

Its opinion in full is asked for later, beside the requests; this one is needed at once, since it
raises the probability of a random look where the two models differ.
"""

from features.records import SubjectKind
from serving.explanation.formatting import Value
from serving.models.model_pool import ModelPool
from serving.triage.disagreement import ChallengerScore


def challenger_score(
    champions: ModelPool, kind: SubjectKind, vector: dict[str, Value]
) -> ChallengerScore | None:
    """The challenger's word on a vector; None where the champion has none beside it."""
    challenger = champions.challengers(kind).get("challenger")
    if challenger is None:
        return None
    row, _ = challenger.model.encode(vector)
    (probability,) = challenger.scorer.probabilities(row.reshape(1, -1)).tolist()
    return ChallengerScore(probability, challenger.model.manifest.score_quantiles)
