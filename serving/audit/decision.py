"""The record of one decision: enough to answer for it, and to compute it again."""

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
from serving.explanation.reasons_in_words import Reason, ReasonRenderer
from serving.language import ENGLISH, Language
from serving.models.model_pool import LoadedModel
from serving.request_parsing import read_submission
from serving.triage.lane_declarations import Lane, LaneReason
from serving.triage.life_at_risk import DangerSignal


def digest_of(content: bytes) -> str:
    """SHA-256, as digests are written everywhere."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


# Models are off, none can be used, or the subject is to be judged as of a day to come.
Unscored = Literal["switched_off", "no_model", "declared_ahead"]
"""Why there is no score: the models are switched off, or none could be believed."""


class ModelRef(DecisionPart):
    """Which model answered: a version has one digest, and reads one catalogue."""

    name: str
    version: str
    digest: str
    catalogue: str

    @classmethod
    def from_loaded(cls, champion: LoadedModel) -> Self:
        """The reference to a loaded model."""
        manifest = champion.model.manifest
        return cls(
            name=manifest.name,
            version=champion.version,
            digest=champion.model.digest,
            catalogue=manifest.catalogue,
        )


@dataclass(frozen=True)
class ScoreResult:
    """The score of a decision, and the model that gave it."""

    model: ModelRef
    score: Score


class Decision(DecisionPart):
    """One decision.

    `request` is the body as it was received; `hits` are watch-lists and rules in words, of the plan
    with the digest `plan`; `lane_probabilities` lacks the lanes that the subject could not come to;
    `linked_records` are kept records, by kind and id, that were read besides what was submitted;
    `answer_digest` is of the bytes that the caller was answered with; `purpose` is what all of it
    came for. Where lanes rank by probability × harm, `harm_weights` are those of the plan, and
    `harm_ratio` is the expected harm of a find beside that of a usual one. Where no model could be
    asked, `unscored` says why, and there is no model, no score and no reason. `reasons` are also
    None where nobody was to read them when it was decided; they follow from vector, `said_with`,
    contributions and model (`derived_reasons`). `is_history_missing`
    says that the service lacked most of the history that the model was trained on. `life_at_risk`
    has the words of all `danger_signals`. `drawn_with` is the fingerprint of the seed of its draws,
    once the first seed was rotated.

    Of a subject that was scored again, `as_of` is the scoring instant, `rescores` the id of its
    first decision, `lane_before` where it was, and `because` names the records, by kind and id,
    that count since, and `time_passed` where silence or delay became a sign of danger by itself.
    All are empty of a decision as of the declaration.
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

    @property
    def result(self) -> ScoreResult:
        """Score and model; raises NotFound where no model was used."""
        if self.model is None or self.score is None:
            raise NotFound(
                "this decision was made without a score: no model could be asked", code="not-scored"
            )
        return ScoreResult(self.model, self.score)

    @property
    def known_reasons(self) -> Reasons:
        """The reasons; raises NotFound or ReasonsUnavailable where they were not derived."""
        if self.result and self.reasons is None:
            raise ReasonsUnavailable("the reasons of this decision were not derived from its model")
        assert self.reasons is not None
        return self.reasons

    @property
    def probability(self) -> float | None:
        """The calibrated probability; None where no model was used."""
        return None if self.score is None else self.score.probability

    @property
    def is_drawn(self) -> bool:
        """Return whether it was selected at random, whatever its score."""
        return self.lane_reason == "random"

    @property
    def ranked_by(self) -> float | None:
        """What lanes ranked it by where harm is weighed; None where they rank by probability."""
        if self.harm_ratio is None or self.probability is None:
            return None
        return self.probability * self.harm_ratio

    @property
    def submission(self) -> Submission:
        """Return what was submitted; without the records that were attached."""
        return read_submission(self.request.encode())

    @property
    def case_id(self) -> str:
        """The id of the subject's case, if there is one: that of its first decision."""
        return self.rescores or self.decision_id

    @property
    def scoring_instant(self) -> datetime:
        """Before when the subject's own records had to be known."""
        return self.as_of or self.submission.declared_at

    @property
    def known_until(self) -> datetime:
        """Before when the subject's own records were known: nothing is of a time to come.

        What a wrong clock said of a later instant keeps no later decision waiting.
        """
        return min(self.scoring_instant, self.scored_at)

    @property
    def next_from(self) -> datetime:
        """From which instant on the subject may be scored again, as it was submitted."""
        return max(self.known_until, self.submission.first_instant)

    def reasons_in(self, language: Language = ENGLISH) -> tuple[Reason, ...]:
        """The reasons in words, the strongest first; none without a score."""
        return () if self.unscored else self._in_words(language).reasons(self.known_reasons)

    def strongest_reasons_in(self, language: Language = ENGLISH) -> dict[Effect, Reason]:
        """The strongest reason of each effect in words; none without a score."""
        return {} if self.unscored else self._in_words(language).strongest(self.known_reasons)

    def _in_words(self, language: Language) -> ReasonRenderer:
        parts = dict(zip(self.vector, self.result.score.contributions, strict=True))
        return ReasonRenderer(self.subject_kind, self.vector, parts, language)

    def answered_with(self, body: bytes) -> Self:
        """The decision, with the digest of its answer."""
        return self.model_copy(update={"answer_digest": digest_of(body)})

    def logged(
        self, danger_begins_at: datetime | None = None, ship_journey: ShipJourney | None = None
    ) -> LoggedDecision:
        """The decision as the log keeps it; with when it is looked at again for danger to life.

        `ship_journey` is what its journey is found by, or that of a shipment.
        """
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
                **({} if self.ranked_by is None else {"ranked_by": self.ranked_by}),
                **({} if self.drawn_with is None else {"drawn_with": self.drawn_with}),
            },
            danger_begins_at=danger_begins_at.isoformat() if danger_begins_at else None,
            ship_journey=ship_journey,
            alerted_as=() if journey is None else names_of_calls(journey),
        )
