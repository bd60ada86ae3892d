"""`GET /v1/decisions/{id}` and its explanation, for those who may see them."""

from fastapi import APIRouter

from serving.access.callers import Caller
from serving.api.answers import DecisionAnswer, decision_answer
from serving.api.explanations import ExplanationAnswer
from serving.api.openapi import problems
from serving.api.requests import MayExplain, MayScore, TheLanguage, TheServices
from serving.audit.decision import Decision
from serving.audit.decision_details import details_of
from serving.audit.decision_log import DecisionAccess
from serving.container import Services
from serving.errors import NotFound

router = APIRouter(prefix="/v1/decisions", tags=["decisions"])

NOT_FOUND = problems(
    s404="No such decision, or none that this key may see.",
    s410="It was erased when its time was over.",
)


@router.get("/{decision_id}", responses=NOT_FOUND)
def read_decision(services: TheServices, caller: MayScore, decision_id: str) -> DecisionAnswer:
    """A stored decision, without its explanation."""
    return decision_answer(decision_seen_by(services, caller, decision_id))


@router.get("/{decision_id}/explanation", responses=NOT_FOUND)
def read_explanation(
    services: TheServices, caller: MayExplain, language: TheLanguage, decision_id: str
) -> ExplanationAnswer:
    """Base value, every contribution, reasons for and against, and what is missing.

    In the language that `Accept-Language` likes best among those known here.
    """
    decision = decision_seen_by(services, caller, decision_id)
    looked = details_of(services.models, decision, language)
    return ExplanationAnswer.of(decision, looked, language)


def decision_seen_by(services: Services, caller: Caller, decision_id: str) -> Decision:
    """A decision that the caller may see; raises NotFound for one that does not or must not exist.

    A caller tied to offices sees the decisions of those offices and its own. What is masked by now
    is masked; raises Erased where its time was over.
    """
    record = services.decisions.record(decision_id, DecisionAccess(caller.key_id, caller.offices))
    decision = None if record is None else Decision.model_validate_json(record)
    if decision is None or not may_see(caller, decision):
        raise NotFound("no decision with this id can be seen with this key")
    return services.masking.masked_view(decision)


def may_see(caller: Caller, decision: Decision) -> bool:
    """Whether it is none about lives at risk, or one for those who help, audit, or asked for it."""
    is_for_all = decision.lane != "rescue" or decision.caller_id == caller.key_id
    return is_for_all or caller.may("rescue") or caller.may("audit")
