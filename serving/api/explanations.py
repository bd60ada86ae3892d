"""The shapes that hold an explanation, for callers with the scope `explain` alone."""

from typing import Self

from pydantic import Field

from features.provenance import Provenance
from serving.audit.decision import Decision, ModelRef
from serving.audit.decision_details import DecisionDetails
from serving.explanation.explained_score import Inspected
from serving.explanation.formatting import Value
from serving.explanation.language import Language
from serving.explanation.missing_inputs import MissingInput, missing_in_words
from serving.explanation.provenance_text import resting_in_words
from serving.explanation.reasons import Remainder
from serving.explanation.rendering import Reason
from serving.web.bodies import ClosedModel


class FeatureContribution(ClosedModel):
    """One feature's value and its exact part of the log-odds."""

    feature: str
    value: Value
    contribution: float


class ExplanationParts(ClosedModel):
    """What explains a score: base + contributions = log-odds, and so do base + reasons + remainder.

    All in calibrated log-odds; the probability is 1 / (1 + e^-log_odds).
    """

    log_odds: float
    base_log_odds: float
    inspected: Inspected = Field(
        description="What inspections found among subjects of about this score, with the 95 % "
        "interval of the share that was confirmed."
    )
    is_unlike_training: bool = Field(
        description="Whether more values lie outside what training held than in 99 of 100 subjects."
    )
    outside_training: list[str] = Field(description="The features whose values lie outside.")
    reasons: list[Reason]
    remainder: Remainder
    contributions: list[FeatureContribution]

    @classmethod
    def parts_of(cls, decision: Decision, language: Language) -> "ExplanationParts":
        """Reasons in a language, and contributions, of a decision; raises NotScored."""
        score = decision.result.score
        pairs = zip(decision.vector.items(), score.contributions, strict=True)
        return ExplanationParts(
            log_odds=score.log_odds,
            base_log_odds=score.base_log_odds,
            inspected=score.inspected,
            is_unlike_training=score.is_unlike_training,
            outside_training=list(score.outside),
            reasons=list(decision.reasons_in(language)),
            remainder=decision.result.reasons.remainder,
            contributions=[
                FeatureContribution.model_construct(feature=name, value=value, contribution=part)
                for (name, value), part in pairs
            ],
        )


class HistoryWindow(ClosedModel):
    """Earlier events that were alike in these fields; `days` is null for all of history."""

    source: str
    by: list[str]
    days: int | None


class FeatureProvenance(ClosedModel):
    """What one feature of a reason rests on."""

    feature: str
    declared: list[str] = Field(description="What it reads of the declaration itself.")
    records: dict[str, list[str]] = Field(
        description="Ids by record type; a leg's is its sequence, a position's its instant."
    )
    past: list[HistoryWindow]
    words: list[str]

    @classmethod
    def of(cls, feature: str, grounds: Provenance, language: Language) -> Self:
        """The grounds of a feature."""
        past = [HistoryWindow(source=p.source, by=list(p.by), days=p.days) for p in grounds.earlier]
        records = {name: list(ids) for name, ids in grounds.records.items()}
        return cls(
            feature=feature,
            declared=list(grounds.declared),
            records=records,
            past=past,
            words=resting_in_words(grounds, language),
        )


class ExplanationAnswer(ExplanationParts):
    """The explanation of a stored decision."""

    decision_id: str
    model: ModelRef
    probability: float
    percentile: float
    language: str
    families: dict[str, float] = Field(description="Exact sums of log-odds by kind of evidence.")
    indicators: dict[str, float] = Field(description="Exact sums of log-odds by indicator.")
    rests_on: list[FeatureProvenance] = Field(
        description="The records behind the features of the reasons."
    )
    missing: list[str]
    missing_in_words: list[str]
    could_move: list[MissingInput] | None = Field(
        description="How far each missing input could move the probability, the furthest first; "
        "null where the model that decided no longer answers."
    )
    unseen: list[str] = Field(description="Features whose category training never held.")

    @classmethod
    def of(cls, decision: Decision, looked: DecisionDetails, language: Language) -> Self:
        """The explanation of a stored decision, whole; raises NotScored."""
        result = decision.result
        missing = [missing_in_words(path, language) for path in decision.missing]
        return cls(
            **dict(ExplanationParts.parts_of(decision, language)),
            decision_id=decision.decision_id,
            model=result.model,
            probability=result.score.probability,
            percentile=result.score.percentile,
            language=language.code,
            families=result.reasons.families,
            indicators=result.reasons.indicators,
            rests_on=[FeatureProvenance.of(*one, language) for one in looked.rests_on.items()],
            missing=list(decision.missing),
            missing_in_words=missing,
            could_move=None if looked.could_move is None else list(looked.could_move),
            unseen=list(decision.unseen),
        )
