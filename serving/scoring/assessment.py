"""One subject assessed: features, score, reasons, lane, put together into a decision."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from features.input_dependencies import missing_inputs
from features.peer_groups import peers_of
from features.records import SubjectKind
from features.submission import Submission
from features.vector import Vector
from serving.access.callers import Caller
from serving.audit.decision import Decision, ModelRef, Unscored, digest_of
from serving.db.repositories.record_repository import RecordRepository
from serving.errors import ModelsOff, NoModel, ServingError
from serving.explanation.comparisons import Comparisons
from serving.explanation.explained_score import Score, Scored, score_of, scores_of
from serving.explanation.reasons import Reasons, ranking
from serving.history.client import HistoryClient
from serving.history.missing_history import missing_types
from serving.history.received_records import ReceivedRecord
from serving.models.model_pool import LoadedModel, ModelPool
from serving.scoring.challenger_score import challenger_score
from serving.scoring.enrichment import completed
from serving.triage.lanes import Lanes, PlacementRequest
from serving.triage.life_at_risk import life_at_risk
from serving.triage.placement import Placement
from serving.triage.watch_lists import find_hits

Subject = tuple[str, str]
"""Kind and id."""


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
        return digest_of(self.body)


@dataclass(frozen=True)
class Admitted:
    """A request that may be decided, with who answers; `attached` names what it did not bring.

    Without a `champion` no score follows, and `unscored` says why.
    """

    request: Request
    submission: Submission
    attached: tuple[str, ...]
    office_id: str | None
    champion: LoadedModel | None
    unscored: Unscored | None


@dataclass(frozen=True)
class Known(Admitted):
    """An admitted request with all that its score rests on."""

    vector: Vector


@dataclass(frozen=True)
class Assessor:
    """Everything a decision depends on besides the request."""

    champions: ModelPool
    past: HistoryClient
    records: RecordRepository
    lanes: Lanes
    purpose: str | None = None
    _compared: dict[SubjectKind, Comparisons] = field(default_factory=dict)

    def assess(self, requests: Sequence[Request]) -> list[Decision | ServingError]:
        """Decide each, without remembering it, or say why not: Forbidden (a foreign office),
        Unavailable. None sees another. Where no model may answer, a decision has no score.
        """
        kept = self.records.about([one for each in requests for one in _subjects(each.submission)])
        admitted = [self._admitted(request, kept) for request in requests]
        try:
            known = self._known([each for each in admitted if isinstance(each, Admitted)])
        except ServingError as failure:
            return [each if isinstance(each, ServingError) else failure for each in admitted]
        scored = iter(scores_of([(each.champion, each.vector) for each in known if each.champion]))
        decided = (self._decision(each, next(scored) if each.champion else None) for each in known)
        return [each if isinstance(each, ServingError) else next(decided) for each in admitted]

    def is_history_missing(self, champion: LoadedModel) -> bool:
        """Whether too little is known of what the model was trained on (`missing_history`)."""
        return bool(missing_types(champion.model.manifest.record_counts, self.past.counts))

    def _admitted(
        self, request: Request, kept: Mapping[Subject, list[ReceivedRecord]]
    ) -> Admitted | ServingError:
        own = request.submission
        rows = [row for subject in _subjects(own) for row in kept[subject]]
        found = completed(own, sorted(filter(partial(_belongs, own), rows), key=lambda r: r.key))
        submission = found.submission
        champion, unscored = self._champion(submission.subject_kind)
        try:
            return Admitted(
                request=request,
                submission=submission,
                attached=found.attached,
                office_id=request.caller.office_for(_office_named(submission)),
                champion=champion,
                unscored=unscored,
            )
        except ServingError as refusal:
            return refusal

    def _champion(self, kind: SubjectKind) -> tuple[LoadedModel | None, Unscored | None]:
        """Who answers, or why nobody does."""
        try:
            return self.champions.champion(kind), None
        except ModelsOff:
            return None, "switched_off"
        except NoModel:
            return None, "no_model"

    def _known(self, admitted: Sequence[Admitted]) -> list[Known]:
        """Each with its features; raises PastUnavailable."""
        vectors = self.past.vectors([each.submission for each in admitted])
        return [
            Known(**vars(each), vector=vector)
            for each, vector in zip(admitted, vectors, strict=True)
        ]

    def _decision(self, known: Known, scored: Scored | None) -> Decision:
        score, unseen = scored or (None, [])
        request, submission = known.request, known.submission
        danger = life_at_risk(submission)
        placement = self._placed(known, score, is_life_at_risk=danger is not None)
        return Decision(
            decision_id=str(uuid.uuid4()),
            scored_at=request.at,
            caller_id=request.caller.key_id,
            caller_name=request.caller.name,
            office_id=known.office_id,
            subject_kind=submission.subject_kind,
            subject_id=submission.subject_id,
            request_digest=request.digest,
            request=request.body.decode(),
            model=known.champion and ModelRef.of(known.champion),
            vector=known.vector,
            unseen=tuple(unseen),
            missing=tuple(missing_inputs(submission)),
            score=score,
            reasons=self._reasons(known, score),
            lane=placement.lane,
            lane_reason=placement.reason,
            life_at_risk=danger,
            hits=tuple(hit.words for hit in placement.hits),
            plan=self.lanes.plan.digest,
            lane_probabilities=placement.probabilities,
            selection_probability=placement.selection_probability,
            attached=known.attached,
            unscored=known.unscored,
            purpose=self.purpose,
            is_history_missing=known.champion is not None
            and self.is_history_missing(known.champion),
        )

    def _reasons(self, known: Known, score: Score | None) -> Reasons | None:
        if known.champion is None or score is None:
            return None
        return _reasons(self._comparisons(known.champion), known, score)

    def _comparisons(self, champion: LoadedModel) -> Comparisons:
        kind, own = champion.model.manifest.subject, champion.model
        if kind not in self._compared or self._compared[kind].model is not own:
            self._compared[kind] = Comparisons(own)
        return self._compared[kind]

    def _placed(self, known: Known, score: Score | None, *, is_life_at_risk: bool) -> Placement:
        submission, at = known.submission, known.request.at
        request = PlacementRequest(
            kind=submission.subject_kind,
            subject_id=submission.subject_id,
            office_id=known.office_id,
            at=at,
            probability=None if score is None else score.probability,
            is_life_at_risk=is_life_at_risk,
            hits=tuple(find_hits(self.lanes.plan, submission, known.vector, at)),
            challenger=challenger_score(self.champions, submission.subject_kind, known.vector),
        )
        champion = known.champion
        return self.lanes.place(
            request, champion.model.manifest.score_quantiles if champion else ()
        )

    def warm_up(self, examples: Iterable[Submission]) -> None:
        """Score and learn examples, and forget them: no request waits for what is made once."""
        told = [*examples]
        for example, vector in zip(told, self.past.warm_up(told), strict=True):
            with suppress(NoModel):
                score_of(self.champions.champion(example.subject_kind), vector)


def _subjects(submission: Submission) -> list[Subject]:
    """Of what records that came by themselves may tell: it, and the journey of a shipment."""
    subject = (submission.subject_kind, submission.subject_id)
    if submission.subject_kind == "route" or submission.journey is None:
        return [subject]
    return [subject, ("route", submission.journey.journey_id)]


def _belongs(submission: Submission, row: ReceivedRecord) -> bool:
    return row.kind in {"legs", "positions"} or row.subject_kind == submission.subject_kind


def _office_named(submission: Submission) -> str | None:
    return submission.shipment.office_id if submission.shipment else None


def _reasons(compared: Comparisons, known: Known, score: Score) -> Reasons:
    return ranking(known.submission.subject_kind).reasons(
        [*known.vector.values()],
        score.contributions,
        partial(compared.of, peers_of(known.submission)),
    )
