"""`GET /v1/decisions/{id}` and its explanation, for those who may see them."""

from fastapi import APIRouter

from serving.api.answers import DecisionAnswer, decision_answer
from serving.api.explanations import ExplanationAnswer
from serving.api.openapi import problems
from serving.audit.decision_details import details_of
from serving.audit.visible_decisions import visible_decision
from serving.web.authentication import MayExplain, MayScore
from serving.web.languages import RequestedLanguage
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])

NOT_FOUND = problems(
    s404="No such decision, or none that this key may see.",
    s410="It was erased when its time was over.",
)


@router.get("/{decision_id}", responses=NOT_FOUND)
def read_decision(services: TheServices, caller: MayScore, decision_id: str) -> DecisionAnswer:
    """A stored decision, without its explanation."""
    return decision_answer(
        visible_decision(services.decisions, services.masking, caller, decision_id)
    )


@router.get("/{decision_id}/explanation", responses=NOT_FOUND)
def read_explanation(
    services: TheServices, caller: MayExplain, language: RequestedLanguage, decision_id: str
) -> ExplanationAnswer:
    """Base value, every contribution, reasons for and against, and what is missing.

    In the language that `Accept-Language` likes best among those known here.
    """
    decision = visible_decision(services.decisions, services.masking, caller, decision_id)
    details = details_of(services.models, decision, language)
    return ExplanationAnswer.from_decision(decision, details, language)
