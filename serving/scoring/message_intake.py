"""Takes standard messages: each is kept once with its records, and its subjects are scored.

All or nothing: what is refused is refused before anything is stored. Then the message and its
records are durable together, and the decisions follow: whoever was killed between finishes under
the same key.
"""

import asyncio
import hashlib
import re
import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Literal

import orjson

from features.messages.bounds import Bounds
from features.messages.concerned_parts import concerned_parts
from features.messages.options import Options
from features.messages.redaction import NO_TEXT, redacted
from serving.access.callers import Caller
from serving.errors import BodyTooLarge, MessageUnreadable, ServingError, SubmissionRefused
from serving.history.ingestion import CheckedRecord, RecordIngestion
from serving.history.kept_messages import KeptMessage, MessageContent, MessageStore
from serving.request_parsing import read_submission
from serving.scoring.assessment import AdmittedRequest, AssessmentRequest
from serving.scoring.batcher import AnswerFormat, RequestBatcher, ScoreRequest
from serving.scoring.errors import IdempotencyKeyReused
from serving.scoring.idempotency import Answer, AnswerStore, IdempotencyClaims
from serving.scoring.message_plan import (
    MadeSubject,
    ReadMessage,
    at_places,
    body_of_records,
    concerned_at,
    place_in_submission,
    place_of,
    placed_records,
    read_once,
    submission_of,
)
from serving.scoring.message_versions import KnownVersions
from serving.scoring.ships import ShipJourneys, ShipPositions
from serving.triage.life_at_risk import danger_signals


@dataclass(frozen=True)
class MessageReadAs:
    """What whoever sends a message says beside it; received when it is taken, without more."""

    received_at: datetime | Literal["sent"] | None = None
    zone: tzinfo = UTC
    shipment_pattern: re.Pattern[str] | None = None
    journey_pattern: re.Pattern[str] | None = None
    heard_at: datetime | None = None

    def options(self, key: bytes, taken_at: datetime, bounds: Bounds) -> Options:
        """The options of a reader."""
        given = taken_at if self.received_at is None else self.received_at
        return Options(
            key=key,
            received_at=None if given == "sent" else given,
            zone=self.zone,
            shipment_pattern=self.shipment_pattern,
            journey_pattern=self.journey_pattern,
            heard_at=self.heard_at,
            bounds=bounds,
        )

    @property
    def words(self) -> tuple[str, ...]:
        """All of it in words, the same for the same."""
        patterns = (self.shipment_pattern, self.journey_pattern)
        return (
            str(self.received_at),
            str(self.zone),
            *(str(each and each.pattern) for each in patterns),
            str(self.heard_at),
        )


@dataclass(frozen=True)
class SentMessage:
    """A message as it came: from whom, under which key, in which format, and when."""

    caller: Caller
    idempotency_key: str
    format: str
    read_as: MessageReadAs
    body: bytes
    at: datetime

    @property
    def request_digest(self) -> str:
        """SHA-256 of the body and of all that says how it is read."""
        digest = hashlib.sha256(orjson.dumps([self.format, *self.read_as.words]))
        digest.update(self.body)
        return digest.hexdigest()

    def key_of(self, number: int) -> str:
        """The idempotency key of one of its decisions, which no caller can send."""
        return f"{self.idempotency_key} message {number}"


@dataclass(frozen=True)
class TakenMessage:
    """A message that is kept, and the answers about its subjects in their order."""

    message: KeptMessage
    answers: tuple[Answer, ...]
    is_replayed: bool


@dataclass(frozen=True)
class PlannedMessage:
    """What is to be kept of a message: itself, its new records, and the bodies to score."""

    message: KeptMessage
    records: tuple[CheckedRecord, ...]
    bodies: tuple[bytes, ...]
    asked_count: int
    """Of the bodies, how many the message asks to score: a life is looked for unasked."""


class MessageIntake:
    """Takes the messages of one service."""

    def __init__(
        self,
        store: MessageStore,
        ingestion: RecordIngestion,
        batcher: RequestBatcher,
        answers: AnswerStore,
        party_key: bytes,
        most_subjects: int,
        most_bytes_of_subject: int,
        ship_journeys: ShipJourneys,
    ):
        self._store = store
        self._ingestion = ingestion
        self._batcher = batcher
        self._answers = answers
        self._party_key = party_key
        self._most_subjects = most_subjects
        self._most_bytes_of_subject = most_bytes_of_subject
        self._claims = IdempotencyClaims()
        self._versions = KnownVersions(batcher.assessor.decided, ingestion.store)
        self._ships = ShipPositions(ship_journeys, ingestion.decisions)

    async def take(
        self,
        sent: SentMessage,
        bounds: Bounds,
        answer_format: AnswerFormat,
        admit: Callable[[int], None],
    ) -> TakenMessage:
        """Keep a message and score its subjects; `admit` counts those before anything is stored.

        `answer_format` words their decisions, for every caller alike.

        Raises MessageUnreadable with places, IdempotencyKeyReused, StillInProgress, Forbidden,
        Conflict, BodyTooLarge, what `admit` raises, and Unavailable: the same key then goes on.
        """
        claim = sent.caller.key_id, sent.idempotency_key
        self._claims.acquire(claim)
        try:
            kept = await asyncio.to_thread(self._kept, sent)
            given = None if kept is None else await asyncio.to_thread(self._given, sent, kept)
            if kept is not None and given is not None:
                return TakenMessage(kept, given, is_replayed=True)
            planned = await asyncio.to_thread(self._plan, sent, bounds, kept)
            if kept is None:
                admit(planned.asked_count)
                await asyncio.to_thread(self._keep, planned)
            await asyncio.to_thread(self._let_know, planned, sent.at)
            answers = await self._score(sent, planned.bodies, answer_format)
            return TakenMessage(planned.message, answers, is_replayed=False)
        finally:
            self._claims.release(claim)

    def _kept(self, sent: SentMessage) -> KeptMessage | None:
        """What was kept under the key; raises IdempotencyKeyReused where that was another."""
        kept = self._store.under_key(sent.caller.key_id, sent.idempotency_key)
        if kept is not None and kept.content.request_digest != sent.request_digest:
            raise IdempotencyKeyReused("this idempotency key was used before with another message")
        return kept

    def _given(self, sent: SentMessage, kept: KeptMessage) -> tuple[Answer, ...] | None:
        """The answers that were given about a message; None where not all of them were.

        Of one that made nothing to score there are none, and it is done once history knows it.
        """
        claims = [
            (sent.caller.key_id, sent.key_of(number))
            for number, _ in enumerate(kept.content.scored)
        ]
        given = self._answers.answers(claims)
        if len(given) < len(claims):
            return None
        if not claims:
            self._let_know_again(kept, sent.at)
        return tuple(Answer(given[claim].body) for claim in claims)

    def _plan(self, sent: SentMessage, bounds: Bounds, kept: KeptMessage | None) -> PlannedMessage:
        """All that is to be kept and scored; of a message that was kept the same again."""
        read_at = datetime.fromisoformat(kept.content.read_at) if kept else sent.at
        options = sent.read_as.options(self._party_key, read_at, bounds)
        stated = read_once(sent.format, sent.body, options)
        if stated.subject_count > self._most_subjects:
            raise BodyTooLarge(f"a message may make {self._most_subjects} journeys and shipments")
        numbered = self._versions.numbered(self._ships.assigned(stated, sent.caller), read_at)
        in_danger = self._in_danger(sent, numbered, read_at, kept)
        read = numbered.with_subjects(in_danger)
        records = self._checked(sent, read)
        requests = [
            self._request(sent, subject, read, records, read_at) for subject in read.subjects
        ]
        decidable = self._batcher.assessor.admitted(requests)
        for subject, admitted in zip(read.subjects, decidable, strict=True):
            if isinstance(admitted, SubmissionRefused):
                raise _at_places_of(subject, read, admitted)
            if isinstance(admitted, ServingError):
                raise admitted
        bodies = tuple(request.body for request in requests)
        asked_count = len(bodies) - len(in_danger)
        if kept is not None:
            return PlannedMessage(kept, records, bodies, asked_count)
        redaction = (
            redacted(sent.format, sent.body, read.conversion, bounds)
            if read.conversion.records
            else NO_TEXT  # nothing rests on it
        )
        placed = placed_records(read, records)
        content = MessageContent(
            request_digest=sent.request_digest,
            sha256=hashlib.sha256(sent.body).hexdigest(),
            size_bytes=len(sent.body),
            read_at=read_at.isoformat(),
            report=read.conversion.report(),
            records=placed,
            scored=tuple((subject.kind, subject.id) for subject in read.subjects),
            text=redaction.text,
            spans={place: (span.start, span.end) for place, span in redaction.spans.items()},
            parts=tuple(concerned_parts(redaction, concerned_at(placed), read.conversion.not_made)),
        )
        message = KeptMessage(
            message_id=str(uuid.uuid4()),
            caller_id=sent.caller.key_id,
            idempotency_key=sent.idempotency_key,
            received_at=sent.at.isoformat(),
            format=sent.format,
            content=content,
        )
        return PlannedMessage(message, records, bodies, asked_count)

    def _in_danger(
        self, sent: SentMessage, read: ReadMessage, at: datetime, kept: KeptMessage | None
    ) -> list[MadeSubject]:
        """The journeys of withdrawn goods that show danger to life, or did when it was kept."""
        told = read.looked_at
        if kept is not None:
            return [each for each in told if (each.kind, each.id) in kept.content.scored]
        requests = [self._request(sent, each, read, (), at) for each in told]
        admitted = self._batcher.assessor.admitted(requests)
        return [each for each, seen in zip(told, admitted, strict=True) if _shows_danger(seen)]

    def _checked(self, sent: SentMessage, read: ReadMessage) -> tuple[CheckedRecord, ...]:
        by_type = read.by_themselves
        if not by_type:
            return ()
        try:
            checked = self._ingestion.checked(sent.caller, body_of_records(by_type), sent.at)
        except SubmissionRefused as refusal:
            places = [place_of(fault.pointer, by_type) for fault in refusal.faults]
            raise at_places(refusal, places) from None
        return tuple(checked)

    def _request(
        self,
        sent: SentMessage,
        subject: MadeSubject,
        read: ReadMessage,
        records: Sequence[CheckedRecord],
        at: datetime,
    ) -> AssessmentRequest:
        """The request to score a subject; raises MessageUnreadable, or BodyTooLarge."""
        body = orjson.dumps(submission_of(subject, read, records, at))
        if len(body) > self._most_bytes_of_subject:
            raise BodyTooLarge(f"a subject may have {self._most_bytes_of_subject} bytes")
        try:
            submission = read_submission(body)
        except SubmissionRefused as refusal:
            raise _at_places_of(subject, read, refusal) from None
        return AssessmentRequest(sent.caller, submission, body, sent.at)

    def _keep(self, planned: PlannedMessage) -> None:
        self._store.keep(planned.message, [each.row for each in planned.records])

    def _let_know(self, planned: PlannedMessage, at: datetime) -> None:
        """Let every later score know the records; those that are known are passed over."""
        self._ingestion.history.ingest_records(
            [each.record for each in planned.records], at.isoformat()
        )

    def _let_know_again(self, kept: KeptMessage, at: datetime) -> None:
        """Let later scores know what is stored of a message: who kept it may have been cut off."""
        about = self._ingestion.store.about(kept.content.subjects)
        records = [row.record for rows in about.values() for row in rows]
        self._ingestion.history.ingest_records(records, at.isoformat())

    async def _score(
        self, sent: SentMessage, bodies: Sequence[bytes], answer_format: AnswerFormat
    ) -> tuple[Answer, ...]:
        requests = [
            ScoreRequest(sent.caller, sent.key_of(number), body, sent.at, answer_format)
            for number, body in enumerate(bodies)
        ]
        answers = await self._batcher.answer_all(requests)
        for answer in answers:
            if isinstance(answer, ServingError):
                raise answer
        return tuple(answer for answer in answers if isinstance(answer, Answer))


def _at_places_of(
    subject: MadeSubject, read: ReadMessage, refusal: SubmissionRefused
) -> MessageUnreadable:
    """Return the refusal of a submission with the places in the message that it was made of."""
    places = [place_in_submission(subject, read, each.pointer) for each in refusal.faults]
    return at_places(refusal, places)


def _shows_danger(admitted: AdmittedRequest | ServingError) -> bool:
    return isinstance(admitted, AdmittedRequest) and bool(
        danger_signals(admitted.known, admitted.known.scoring_instant)
    )
