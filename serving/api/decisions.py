"""`GET /v1/decisions`, single decisions and their explanations."""

from typing import Annotated, Self

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator

from features.records import SubjectKind
from serving.access.callers import Caller
from serving.api.answers import DecisionAnswer, decision_answer
from serving.api.explanations import ExplanationAnswer
from serving.api.openapi import problems
from serving.audit.decision import Decision
from serving.audit.decision_details import details_of
from serving.audit.derived_reasons import with_reasons
from serving.audit.logged_decision import DecisionFilter
from serving.audit.visible_decisions import visible_decision, visible_page
from serving.errors import Forbidden
from serving.scoring.enrichment import as_scored
from serving.triage.lane_declarations import shown_score_lane
from serving.web.authentication import MayExplain, MayReadDecisions
from serving.web.bodies import ClosedModel
from serving.web.closed_routes import ClosedRoute
from serving.web.languages import RequestedLanguage
from serving.web.queue_cursor import decode_seq, encode_seq
from serving.web.services import TheServices

router = APIRouter(prefix="/v1/decisions", tags=["decisions"], route_class=ClosedRoute)

NOT_FOUND = problems(
    s404="No such decision, or none that this key may see.",
    s410="It was erased when its time was over.",
)


class DecisionQuery(BaseModel):
    """The subject and the page."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    subject_kind: SubjectKind | None = None
    subject_id: Annotated[str, Field(min_length=1, max_length=200)] | None = Field(
        None, description="A subject of `subject_kind`, which must then be given."
    )
    cursor: str | None = Field(None, description="The `next` of the page before.")
    limit: Annotated[int, Field(ge=1, le=200)] = 50

    @model_validator(mode="after")
    def _names_a_subject_whole(self) -> Self:
        if self.subject_id is not None and self.subject_kind is None:
            raise ValueError("want `subject_kind` with `subject_id`")
        return self


class ExplanationQuery(BaseModel):
    """What else an explanation is to contain."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    interactions: Annotated[int, Field(ge=0, le=20)] = Field(
        0, description="How many of the strongest interactions of two features to compute."
    )


class DecisionPage(ClosedModel):
    """Decisions, the newest first; `next` is the cursor of the next page.

    Each page examines a limited number of decisions, some of which the caller may not see, so a
    short or empty page is the last one only if `next` is null.
    """

    decisions: list[DecisionAnswer]
    next: str | None


@router.get("", responses=problems(s422="A filter or the cursor is refused."))
def list_decisions(
    services: TheServices, caller: MayReadDecisions, query: Annotated[DecisionQuery, Query()]
) -> DecisionPage:
    """List stored decisions, of all subjects, of one kind or about one, without explanations.

    The scopes `review` and `audit` see the decisions of their offices. Any other caller sees the
    decisions it requested and later ones about the same subjects.
    """
    wanted = DecisionFilter(query.subject_kind, query.subject_id)
    found, before = visible_page(
        services.decisions, services.masking, caller, wanted, decode_seq(query.cursor), query.limit
    )
    return DecisionPage(
        decisions=[_as_seen_by(caller, decision) for decision in found],
        next=None if before is None else encode_seq(before),
    )


@router.get("/{decision_id}", responses=NOT_FOUND)
def read_decision(
    services: TheServices, caller: MayReadDecisions, decision_id: str
) -> DecisionAnswer:
    """Return a stored decision, without its explanation.

    With the scope `review`, a randomly drawn subject looks like any other inspection, and its
    probability and percentile are null.
    """
    decision = visible_decision(services.decisions, services.masking, caller, decision_id)
    return _as_seen_by(caller, decision)


@router.get(
    "/{decision_id}/explanation",
    responses=NOT_FOUND | problems(s422="`interactions` is refused; want 0 to 20."),
)
def read_explanation(
    services: TheServices,
    caller: MayExplain,
    language: RequestedLanguage,
    decision_id: str,
    query: Annotated[ExplanationQuery, Query()],
) -> ExplanationAnswer:
    """Return base value, every contribution, reasons for and against, and missing inputs.

    With `interactions`, also what two features add together, such as a low price with a new
    importer: exact, but several times as costly, so only on request.
    Texts are in the installed language that `Accept-Language` prefers. With the scope `review`, the
    explanation of a randomly drawn subject is refused (403).
    """
    # Visibility first: a decision that the caller may not see is reported as not found.
    seen = visible_decision(services.decisions, services.masking, caller, decision_id)
    if _is_blind(caller, seen):
        raise Forbidden("it was drawn at random: reviewers get no score and no reason")
    decision = with_reasons(services.models, seen)
    submission = as_scored(decision, services.records)
    details = details_of(services.models, decision, submission, language, query.interactions)
    finds = services.earlier_finds.behind(caller, decision)
    return ExplanationAnswer.from_decision(decision, details, finds, language)


def _is_blind(caller: Caller, decision: Decision) -> bool:
    """Return whether the caller reviews a random draw, which must look like any inspection."""
    return decision.is_drawn and caller.may("review")


def _as_seen_by(caller: Caller, decision: Decision) -> DecisionAnswer:
    answer = decision_answer(decision)
    if not _is_blind(caller, decision):
        return answer
    # A low score in the lane `inspect` would reveal the draw.
    hidden = {"probability": None, "percentile": None, "lane": shown_score_lane(decision.lane)}
    return answer.model_copy(update=hidden)
