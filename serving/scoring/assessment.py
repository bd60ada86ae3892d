"""Decide subjects: enrich, features, score, lane, reasons, record.

`Assessor.assess` runs a group of parsed requests through these steps; the functions below it stand
in the order in which they are called. Nothing is logged here, and nobody is answered: the `batcher`
does that, once the decision is durable.
"""

import uuid
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from features.input_dependencies import missing_inputs
from features.linked_records import LINKED_RECORD_TYPES
from features.offences import Offence, offence_group
from features.peer_groups import peers_of
from features.records import SubjectKind
from features.subject_types import SUBJECT_TYPES
from features.submission import Submission
from features.vector import Vector
from serving.access.callers import Caller
from serving.audit.decision import Decision, ModelRef, Unscored, digest_of
from serving.audit.earlier_decisions import SCORES_AGAIN, EarlierDecisions
from serving.errors import Conflict, ServingError, SubmissionRefused
from serving.explanation.explained_score import Score, Scored, score_of, scores_of
from serving.explanation.formatting import Value
from serving.explanation.interactions import strongest_interactions
from serving.explanation.reason_ranking import Comparisons, Reasons
from serving.future_declarations import (
    MAX_AHEAD,
    DoubtsClock,
    clock_doubted,
    future_instant_fault,
    never_doubts,
)
from serving.history.client import HistoryClient
from serving.history.missing_history import missing_types
from serving.history.received_records import ReceivedRecord
from serving.models.errors import NoModel
from serving.models.model_pool import LoadedModel, ModelPool
from serving.scoring.enrichment import enrich, with_newest_legs
from serving.scoring.new_evidence import newly_counted
from serving.scoring.standing_declarations import as_standing, withdrawn_at
from serving.triage.disagreement import ChallengerScore
from serving.triage.lane_choice import EarlierSelection, Placement
from serving.triage.lane_declarations import WITHOUT_CASE
from serving.triage.lanes import Lanes, PlacementRequest
from serving.triage.life_at_risk import TIME_PASSED, DangerSignal, danger_signals, in_words
from serving.triage.watch_list_hits import find_hits

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.record_repository import RecordRepository

# Kind and id.
Subject = tuple[str, str]


@dataclass(frozen=True)
class AssessmentRequest:
    """A caller's submission and the instant it came; `body` is the bytes it was parsed from."""

    caller: Caller
    submission: Submission
    body: bytes
    at: datetime

    @property
    def digest(self) -> str:
        """SHA-256 of the body as received."""
        return digest_of(self.body)


@dataclass(frozen=True)
class EnrichedRequest:
    """A request that passed every check, with all that is known of its subject.

    `submission` includes the received records that count at its scoring instant; `attached` names
    the added ones. `danger_signals` are computed once, with the newest known versions of the legs,
    since a journey that has arrived is not in danger because it is late. `earlier` and `because`
    are set only when a subject is scored again as of a later instant. Without a `champion` there is
    no score, and `unscored` gives the reason.
    """

    request: AssessmentRequest
    submission: Submission
    attached: tuple[str, ...]
    danger_signals: tuple[DangerSignal, ...]
    earlier: EarlierDecisions | None
    because: tuple[str, ...]
    office_id: str | None
    champion: LoadedModel | None
    unscored: Unscored | None


@dataclass(frozen=True)
class Assessor:
    """The models, records and rules that a decision depends on besides the request."""

    models: ModelPool
    history: HistoryClient
    records: "RecordRepository"
    lanes: Lanes
    decided: "DecisionRepository"
    purpose: str | None = None
    doubts_clock: DoubtsClock = never_doubts
    _compared: dict[SubjectKind, Comparisons] = field(default_factory=dict)

    def assess(self, requests: Sequence[AssessmentRequest]) -> list[Decision | ServingError]:
        """Decide each request without logging it; return an error in place of a refused one.

        Errors are Forbidden (another office), SubmissionRefused (declared ahead of the clock),
        Conflict or Unavailable. Requests of one group are not part of each other's history. A
        decision has no score where no model may be used.
        """
        outcomes = self.enrich(requests)
        enriched = [each for each in outcomes if isinstance(each, EnrichedRequest)]
        try:
            vectors = self.history.vectors([each.submission for each in enriched])
        except ServingError as failure:
            return [each if isinstance(each, ServingError) else failure for each in outcomes]
        scores = iter(
            # One call scores the whole group: an additional row costs little, and each row gets
            # the same bits as if scored alone.
            scores_of(
                [
                    (each.champion, vector)
                    for each, vector in zip(enriched, vectors, strict=True)
                    if each.champion
                ]
            )
        )
        decisions = iter(
            [
                self._decision(each, vector, next(scores) if each.champion else None)
                for each, vector in zip(enriched, vectors, strict=True)
            ]
        )
        return [each if isinstance(each, ServingError) else next(decisions) for each in outcomes]

    def enrich(self, requests: Sequence[AssessmentRequest]) -> list[EnrichedRequest | ServingError]:
        """Add the received records to each request; return its error where it is refused."""
        records = self.records.about(
            [subject for request in requests for subject in _subjects(request.submission)]
        )
        return [self._enriched(request, records) for request in requests]

    def _enriched(
        self, request: AssessmentRequest, records: Mapping[Subject, list[ReceivedRecord]]
    ) -> EnrichedRequest | ServingError:
        own, at = request.submission, request.at
        if (ahead := _refusal_ahead(request, self.doubts_clock)) is not None:
            return ahead
        rows = [row for subject in _subjects(own) for row in records[subject]]
        # Rows of several subjects arrive in any order. Sorting them makes the enriched submission,
        # and so the decision, reproducible.
        rows = sorted(filter(partial(_belongs, own), rows), key=lambda row: row.key)
        submission, attached = enrich(own, rows)
        known = with_newest_legs(submission, rows, at)
        signals = danger_signals(known, submission.scoring_instant)
        try:
            # A withdrawn declaration is refused unless lives may be at risk: withdrawing a journey
            # must not hide people in danger.
            if not signals:
                _require_declared(known, rows, at)
            earlier = _earlier_decisions(submission, self.decided)
            named = submission.shipment.office_id if submission.shipment else None
            office_id = request.caller.office_for(named)
        except ServingError as refusal:
            return refusal
        champion, unscored = self._champion(submission, at)
        return EnrichedRequest(
            request=request,
            submission=submission,
            attached=attached,
            danger_signals=signals,
            earlier=earlier,
            because=_new_evidence(earlier, submission, known, signals),
            office_id=office_id,
            champion=champion,
            unscored=unscored,
        )

    def _champion(
        self, submission: Submission, at: datetime
    ) -> tuple[LoadedModel | None, Unscored | None]:
        """Return the usable champion, or None with the reason why there is no score."""
        # Only on rescoring: the declaration was accepted while the clock was wrong.
        if submission.scoring_instant > at + MAX_AHEAD:
            return None, "declared_ahead"
        try:
            return self.models.champion(submission.subject_kind), None
        except NoModel as missing:
            is_off = missing.problem.code == "models-off"
            return None, "switched_off" if is_off else "no_model"

    def _decision(
        self, enriched: EnrichedRequest, vector: Vector, scored: Scored | None
    ) -> Decision:
        """Choose the lane, rank the reasons and assemble the record of the decision."""
        score, unseen = scored or (None, [])
        request, submission, earlier = enriched.request, enriched.submission, enriched.earlier
        champion, plan = enriched.champion, self.lanes.plan
        own = vector if champion is None else champion.model.encoding.own(vector)
        harm_ratio = _harm_ratio(submission, champion, plan.harm)
        placement = self._place(enriched, vector, score, harm_ratio)
        return Decision(
            decision_id=str(uuid.uuid4()),
            scored_at=request.at,
            caller_id=request.caller.key_id,
            caller_name=request.caller.name,
            office_id=enriched.office_id,
            subject_kind=submission.subject_kind,
            subject_id=submission.subject_id,
            request_digest=request.digest,
            request=request.body.decode(),
            model=champion and ModelRef.from_loaded(champion),
            vector=own,
            unseen=tuple(unseen),
            missing=tuple(missing_inputs(submission)),
            score=score,
            reasons=self._reasons(enriched, own, vector.said_with, score, placement),
            said_with={**vector.said_with},
            lane=placement.lane,
            lane_reason=placement.reason,
            life_at_risk=in_words(enriched.danger_signals),
            danger_signals=enriched.danger_signals,
            hits=tuple(hit.words for hit in placement.hits),
            plan=plan.digest,
            lane_probabilities=placement.probabilities,
            selection_probability=placement.selection_probability,
            drawn_with=placement.drawn_with,
            unread={} if own is vector else {n: vector[n] for n in vector if n not in own},
            linked_records=enriched.attached,
            unscored=enriched.unscored,
            purpose=self.purpose,
            is_history_missing=champion is not None and self.is_history_missing(champion),
            as_of=submission.as_of,
            rescores=earlier.first_id if earlier else None,
            lane_before=earlier.newest.lane if earlier else None,
            because=enriched.because,
            harm_weights=plan.harm,
            harm_ratio=harm_ratio,
        )

    def _place(
        self,
        enriched: EnrichedRequest,
        vector: Vector,
        score: Score | None,
        harm_ratio: float | None,
    ) -> Placement:
        """Choose the lane from danger signals, watch-lists, rules, score and random draws."""
        submission, at = enriched.submission, enriched.request.at
        before = enriched.earlier.newest if enriched.earlier else None
        request = PlacementRequest(
            kind=submission.subject_kind,
            subject_id=submission.subject_id,
            office_id=enriched.office_id,
            at=at,
            probability=None if score is None else score.probability,
            is_life_at_risk=bool(enriched.danger_signals),
            hits=tuple(find_hits(self.lanes.plan, submission, vector, at)),
            challenger=challenger_score(self.models, submission.subject_kind, vector),
            earlier=None
            if before is None
            else EarlierSelection.of_probabilities(
                before.lane, before.lane_reason, before.lane_probabilities
            ),
            harm_ratio=1.0 if harm_ratio is None else harm_ratio,
        )
        champion = enriched.champion
        return self.lanes.place(
            request, champion.model.manifest.score_quantiles if champion else ()
        )

    def _reasons(
        self,
        enriched: EnrichedRequest,
        own: Mapping[str, Value],
        said_with: Mapping[str, Mapping[str, float]],
        score: Score | None,
        placement: Placement,
    ) -> Reasons | None:
        """Rank the reasons of a score if someone will read them; None otherwise.

        Reasons that are not ranked now can be derived from the stored decision later.
        """
        may_read = enriched.request.caller.may("explain") or enriched.earlier is not None
        is_read = may_read or placement.lane not in WITHOUT_CASE
        if enriched.champion is None or score is None or not is_read:
            return None
        kind, model = enriched.submission.subject_kind, enriched.champion.model
        # A promotion swaps the model of a kind, so cached comparisons are valid only for the very
        # same model object.
        if kind not in self._compared or self._compared[kind].model is not model:
            self._compared[kind] = Comparisons(model)
        compared = self._compared[kind]
        return compared.ranking.reasons(
            [*own.values()],
            score.contributions,
            partial(compared.of, peers_of(enriched.submission)),
            said_with,
        )

    def is_history_missing(self, champion: LoadedModel) -> bool:
        """Return True if history holds too few records of a type the model was trained on."""
        return bool(missing_types(champion.model.manifest.record_counts, self.history.counts))

    def warm_up(self, examples: Iterable[Submission]) -> None:
        """Score examples and discard the results, so that no request pays for one-time set-up."""
        submissions = [*examples]
        vectors = self.history.warm_up(submissions)
        for example, vector in zip(submissions, vectors, strict=True):
            with suppress(NoModel):
                champion = self.models.champion(example.subject_kind)
                score_of(champion, vector)
                strongest_interactions(champion.scorer, vector, count=1)


def challenger_score(
    models: ModelPool, kind: SubjectKind, vector: Mapping[str, Value]
) -> ChallengerScore | None:
    """Return the challenger's score of a vector, without reasons; None without a challenger.

    The control draw is raised where the two models disagree, so the lane cannot wait for
    `shadow_scoring`, which stores the challenger's full score once the decision is durable.
    """
    challenger = models.challengers(kind).get("challenger")
    if challenger is None:
        return None
    row, _ = challenger.model.encode(vector)
    (probability,) = challenger.scorer.probabilities(row.reshape(1, -1)).tolist()
    return ChallengerScore(probability, challenger.model.manifest.score_quantiles)


def _subjects(submission: Submission) -> list[Subject]:
    """Return the subjects whose received records belong to it: itself, and a shipment's journey."""
    subject = (submission.subject_kind, submission.subject_id)
    if not SUBJECT_TYPES[submission.subject_kind].has_journey or submission.journey is None:
        return [subject]
    return [subject, ("route", submission.journey.journey_id)]


def _belongs(submission: Submission, row: ReceivedRecord) -> bool:
    """Return True for a received record of the subject itself, or of its journey."""
    record_type = LINKED_RECORD_TYPES.get(row.kind)
    is_of_journey = record_type is not None and not record_type.has_subject_kind
    return is_of_journey or row.subject_kind == submission.subject_kind


def _refusal_ahead(request: AssessmentRequest, doubts_clock: DoubtsClock) -> ServingError | None:
    """Return the refusal of a declaration or scoring instant that lies ahead of the clock.

    Rescoring by the service itself is exempt: the original declaration was checked when it arrived.
    """
    submission, at = request.submission, request.at
    if request.caller.key_id == SCORES_AGAIN:
        return None
    own = SUBJECT_TYPES[submission.subject_kind].submission_field
    instants = {f"/{own}/declared_at": submission.declared_at, "/as_of": submission.as_of}
    if submission.journey is not None:
        instants["/journey/declared_at"] = submission.journey.declared_at
    given = [(pointer, instant) for pointer, instant in instants.items() if instant]
    faults = tuple(filter(None, (future_instant_fault(*each, at) for each in given)))
    if not faults:
        return None
    # If the service's own clock is in doubt, the caller may be right: report that instead of
    # refusing the declaration.
    if doubts_clock(at):
        return clock_doubted(at)
    return SubmissionRefused(f"declared ahead of the clock: {faults[0].detail}", faults)


def _require_declared(known: Submission, rows: Sequence[ReceivedRecord], at: datetime) -> None:
    """Raise Conflict if the declaration was withdrawn."""
    if as_standing(known, rows, at) is not None:
        return
    since = withdrawn_at(known, rows, at)
    raise Conflict(
        f"{known.subject_kind} {known.subject_id} was withdrawn, as is known since {since}: submit "
        "a version later than that, which declares it anew",
        code="declaration-withdrawn",
    )


def _earlier_decisions(
    submission: Submission, decided: "DecisionRepository"
) -> EarlierDecisions | None:
    """Return the earlier decisions about the subject; None for a request without `as_of`.

    Raises Conflict if `as_of` precedes the newest decision, since scoring instants never go back.
    """
    if submission.as_of is None:
        return None
    earlier = decided.earlier(submission.subject_kind, submission.subject_id)
    if earlier and submission.as_of < earlier.newest.known_until:
        raise Conflict(
            "the subject was scored as of a later instant already", code="scored-as-of-later"
        )
    return earlier


def _new_evidence(
    earlier: EarlierDecisions | None,
    submission: Submission,
    known: Submission,
    signals: tuple[DangerSignal, ...],
) -> tuple[str, ...]:
    """Name the records that count since the newest decision, and elapsed time if it adds danger."""
    if earlier is None:
        return ()
    because = [name for name, _ in newly_counted(earlier.newest, submission)]
    before = {each.code for each in danger_signals(known, earlier.newest.known_until)}
    if any(each.code not in before for each in signals):
        because.append(TIME_PASSED)
    return tuple(because)


def _harm_ratio(
    submission: Submission, champion: LoadedModel | None, harm: Mapping[Offence, float]
) -> float | None:
    """Return the harm of a find relative to an average one; None where harm is not weighed."""
    if champion is None or not harm:
        return None
    shipment, journey = submission.shipment, submission.journey
    group = offence_group(journey.mode if journey else None, shipment.hs_code if shipment else None)
    return champion.model.manifest.offence_shares.harm_ratio(harm, group)
