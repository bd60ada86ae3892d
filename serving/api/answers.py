"""The shapes of what leaves. Contributions are in the explained shapes alone."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from features.definition import Feature
from features.digests.computations import digests_of
from features.indicators import INDICATORS
from features.records import SubjectKind
from serving.api.explanations import Explained
from serving.api.shapes import Shape
from serving.audit.decision import Decision, ModelRef, Unscored
from serving.explanation.language import Language
from serving.models.model_pool import LoadedModel, Role
from serving.triage.placement import Lane, LaneReason


class DecisionAnswer(Shape):
    """A decision: an offer of attention, not a verdict. A person decides what happens.

    Without a score, which `unscored` then explains, model, probability and percentile are null.
    """

    decision_id: str
    subject_kind: SubjectKind
    subject_id: str
    scored_at: datetime
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
        description="Whether the service lacked most of the history that the model was trained on: "
        "what the score says of earlier shipments, journeys and inspections is then not to be "
        "relied on."
    )


class ExplainedDecisionAnswer(DecisionAnswer, Explained):
    """A decision with its explanation, for callers with the scope `explain`."""


class FeatureAnswer(Shape):
    """A feature's face: what it means, where it comes from, and its place in the code."""

    name: str
    subjects: list[SubjectKind]
    family: str
    meaning: str
    unit: str
    reads: list[str]
    when_missing: str
    indicator: str
    sign_of: str = Field(description="What the indicator is, after `a sign of`.")
    source: str
    direction: Literal["higher_is_riskier", "lower_is_riskier", "either"]
    sentence: str
    among: Literal["all", "goods_code", "corridor"] = Field(
        description="Beside whom a value is called usual or not."
    )
    defined_at: str
    computation: dict[SubjectKind, str] = Field(
        description="By kind of subject, the digest of everything that decides its numbers. A "
        "model answers only while those of all its features are as they were in training."
    )

    @classmethod
    def of(cls, feature: Feature) -> "FeatureAnswer":
        """The face of a feature, with its place."""
        return cls.model_validate(
            {
                **feature.face(),
                "sign_of": INDICATORS[feature.indicator],
                "defined_at": feature.defined_at,
                "computation": digests_of(feature),
            }
        )


class FeaturesAnswer(Shape):
    """The catalogue, in the order in which models read it."""

    features: list[FeatureAnswer]


class EstimateOut(Shape):
    """A figure with its 95 % interval; null where too little is known."""

    value: float | None
    low: float | None
    high: float | None


class Learnt(Shape):
    """What a model was fitted and judged on: stretches of declarations and their labels."""

    begins: datetime
    ends: datetime
    labelled: int
    confirmed: int


class ModelAnswer(Shape):
    """A model in service: the champion answers, the others are asked beside it."""

    role: Role
    subject_kind: SubjectKind
    name: str
    version: str
    digest: str
    catalogue: str
    trained_on: dict[str, Learnt]
    training_set_digest: str
    metrics: dict[str, EstimateOut]

    @classmethod
    def of(cls, champion: LoadedModel, role: Role) -> "ModelAnswer":
        """What a loaded model says about itself."""
        manifest = champion.model.manifest
        ref = ModelRef.of(champion)
        return cls(
            role=role,
            subject_kind=manifest.subject,
            **ref.model_dump(),
            trained_on=manifest.training_window.model_dump(),
            training_set_digest=manifest.training_set_digest,
            metrics={
                name: EstimateOut(value=figure.value, low=figure.low, high=figure.high)
                for name, figure in manifest.metrics.items()
            },
        )


class ModelsAnswer(Shape):
    """The models in service, the champion of a kind before those beside it."""

    models: list[ModelAnswer]


def decision_answer(decision: Decision, explained_in: Language | None = None) -> DecisionAnswer:
    """The answer about a decision, explained in a language or without a trace of it.

    Where there is no score, there is nothing to explain.
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
    )
    if explained_in is None or decision.unscored:
        return plain
    explained = Explained.parts_of(decision, explained_in)
    # Both parts are valid; together they need not be looked at again.
    return ExplainedDecisionAnswer.model_construct(**dict(plain), **dict(explained))
