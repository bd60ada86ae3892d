"""The shapes of what leaves. Contributions are in the explained shapes alone."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from features.definition import Feature
from features.indicators import INDICATORS
from features.records import SubjectKind
from serving.decisions.decision import Decision, ModelRef
from serving.explanation.missing import missing_in_words
from serving.explanation.reasons import Reason, Remainder
from serving.explanation.wording import Value
from serving.lanes.placement import Lane, LaneReason
from serving.scorer.champions import Champion


class Shape(BaseModel):
    """Base of the shapes: closed, so that the description and the answer can't part."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class DecisionAnswer(Shape):
    """A decision: an offer of attention, not a verdict. A person decides what happens."""

    decision_id: str
    subject_kind: SubjectKind
    subject_id: str
    scored_at: datetime
    model: ModelRef
    probability: float = Field(description="Calibrated probability that an inspection confirms.")
    percentile: float = Field(description="Per cent of recent scores that are lower.")
    lane: Lane
    lane_reason: LaneReason
    selection_probability: float = Field(
        description="Probability, given the score, that someone goes and looks; never 0."
    )
    missing: list[str] = Field(description="Inputs the submission did not bring.")


class ContributionOut(Shape):
    """One feature's value and its exact part of the log-odds."""

    feature: str
    value: Value
    contribution: float


class Explained(Shape):
    """What explains a score: base + contributions = log-odds, and so do base + reasons + remainder.

    All in calibrated log-odds; the probability is 1 / (1 + e^-log_odds).
    """

    log_odds: float
    base_log_odds: float
    reasons: list[Reason]
    remainder: Remainder
    contributions: list[ContributionOut]


class ExplainedDecisionAnswer(DecisionAnswer, Explained):
    """A decision with its explanation, for callers with the scope `explain`."""


class ExplanationAnswer(Explained):
    """The explanation of a stored decision."""

    decision_id: str
    model: ModelRef
    probability: float
    families: dict[str, float] = Field(description="Exact sums of log-odds by kind of evidence.")
    missing: list[str]
    missing_in_words: list[str]


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

    @classmethod
    def of(cls, feature: Feature) -> "FeatureAnswer":
        """The face of a feature, with its place."""
        return cls.model_validate(
            {
                **feature.face(),
                "sign_of": INDICATORS[feature.indicator],
                "defined_at": feature.defined_at,
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
    """A model that answers now."""

    role: Literal["champion"]
    subject_kind: SubjectKind
    name: str
    version: str
    digest: str
    catalogue: str
    trained_on: dict[str, Learnt]
    training_set_digest: str
    metrics: dict[str, EstimateOut]

    @classmethod
    def of(cls, champion: Champion) -> "ModelAnswer":
        """What a loaded model says about itself."""
        manifest = champion.model.manifest
        ref = ModelRef.of(champion)
        return cls(
            role="champion",
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
    """The models that answer now."""

    models: list[ModelAnswer]


def decision_answer(decision: Decision, *, is_explained: bool) -> DecisionAnswer:
    """The answer about a decision, with its explanation or without a trace of one."""
    plain = DecisionAnswer(
        decision_id=decision.decision_id,
        subject_kind=decision.subject_kind,
        subject_id=decision.subject_id,
        scored_at=decision.scored_at,
        model=decision.model,
        probability=decision.score.probability,
        percentile=decision.score.percentile,
        lane=decision.lane,
        lane_reason=decision.lane_reason,
        selection_probability=decision.selection_probability,
        missing=list(decision.missing),
    )
    if not is_explained:
        return plain
    explained = explained_part(decision)
    return ExplainedDecisionAnswer(**dict(plain), **dict(explained))


def explained_part(decision: Decision) -> Explained:
    """Reasons and contributions of a decision."""
    pairs = zip(decision.vector.items(), decision.score.contributions, strict=True)
    return Explained(
        log_odds=decision.score.log_odds,
        base_log_odds=decision.score.base_log_odds,
        reasons=list(decision.reasons.reasons),
        remainder=decision.reasons.remainder,
        contributions=[
            ContributionOut(feature=name, value=value, contribution=part)
            for (name, value), part in pairs
        ],
    )


def explanation_answer(decision: Decision) -> ExplanationAnswer:
    """The explanation of a stored decision, whole."""
    return ExplanationAnswer(
        **dict(explained_part(decision)),
        decision_id=decision.decision_id,
        model=decision.model,
        probability=decision.score.probability,
        families=decision.reasons.families,
        missing=list(decision.missing),
        missing_in_words=[missing_in_words(path) for path in decision.missing],
    )
