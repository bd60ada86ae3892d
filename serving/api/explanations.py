"""Response bodies with explanations, for callers with the scope `explain` only."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from pydantic import Field

from features.provenance import Provenance
from serving.audit.decision import Decision, ModelRef
from serving.audit.decision_details import DecisionDetails
from serving.explanation.decision_parts import CHECKED_WHEN_READ, DecisionPart
from serving.explanation.estimate_text import estimate_in_words
from serving.explanation.explained_score import Inspected
from serving.explanation.formatting import Value
from serving.explanation.interactions import Interaction
from serving.explanation.missing_inputs import MissingInputEffect, missing_in_words
from serving.explanation.provenance_text import provenance_in_words
from serving.explanation.reason_ranking import Habits, Remainder
from serving.explanation.reasons_in_words import Reason, UnweightedFact
from serving.language import Language
from serving.scoring.earlier_finds import MAX_FINDS, EarlierFind, FindsBehind
from serving.web.bodies import ClosedModel

NO_FINDS = FindsBehind((), 0)


# Neither a pydantic model nor frozen: an answer makes over a hundred of them.
@dataclass
class FeatureContribution:
    """One feature's value and its exact part of the log-odds."""

    __pydantic_config__ = CHECKED_WHEN_READ

    feature: str
    value: Value
    contribution: float


class EstimateRange(ClosedModel):
    """The range of probabilities that inspections are consistent with."""

    low: float
    high: float


class ExplanationParts(DecisionPart):
    """The explanation of a score: the sums of all parts are exact.

    base + contributions = log_odds, and base + reasons + remainder + habits = log_odds.
    All in calibrated log-odds; the probability is 1 / (1 + e^-log_odds).
    """

    log_odds: float
    base_log_odds: float
    estimate_range: EstimateRange = Field(
        description="The range of this subject's probability, which always lies in it: what the "
        "inspections in `inspected` leave open (95 %)."
    )
    estimate_in_words: str = Field(
        description="The probability with its range, as the console and the PDF of a case say it; "
        "if it is an end of its own range, why."
    )
    inspected: Inspected = Field(
        description="The inspections that the range rests on: of all subjects whose probability "
        "was from `least` to `most`, with the 95 % interval of the share that was confirmed of "
        "them all. That is another share than the probability of one of them."
    )
    is_unlike_training: bool = Field(
        description="True if more values lie outside the training range than in 99 % of subjects."
    )
    outside_training: list[str] = Field(description="The features whose values lie outside.")
    reasons: list[Reason]
    unweighted: list[UnweightedFact] = Field(
        description="Uncommon facts worth a check to which the score gives no weight, or weight "
        "against, where fewer than three reasons speak for a closer look. No part of the sum."
    )
    remainder: Remainder
    habits: Habits = Field(
        description="Other habits of the model: what it adds for values that are missing, on the "
        "harmless side of usual, or no indicator by itself. They are no reason for a closer look."
    )
    contributions: list[FeatureContribution]

    @classmethod
    def parts_of(cls, decision: Decision, language: Language) -> "ExplanationParts":
        """Return a decision's reasons in a language, and its contributions; raises NotFound."""
        score = decision.result.score
        low, high = score.estimate_range
        # Strict: a value paired with another feature's part would be a false explanation.
        pairs = zip(decision.vector.items(), score.contributions, strict=True)
        # A stored decision is valid; checking each of its values would only cost time.
        return ExplanationParts.model_construct(
            log_odds=score.log_odds,
            base_log_odds=score.base_log_odds,
            estimate_range=EstimateRange(low=low, high=high),
            inspected=score.inspected,
            estimate_in_words=estimate_in_words(score, language),
            is_unlike_training=score.is_unlike_training,
            outside_training=list(score.outside),
            reasons=list(decision.reasons_in(language)),
            unweighted=list(decision.unweighted_in(language)),
            remainder=decision.known_reasons.remainder,
            habits=decision.known_reasons.habits,
            contributions=[FeatureContribution(name, value, part) for (name, value), part in pairs],
        )


class HistoryWindow(ClosedModel):
    """Earlier events with the same values in these fields; `days` is null for all history."""

    source: str
    by: list[str]
    days: int | None


class FeatureProvenance(ClosedModel):
    """The provenance of one feature of a reason: declared fields, records and earlier events."""

    feature: str
    declared: list[str] = Field(description="The fields of the declaration that it reads.")
    records: dict[str, list[str]] = Field(
        description="Ids by record type; a leg's is its sequence, a position's its instant."
    )
    earlier_events: list[HistoryWindow] = Field(
        description="The events before the subject's own instant that it reads."
    )
    finds: list[EarlierFind] = Field(
        description="The newest confirmed inspections that the value counts, at most "
        f"{MAX_FINDS} subjects, of those whose decisions the caller may list. Records that arrived "
        "after the decision count as well, if they were known by then."
    )
    finds_not_shown: int = Field(description="Other subjects whose confirmed inspections count.")
    words: list[str]

    @classmethod
    def from_provenance(
        cls,
        feature: str,
        provenance: Provenance,
        language: Language,
        finds: FindsBehind,
    ) -> Self:
        """Return the provenance of a feature, with texts in a language."""
        earlier_events = [
            HistoryWindow(source=events.source, by=list(events.by), days=events.days)
            for events in provenance.earlier_events
        ]
        records = {name: list(ids) for name, ids in provenance.records.items()}
        return cls(
            feature=feature,
            declared=list(provenance.declared),
            records=records,
            earlier_events=earlier_events,
            finds=list(finds.shown),
            finds_not_shown=finds.not_shown,
            words=provenance_in_words(provenance, language),
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
    provenance: list[FeatureProvenance] = Field(
        description="The records behind the features of the reasons."
    )
    missing: list[str]
    missing_in_words: list[str]
    missing_input_effects: list[MissingInputEffect] | None = Field(
        description="The possible effect of each missing input on the probability, largest first; "
        "null where the model that decided no longer answers."
    )
    unseen: list[str] = Field(description="Features whose category training never held.")
    interactions: list[Interaction] | None = Field(
        description="What two features add together, strongest first; null if `interactions` did "
        "not ask for any, or where the model that decided no longer answers."
    )

    @classmethod
    def from_decision(
        cls,
        decision: Decision,
        details: DecisionDetails,
        finds: Mapping[str, FindsBehind],
        language: Language,
    ) -> Self:
        """Return the complete explanation of a stored decision; raises NotFound."""
        result = decision.result
        missing = [missing_in_words(path, language) for path in decision.missing]
        effects, pairs = details.missing_input_effects, details.interactions
        return cls(
            **dict(ExplanationParts.parts_of(decision, language)),
            decision_id=decision.decision_id,
            model=result.model,
            probability=result.score.probability,
            percentile=result.score.percentile,
            language=language.code,
            families=decision.known_reasons.families,
            indicators=decision.known_reasons.indicators,
            provenance=[
                FeatureProvenance.from_provenance(
                    name, provenance, language, finds.get(name, NO_FINDS)
                )
                for name, provenance in details.provenance.items()
            ],
            missing=list(decision.missing),
            missing_in_words=missing,
            missing_input_effects=None if effects is None else list(effects),
            unseen=list(decision.unseen),
            interactions=None if pairs is None else list(pairs),
        )
