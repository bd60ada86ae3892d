"""The record of one decision: enough to answer for it and to compute it again."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Self

from pydantic import Field

from features.offences import Offence
from features.records import SubjectKind
from features.submission import Submission
from serving.audit.logged_decision import LoggedDecision
from serving.audit.ship_journey import ShipJourney, names_of_calls
from serving.errors import NotFound, ReasonsUnavailable
from serving.explanation.decision_parts import DecisionPart
from serving.explanation.explained_score import Score
from serving.explanation.formatting import Value
from serving.explanation.reason_ranking import Effect, Reasons
from serving.explanation.reasons_in_words import Reason, ReasonRenderer, UnweightedFact
from serving.language import ENGLISH, Language
from serving.models.model_pool import LoadedModel
from serving.request_parsing import read_submission
from serving.triage.lane_declarations import Lane, LaneReason
from serving.triage.life_at_risk import DangerSignal


def digest_of(content: bytes) -> str:
    """Return the SHA-256 in the notation used for every digest."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


# The models are switched off, none is usable, or the subject is declared for a later day.
Unscored = Literal["switched_off", "no_model", "declared_ahead"]
"""The reason for a missing score: the models are switched off, or none could be trusted."""


class ModelRef(DecisionPart):
    """The model that answered; a version has one digest and reads one catalogue."""

    name: str
    version: str
    digest: str
    catalogue: str

    @classmethod
    def from_loaded(cls, champion: LoadedModel) -> Self:
        """Return the reference to a loaded model."""
        manifest = champion.model.manifest
        return cls(
            name=manifest.name,
            version=champion.version,
            digest=champion.model.digest,
            catalogue=manifest.catalogue,
        )


@dataclass(frozen=True)
class ScoreResult:
    """The score of a decision and the model that gave it."""

    model: ModelRef
    score: Score


class Decision(DecisionPart):
    """The complete record of a decision.

    `vector` has the values that the model read, in its order, and `unread` those of features that
    only other models read (all are in `vector` without a model). `request` is the body as
    received; `hits` are watch-lists and rules as text, from the plan with
    the digest `plan`; `lane_probabilities` lacks lanes that the subject could not reach;
    `linked_records` are the stored records, by kind and id, read in addition to the submission;
    `answer_digest` covers the bytes of the answer; `purpose` is the purpose of all of it.

    If lanes rank by probability × harm, `harm_weights` are those of the plan, and `harm_ratio` is
    the expected harm of a find relative to a usual one. If no model could be asked, `unscored` is
    the reason, and model, score and reasons are None. `reasons` are also None if nobody was to read
    them at the time; they follow from vector, `said_with`, contributions and model
    (`derived_reasons`).

    `is_history_missing` is set if the service lacked most of the history that the model was trained
    on. `life_at_risk` has the text of all `danger_signals`. `drawn_with` is the fingerprint of the
    seed of the draws, once the first seed was rotated.

    For a rescored subject, `as_of` is the scoring instant, `rescores` the id of its first decision
    and `lane_before` its former lane. `because` has the records, by kind and id, that count since,
    and `time_passed` if silence or delay became a sign of danger. All are empty for a decision as
    of the declaration.
    """

    decision_id: str
    scored_at: datetime
    caller_id: str
    caller_name: str
    office_id: str | None
    subject_kind: SubjectKind
    subject_id: str
    request_digest: str
    request: str
    model: ModelRef | None
    vector: dict[str, Value]
    unseen: tuple[str, ...]
    missing: tuple[str, ...]
    score: Score | None
    reasons: Reasons | None
    lane: Lane
    lane_reason: LaneReason
    life_at_risk: str | None
    hits: tuple[str, ...]
    plan: str | None
    lane_probabilities: dict[Lane, float]
    selection_probability: float
    linked_records: tuple[str, ...] = ()
    answer_digest: str | None = None
    purpose: str | None = None
    unscored: Unscored | None = None
    is_history_missing: bool = False
    danger_signals: tuple[DangerSignal, ...] = ()
    as_of: datetime | None = None
    rescores: str | None = None
    lane_before: Lane | None = None
    because: tuple[str, ...] = ()
    harm_weights: Mapping[Offence, float] = Field(default_factory=dict)
    harm_ratio: float | None = None
    drawn_with: str | None = None
    said_with: dict[str, dict[str, float]] = Field(default_factory=dict)
    unread: dict[str, Value] = Field(default_factory=dict)

    @property
    def result(self) -> ScoreResult:
        """Return score and model; raise NotFound if no model was used."""
        if self.model is None or self.score is None:
            raise NotFound(
                "this decision was made without a score: no model could be asked", code="not-scored"
            )
        return ScoreResult(self.model, self.score)

    @property
    def known_reasons(self) -> Reasons:
        """Return the reasons; raise NotFound without a score, ReasonsUnavailable if not derived."""
        # `result` raises for a decision without a score, which has no reasons to derive.
        if self.result and self.reasons is None:
            raise ReasonsUnavailable("the reasons of this decision were not derived from its model")
        assert self.reasons is not None
        return self.reasons

    @property
    def probability(self) -> float | None:
        """Return the calibrated probability; None if no model was used."""
        return None if self.score is None else self.score.probability

    @property
    def is_drawn(self) -> bool:
        """Return whether the subject was selected at random, whatever its score."""
        return self.lane_reason == "random"

    @property
    def ranked_by(self) -> float | None:
        """Return the rank of the subject by harm; None if lanes rank by probability."""
        if self.harm_ratio is None or self.probability is None:
            return None
        return self.probability * self.harm_ratio

    @property
    def submission(self) -> Submission:
        """Return the submission without attached records."""
        return read_submission(self.request.encode())

    @property
    def case_id(self) -> str:
        """Return the id of the subject's case, if it has one: that of the first decision."""
        return self.rescores or self.decision_id

    @property
    def scoring_instant(self) -> datetime:
        """Return the instant before which the subject's own records had to be known."""
        return self.as_of or self.submission.declared_at

    @property
    def known_until(self) -> datetime:
        """Return the instant before which the subject's own records were known.

        It is never after `scored_at`: a later instant given by a wrong clock must not delay later
        decisions.
        """
        return min(self.scoring_instant, self.scored_at)

    @property
    def next_from(self) -> datetime:
        """Return the instant from which the subject may be scored again."""
        return max(self.known_until, self.submission.first_instant)

    def reasons_in(self, language: Language = ENGLISH) -> tuple[Reason, ...]:
        """Return the reasons as text, strongest first; none without a score."""
        return () if self.unscored else self._in_words(language).reasons(self.known_reasons)

    def unweighted_in(self, language: Language = ENGLISH) -> tuple[UnweightedFact, ...]:
        """Return the facts worth a check that the score does not rise by; none without a score."""
        return () if self.unscored else self._in_words(language).unweighted(self.known_reasons)

    def strongest_reasons_in(self, language: Language = ENGLISH) -> dict[Effect, Reason]:
        """Return the strongest reason of each effect as text; none without a score."""
        return {} if self.unscored else self._in_words(language).strongest(self.known_reasons)

    def _in_words(self, language: Language) -> ReasonRenderer:
        parts = dict(zip(self.vector, self.result.score.contributions, strict=True))
        return ReasonRenderer(self.subject_kind, self.vector, parts, language)

    def answered_with(self, body: bytes) -> Self:
        """Return the decision with the digest of its answer."""
        return self.model_copy(update={"answer_digest": digest_of(body)})

    def logged(
        self, danger_begins_at: datetime | None = None, ship_journey: ShipJourney | None = None
    ) -> LoggedDecision:
        """Return the decision as the log stores it.

        `danger_begins_at` is when it must be looked at again for danger to life; `ship_journey` is
        the index entry of its journey, or of its shipment's.
        """
        # Only a rescue continues the alerts of its ship.
        journey = self.submission.journey if self.lane == "rescue" else None
        return LoggedDecision(
            decision_id=self.decision_id,
            scored_at=self.scored_at.isoformat(),
            subject_kind=self.subject_kind,
            subject_id=self.subject_id,
            office_id=self.office_id,
            caller_id=self.caller_id,
            lane=self.lane,
            probability=self.probability,
            rescores=self.rescores,
            lane_before=self.lane_before,
            record=self.as_json().decode(),
            lasting={
                "lane_reason": self.lane_reason,
                "selection_probability": self.selection_probability,
                "model": self.model and dict(self.model),
                "unscored": self.unscored,
                "purpose": self.purpose,
                # Absent rather than null: outlines of installations without harm weights stay as
                # they were.
                **({} if self.ranked_by is None else {"ranked_by": self.ranked_by}),
                **({} if self.drawn_with is None else {"drawn_with": self.drawn_with}),
            },
            danger_begins_at=danger_begins_at,
            ship_journey=ship_journey,
            alerted_as=() if journey is None else names_of_calls(journey),
        )
