"""Assess subjects: features, score, reasons and lane, put together into decisions."""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Any

from features.input_dependencies import missing_inputs
from features.linked_records import LINKED_RECORD_TYPES
from features.offences import offence_group
from features.peer_groups import peers_of
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from features.vector import Vector
from serving.access.callers import Caller
from serving.audit.decision import Decision, ModelRef, Unscored, digest_of
from serving.audit.earlier_decisions import SCORES_AGAIN, DecidedSubjects, EarlierDecisions
from serving.declared_ahead import (
    MAX_AHEAD,
    DoubtsClock,
    clock_doubted,
    fault_ahead,
    never_doubts,
)
from serving.errors import Conflict, ServingError, SubmissionRefused
from serving.explanation.comparison import Comparisons
from serving.explanation.explained_score import Score, Scored, score_of, scores_of
from serving.explanation.reason_ranking import Reasons, ranking
from serving.history.client import HistoryClient
from serving.history.missing_history import missing_types
from serving.history.received_records import ReceivedRecord, RecordStore
from serving.models.errors import ModelsOff, NoModel
from serving.models.model_pool import LoadedModel, ModelPool
from serving.scoring.challenger_score import challenger_score
from serving.scoring.enrichment import enrich, with_newest_legs
from serving.scoring.newly_counted import newly_counted
from serving.scoring.standing_declarations import as_standing, withdrawn_at
from serving.triage.lane_rule import WITHOUT_CASE, EarlierSelection, Placement
from serving.triage.lanes import Lanes, PlacementRequest
from serving.triage.life_at_risk import TIME_PASSED, begun_by_time, danger_signals, in_words
from serving.triage.watch_list_hits import find_hits

Subject = tuple[str, str]
"""Kind and id."""


@dataclass(frozen=True)
class AssessmentRequest:
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
class AdmittedRequest:
    """A request that may be decided, and the model for it; `attached` names the added records.

    `known` is the submission with what legs became since its scoring instant: of who has arrived
    by now no delay is a danger.
    `earlier` is what was decided of a subject that is scored again, as of a later instant. Without
    a `champion` no score follows, and `unscored` says why.
    """

    request: AssessmentRequest
    submission: Submission
    known: Submission
    attached: tuple[str, ...]
    earlier: EarlierDecisions | None
    office_id: str | None
    champion: LoadedModel | None
    unscored: Unscored | None


@dataclass(frozen=True)
class EncodedRequest(AdmittedRequest):
    """An admitted request with its features."""

    vector: Vector


@dataclass(frozen=True)
class Assessor:
    """Everything a decision depends on besides the request."""

    models: ModelPool
    history: HistoryClient
    records: RecordStore
    lanes: Lanes
    decided: DecidedSubjects
    purpose: str | None = None
    doubts_clock: DoubtsClock = never_doubts
    _compared: dict[SubjectKind, Comparisons] = field(default_factory=dict)

    def assess(self, requests: Sequence[AssessmentRequest]) -> list[Decision | ServingError]:
        """Decide each, without logging it, or say why not.

        An error is Forbidden (a foreign office), SubmissionRefused (a declaration ahead of the
        clock), a Conflict or Unavailable. None is part of another's history.
        Where no model may answer, a decision has no score.
        """
        admitted = self.admitted(requests)
        try:
            encoded = self._encoded(
                [item for item in admitted if isinstance(item, AdmittedRequest)]
            )
        except ServingError as failure:
            return [item if isinstance(item, ServingError) else failure for item in admitted]
        scores = iter(
            scores_of([(item.champion, item.vector) for item in encoded if item.champion])
        )
        decided = (
            self._decision(item, next(scores) if item.champion else None) for item in encoded
        )
        return [item if isinstance(item, ServingError) else next(decided) for item in admitted]

    def admitted(
        self, requests: Sequence[AssessmentRequest]
    ) -> list[AdmittedRequest | ServingError]:
        """Each as it would be decided, or why it would not: the errors of the request itself."""
        records = self.records.about(
            [subject for request in requests for subject in _subjects(request.submission)]
        )
        return [self._admitted(request, records) for request in requests]

    def is_history_missing(self, champion: LoadedModel) -> bool:
        """Whether too little is encoded of what the model was trained on (`missing_history`)."""
        return bool(missing_types(champion.model.manifest.record_counts, self.history.counts))

    def _admitted(
        self, request: AssessmentRequest, records: Mapping[Subject, list[ReceivedRecord]]
    ) -> AdmittedRequest | ServingError:
        own = request.submission
        if (ahead := self._refused_ahead(request)) is not None:
            return ahead
        rows = [row for subject in _subjects(own) for row in records[subject]]
        rows = sorted(filter(partial(_belongs, own), rows), key=lambda r: r.key)
        enriched = enrich(own, rows)
        submission = enriched.submission
        known = with_newest_legs(submission, rows, request.at)
        champion, unscored = self._champion(submission, request.at)
        try:
            _require_declared(known, rows, request.at)
            return AdmittedRequest(
                request=request,
                submission=submission,
                known=known,
                attached=enriched.attached,
                earlier=self._earlier(submission),
                office_id=request.caller.office_for(_office_named(submission)),
                champion=champion,
                unscored=unscored,
            )
        except ServingError as refusal:
            return refusal

    def _refused_ahead(self, request: AssessmentRequest) -> ServingError | None:
        """Return the refusal of a declaration, or of a scoring instant, ahead of the clock.

        What the service scores again was taken before, whatever the clock said then.
        """
        submission, at = request.submission, request.at
        if request.caller.key_id == SCORES_AGAIN:
            return None
        own = SUBJECT_TYPES[submission.subject_kind].submission_field
        instants = {f"/{own}/declared_at": submission.declared_at, "/as_of": submission.as_of}
        if submission.journey is not None:
            instants["/journey/declared_at"] = submission.journey.declared_at
        given = [(pointer, instant) for pointer, instant in instants.items() if instant]
        faults = tuple(filter(None, (fault_ahead(*each, at) for each in given)))
        if not faults:
            return None
        if self.doubts_clock(at):
            return clock_doubted(at)
        return SubmissionRefused(f"declared ahead of the clock: {faults[0].detail}", faults)

    def _earlier(self, submission: Submission) -> EarlierDecisions | None:
        """What was decided before of a subject that says its scoring instant.

        Raises Conflict.
        """
        if submission.as_of is None:
            return None
        earlier = self.decided.earlier(submission.subject_kind, submission.subject_id)
        if earlier and submission.as_of < earlier.newest.known_until:
            raise Conflict(
                "the subject was scored as of a later instant already", code="scored-as-of-later"
            )
        return earlier

    def _champion(
        self, submission: Submission, at: datetime
    ) -> tuple[LoadedModel | None, Unscored | None]:
        """The champion, or why there is none, or none that may be asked."""
        if submission.scoring_instant > at + MAX_AHEAD:  # scored again: taken by a wrong clock
            return None, "declared_ahead"
        try:
            return self.models.champion(submission.subject_kind), None
        except ModelsOff:
            return None, "switched_off"
        except NoModel:
            return None, "no_model"

    def _encoded(self, admitted: Sequence[AdmittedRequest]) -> list[EncodedRequest]:
        """Compute the features of each; raises HistoryUnavailable."""
        vectors = self.history.vectors([item.submission for item in admitted])
        return [
            EncodedRequest(**vars(item), vector=vector)
            for item, vector in zip(admitted, vectors, strict=True)
        ]

    def _decision(self, encoded: EncodedRequest, scored: Scored | None) -> Decision:
        score, unseen = scored or (None, [])
        request, submission = encoded.request, encoded.submission
        signals = danger_signals(encoded.known, submission.scoring_instant)
        harm_ratio = self._harm_ratio(encoded)
        placement = self._placed(encoded, score, harm_ratio, is_life_at_risk=bool(signals))
        is_to_be_read = placement.lane not in WITHOUT_CASE or _is_read_anyway(encoded)
        return Decision(
            decision_id=str(uuid.uuid4()),
            scored_at=request.at,
            caller_id=request.caller.key_id,
            caller_name=request.caller.name,
            office_id=encoded.office_id,
            subject_kind=submission.subject_kind,
            subject_id=submission.subject_id,
            request_digest=request.digest,
            request=request.body.decode(),
            model=encoded.champion and ModelRef.from_loaded(encoded.champion),
            vector=encoded.vector,
            unseen=tuple(unseen),
            missing=tuple(missing_inputs(submission)),
            score=score,
            reasons=self._reasons(encoded, score) if is_to_be_read else None,
            said_with={**encoded.vector.said_with},
            lane=placement.lane,
            lane_reason=placement.reason,
            life_at_risk=in_words(signals),
            danger_signals=signals,
            hits=tuple(hit.words for hit in placement.hits),
            plan=self.lanes.plan.digest,
            lane_probabilities=placement.probabilities,
            selection_probability=placement.selection_probability,
            drawn_with=placement.drawn_with,
            linked_records=encoded.attached,
            unscored=encoded.unscored,
            purpose=self.purpose,
            is_history_missing=encoded.champion is not None
            and self.is_history_missing(encoded.champion),
            as_of=submission.as_of,
            **_scored_again(encoded),
            harm_weights=self.lanes.plan.harm,
            harm_ratio=harm_ratio,
        )

    def _harm_ratio(self, encoded: EncodedRequest) -> float | None:
        """How much harm a find would be of beside a usual one; None where harm is not weighed."""
        if encoded.champion is None or not self.lanes.plan.harm:
            return None
        shipment, journey = encoded.submission.shipment, encoded.submission.journey
        group = offence_group(
            journey.mode if journey else None, shipment.hs_code if shipment else None
        )
        shares = encoded.champion.model.manifest.offence_shares
        return shares.harm_ratio(self.lanes.plan.harm, group)

    def _reasons(self, encoded: EncodedRequest, score: Score | None) -> Reasons | None:
        if encoded.champion is None or score is None:
            return None
        return _reasons(self._comparisons(encoded.champion), encoded, score)

    def _comparisons(self, champion: LoadedModel) -> Comparisons:
        kind, own = champion.model.manifest.subject, champion.model
        if kind not in self._compared or self._compared[kind].model is not own:
            self._compared[kind] = Comparisons(own)
        return self._compared[kind]

    def _placed(
        self,
        encoded: EncodedRequest,
        score: Score | None,
        harm_ratio: float | None,
        *,
        is_life_at_risk: bool,
    ) -> Placement:
        submission, at = encoded.submission, encoded.request.at
        request = PlacementRequest(
            kind=submission.subject_kind,
            subject_id=submission.subject_id,
            office_id=encoded.office_id,
            at=at,
            probability=None if score is None else score.probability,
            is_life_at_risk=is_life_at_risk,
            hits=tuple(find_hits(self.lanes.plan, submission, encoded.vector, at)),
            challenger=challenger_score(self.models, submission.subject_kind, encoded.vector),
            earlier=_selection(encoded.earlier),
            harm_ratio=1.0 if harm_ratio is None else harm_ratio,
        )
        champion = encoded.champion
        return self.lanes.place(
            request, champion.model.manifest.score_quantiles if champion else ()
        )

    def warm_up(self, examples: Iterable[Submission]) -> None:
        """Score examples, and forget them, so that no request waits for what is made once."""
        submissions = [*examples]
        vectors = self.history.warm_up(submissions)
        for example, vector in zip(submissions, vectors, strict=True):
            with suppress(NoModel):
                score_of(self.models.champion(example.subject_kind), vector)


def _subjects(submission: Submission) -> list[Subject]:
    """The subjects whose received records belong to it: itself, and the journey of a shipment."""
    subject = (submission.subject_kind, submission.subject_id)
    if not SUBJECT_TYPES[submission.subject_kind].has_journey or submission.journey is None:
        return [subject]
    return [subject, ("route", submission.journey.journey_id)]


def _belongs(submission: Submission, row: ReceivedRecord) -> bool:
    """Whether a received record is one of the subject's own, or one of its journey."""
    record_type = LINKED_RECORD_TYPES.get(row.kind)
    is_of_journey = record_type is not None and not record_type.has_subject_kind
    return is_of_journey or row.subject_kind == submission.subject_kind


def _require_declared(known: Submission, rows: Sequence[ReceivedRecord], at: datetime) -> None:
    """Raise Conflict where that was received, but of what may be a life in danger."""
    if as_standing(known, rows, at) is not None or danger_signals(known, known.scoring_instant):
        return
    since = withdrawn_at(known, rows, at)
    raise Conflict(
        f"{known.subject_kind} {known.subject_id} was withdrawn, as is known since {since}: submit "
        "a version later than that, which declares it anew",
        code="declaration-withdrawn",
    )


def _scored_again(encoded: EncodedRequest) -> dict[str, Any]:
    """What a decision holds of the decisions before it; nothing where there are none."""
    if encoded.earlier is None:
        return {}
    newest, submission = encoded.earlier.newest, encoded.submission
    because = [name for name, _ in newly_counted(newest, submission)]
    if begun_by_time(encoded.known, newest.known_until, submission.scoring_instant):
        because.append(TIME_PASSED)
    return {
        "rescores": encoded.earlier.first_id,
        "lane_before": newest.lane,
        "because": tuple(because),
    }


def _is_read_anyway(encoded: EncodedRequest) -> bool:
    """Whether reasons are read whatever the lane: by who asks, or in the case there may be."""
    return encoded.request.caller.may("explain") or encoded.earlier is not None


def _selection(earlier: EarlierDecisions | None) -> EarlierSelection | None:
    if earlier is None:
        return None
    newest = earlier.newest
    return EarlierSelection.of_probabilities(
        newest.lane, newest.lane_reason, newest.lane_probabilities
    )


def _office_named(submission: Submission) -> str | None:
    return submission.shipment.office_id if submission.shipment else None


def _reasons(compared: Comparisons, encoded: EncodedRequest, score: Score) -> Reasons:
    return ranking(encoded.submission.subject_kind).reasons(
        [*encoded.vector.values()],
        score.contributions,
        partial(compared.of, peers_of(encoded.submission)),
        encoded.vector.said_with,
    )
