"""Response bodies for decisions. Only the explained ones contain contributions."""

from datetime import datetime

from pydantic import Field

from features.records import SubjectKind
from serving.api.explanations import ExplanationParts
from serving.audit.decision import Decision, ModelRef, Unscored
from serving.explanation.decision_parts import DecisionPart
from serving.language import Language
from serving.review.cases.case_of_decision import opens_case
from serving.triage.lane_declarations import Lane, LaneReason


class DecisionAnswer(DecisionPart):
    """A decision: an offer of attention, not a verdict. A person decides what happens.

    Without a score, model, probability and percentile are null, and `unscored` says why. With the
    scope `review`, a subject drawn at random (`lane_reason` is `random`) shows the lane `inspect`
    and neither probability nor percentile.
    """

    decision_id: str
    subject_kind: SubjectKind
    subject_id: str
    scored_at: datetime = Field(
        description="The time by the service's clock; the log gives the order of decisions."
    )
    model: ModelRef | None
    probability: float | None = Field(
        description="Calibrated probability that an inspection confirms; null never means low risk."
    )
    percentile: float | None = Field(
        description="Per cent of subjects that scored lower in the newest window before training."
    )
    lane: Lane
    lane_reason: LaneReason
    selection_probability: float = Field(
        description="Probability, given the score, that someone goes and looks; never 0."
    )
    missing: list[str] = Field(description="Inputs the submission did not bring.")
    unseen: list[str] = Field(
        description="Features whose category the model never learnt; scored as missing."
    )
    unscored: Unscored | None = Field(
        description="Why there is no score; lives at risk, watch-lists, rules and the lot alone "
        "then chose the lane, and `manual` means that the manual procedure applies."
    )
    is_history_missing: bool = Field(
        description="True if the service lacked most of the history that the model was trained on: "
        "what the score says of earlier shipments, journeys and inspections is then not to be "
        "relied on."
    )
    as_of: datetime | None = Field(
        None,
        description="The scoring instant of a subject that was scored as of one later than its "
        "declaration; its own records counted when known before.",
    )
    case_id: str | None = Field(
        None,
        description="The case that waits for a person, the same for all decisions about a "
        "subject; null where none does: the goods go, or the manual procedure decides.",
    )
    rescores: str | None = Field(
        None,
        description="The first decision about a subject that was scored again, which is its case.",
    )
    because: list[str] = Field(
        [],
        description="New evidence since the previous decision: records by kind and id, and "
        "`time_passed` where silence or delay became a sign of danger to life.",
    )


class ExplainedDecisionAnswer(DecisionAnswer, ExplanationParts):
    """A decision with its explanation, for callers with the scope `explain`."""


def decision_answer(decision: Decision, explained_in: Language | None = None) -> DecisionAnswer:
    """Return the response for a decision, explained in a language or without explanation.

    An unscored decision has nothing to explain.
    """
    plain = DecisionAnswer(
        decision_id=decision.decision_id,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        scored_at=decision.scored_at,
        model=decision.model,
        probability=decision.probability,
        percentile=decision.score and decision.score.percentile,
        lane=decision.lane,
        lane_reason=decision.lane_reason,
        selection_probability=decision.selection_probability,
        missing=list(decision.missing),
        unseen=list(decision.unseen),
        unscored=decision.unscored,
        is_history_missing=decision.is_history_missing,
        as_of=decision.as_of,
        case_id=decision.case_id if opens_case(decision) else None,
        rescores=decision.rescores,
        because=list(decision.because),
    )
    if explained_in is None or decision.unscored:
        return plain
    explained = ExplanationParts.parts_of(decision, explained_in)
    # Both parts are already validated, so skip validating their union.
    return ExplainedDecisionAnswer.model_construct(**dict(plain), **dict(explained))
