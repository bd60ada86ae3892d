"""Details of a decision that are computed only when somebody reads its explanation.

Too costly to be made for every score, and exact all the same: the records come from the stored
request, the vector is the one that was scored, and the model is the one that scored it.
"""

from dataclasses import dataclass

from features.catalogue import features_by_name
from features.provenance import Provenance, SubmissionProvenance
from serving.audit.decision import Decision
from serving.explanation.missing_inputs import MissingInputEffect, missing_input_effects
from serving.language import ENGLISH, Language
from serving.models.model_pool import ModelPool


@dataclass(frozen=True)
class DecisionDetails:
    """How missing inputs could change a score, and by feature what its reasons rest on.

    `missing_input_effects` is None where another model answers by now, or none was asked.
    """

    missing_input_effects: tuple[MissingInputEffect, ...] | None
    provenance: dict[str, Provenance]


# For whoever may not see why.
UNEXPLAINED = DecisionDetails(None, {})


def details_of(
    models: ModelPool, decision: Decision, language: Language = ENGLISH
) -> DecisionDetails:
    """Return which missing inputs could move the score most, and which records its reasons rest on.

    The decision has its reasons already (`with_reasons`).
    """
    if decision.unscored:
        return UNEXPLAINED
    champion = models.active_champions().get(decision.subject_kind)
    effects = None
    if champion is not None and champion.model.digest == decision.result.model.digest:
        effects = missing_input_effects(
            champion.scorer, decision.vector, decision.missing, language
        )
    return DecisionDetails(effects, _provenance(decision))


def _provenance(decision: Decision) -> dict[str, Provenance]:
    known = features_by_name()
    provenance = SubmissionProvenance(decision.submission)
    return {
        name: provenance.feature(known[name])
        for reason in decision.known_reasons.reasons
        for name in reason.evidence
        if name in known
    }
