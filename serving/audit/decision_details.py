"""Details of a decision computed only when somebody reads its explanation.

They are too costly for every score, and still exact: the records come from the stored request, the
vector is the scored one, and so is the model.
"""

from dataclasses import dataclass

from features.catalogue import features_by_name
from features.provenance import Provenance, SubmissionProvenance
from features.submission import Submission
from serving.audit.decision import Decision
from serving.explanation.interactions import Interaction, strongest_interactions
from serving.explanation.missing_inputs import MissingInputEffect, missing_input_effects
from serving.language import ENGLISH, Language
from serving.models.model_pool import ModelPool


@dataclass(frozen=True)
class DecisionDetails:
    """Effects of missing inputs on a score, the provenance of its reasons, and interactions.

    `missing_input_effects` is None if another model answers by now, or none was used;
    `interactions` also if none were wanted.
    """

    missing_input_effects: tuple[MissingInputEffect, ...] | None
    provenance: dict[str, Provenance]
    interactions: tuple[Interaction, ...] | None = None


# For readers without the scope to see reasons.
UNEXPLAINED = DecisionDetails(None, {})


def details_of(
    models: ModelPool,
    decision: Decision,
    submission: Submission,
    language: Language = ENGLISH,
    interactions: int = 0,
) -> DecisionDetails:
    """Return the effects of missing inputs and the records that the reasons rest on.

    `submission` is the decision's with the stored records that counted too (`as_scored`).
    Of `interactions` the strongest are computed, so many; of 0 none.

    The decision must have its reasons already (`with_reasons`).
    """
    if decision.unscored:
        return UNEXPLAINED
    champion = models.active_champions().get(decision.subject_kind)
    effects, pairs = None, None
    # Another version would weigh the inputs differently, and explain a score it did not give.
    if champion is not None and champion.model.digest == decision.result.model.digest:
        effects = missing_input_effects(
            champion.scorer, decision.vector, decision.missing, language
        )
        if interactions:
            pairs = strongest_interactions(
                champion.scorer, decision.vector, interactions, language, decision.said_with
            )
    return DecisionDetails(effects, _provenance(decision, submission), pairs)


def _provenance(decision: Decision, submission: Submission) -> dict[str, Provenance]:
    known = features_by_name()
    provenance = SubmissionProvenance(submission)
    return {
        name: provenance.feature(known[name])
        for name in decision.known_reasons.features_named
        if name in known
    }
