"""One subject assessed: features, score, reasons, lane, put together into a decision."""

import hashlib
import uuid
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from features.catalogue import catalogue
from features.peers import peers_of
from features.submission import Submission
from features.wanted import missing_inputs
from serving.access.callers import Caller
from serving.attachments import completed
from serving.decisions.challenger import rival_of
from serving.decisions.decision import Decision, ModelRef
from serving.decisions.score import Score, score_of
from serving.errors import NoModel
from serving.explanation.reasons import Contribution, Reasons, reasons_of
from serving.explanation.usual import usual_for
from serving.explanation.wording import Value
from serving.lanes.hits import hits
from serving.lanes.lanes import Case, Lanes
from serving.lanes.life_at_risk import life_at_risk
from serving.past import Past
from serving.scorer.champions import Champion, Champions
from serving.store.record_store import RecordRow, RecordStore


@dataclass(frozen=True)
class Request:
    """Who asks about what, when; `body` holds the bytes that `submission` was read from."""

    caller: Caller
    submission: Submission
    body: bytes
    at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 of the body as received."""
        return "sha256:" + hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True)
class Assessor:
    """Everything a decision depends on besides the request."""

    champions: Champions
    past: Past
    records: RecordStore
    lanes: Lanes

    def assess(self, request: Request) -> Decision:
        """Decide, without remembering it; raises NoModel or Forbidden (a foreign office)."""
        known = completed(request.submission, self._kept(request.submission))
        submission = known.submission
        office_id = submission.shipment.office_id if submission.shipment else None
        office_id = request.caller.office_for(office_id)
        champion = self.champions.of(submission.subject_kind)
        vector = self.past.vector(submission)
        score, unseen = score_of(champion, vector)
        danger = life_at_risk(submission)
        case = Case(
            kind=submission.subject_kind,
            subject_id=submission.subject_id,
            office_id=office_id,
            at=request.at,
            probability=score.probability,
            is_life_at_risk=danger is not None,
            hits=tuple(hits(self.lanes.plan, submission, vector, request.at)),
            rival=rival_of(self.champions, submission.subject_kind, vector),
        )
        placement = self.lanes.place(case, champion.model.manifest.score_quantiles)
        return Decision(
            decision_id=str(uuid.uuid4()),
            scored_at=request.at,
            caller_id=request.caller.key_id,
            caller_name=request.caller.name,
            office_id=office_id,
            subject_kind=submission.subject_kind,
            subject_id=submission.subject_id,
            request_digest=request.digest,
            request=request.body.decode(),
            model=ModelRef.of(champion),
            vector=vector,
            unseen=tuple(unseen),
            missing=tuple(missing_inputs(submission)),
            score=score,
            reasons=explained(champion, submission, vector, score),
            lane=placement.lane,
            lane_reason=placement.reason,
            life_at_risk=danger,
            hits=tuple(hit.words for hit in placement.hits),
            plan=self.lanes.plan.digest,
            lane_probabilities=placement.probabilities,
            selection_probability=placement.selection_probability,
            attached=known.attached,
        )

    def _kept(self, submission: Submission) -> list[RecordRow]:
        """What came by itself about the subject, and about the journey of a shipment."""
        kind, journey = submission.subject_kind, submission.journey
        journey_id = journey.journey_id if journey else None
        rows = self.records.about((kind, submission.subject_id), journey_id)
        return [r for r in rows if r.kind in {"legs", "positions"} or r.subject_kind == kind]

    def warm_up(self, examples: Iterable[Submission]) -> None:
        """Score examples and forget them: the first request need not wait for what is made once."""
        for example in examples:
            vector = self.past.vector(example)
            with suppress(NoModel):
                score_of(self.champions.of(example.subject_kind), vector)


def explained(
    champion: Champion, submission: Submission, vector: dict[str, Value], score: Score
) -> Reasons:
    """The contributions of a score as reasons in words, beside what was usual in training."""
    groups = peers_of(submission)
    parts = zip(catalogue(submission.subject_kind), score.contributions, strict=True)
    return reasons_of(
        [
            Contribution(feature, vector[feature.name], part, place)
            for place, (feature, part) in enumerate(parts)
        ],
        lambda feature, value: usual_for(champion.model, groups, feature, value),
        submission.subject_kind,
    )
