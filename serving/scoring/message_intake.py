"""Take in trade messages: store each once with its records, and score its subjects.

A refused message is refused before anything is stored. Otherwise the message and its records become
durable in one transaction, and the decisions follow. If the process dies in between, a retry under
the same idempotency key completes the work.
"""

import asyncio
import hashlib
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING, Any, Literal, Self

import orjson

from features.messages.concerned_parts import ConcernedPart
from features.messages.id_templates import IdTemplate
from features.messages.options import Bounds, Options
from features.messages.stored_text import NO_TEXT, MessageText
from serving.access.callers import Caller
from serving.errors import BodyTooLarge, ServingError, SubmissionRefused, Unprocessable
from serving.history.ingestion import MAX_RECORDS, CheckedRecord, RecordIngestion
from serving.history.kept_messages import KeptMessage, MessageContent, PlacedRecord, lines_of
from serving.request_parsing import read_submission
from serving.scoring.assessment import AssessmentRequest, EnrichedRequest
from serving.scoring.batcher import AnswerFormat, RequestBatcher, ScoreRequest
from serving.scoring.idempotency import Answer, IdempotencyClaims
from serving.scoring.message_plan import (
    MadeSubject,
    ReadMessage,
    at_places,
    body_of_records,
    concerned_at,
    place_in_submission,
    place_of,
    placed_records,
    submission_of,
)
from serving.scoring.message_readers import MessageReaders
from serving.scoring.message_versions import KnownVersions
from serving.scoring.ships import ShipPositions

if TYPE_CHECKING:
    from serving.storage.repositories.decision_repository import DecisionRepository
    from serving.storage.repositories.message_repository import MessageRepository
    from serving.storage.repositories.ship_journey_repository import ShipJourneyRepository

# AIS sentences in one message; decoding this many takes some seconds.
MAX_SENTENCES = 50_000

WhileWanted = Callable[[Coroutine[Any, Any, "PlannedMessage"]], Awaitable["PlannedMessage"]]


@dataclass(frozen=True)
class MessageReadAs:
    """The reading options that a sender gives with a message.

    `received_at` is the instant of intake if None, and the message's own instant if "sent".
    """

    received_at: datetime | Literal["sent"] | None = None
    zone: tzinfo = UTC
    shipment_pattern: IdTemplate | None = None
    journey_pattern: IdTemplate | None = None
    heard_at: datetime | None = None

    def options(self, key: bytes, taken_at: datetime, bounds: Bounds) -> Options:
        """Build the options of the reader process."""
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
        """The options as texts for the request digest; equal options give equal texts."""
        templates = (self.shipment_pattern, self.journey_pattern)
        return (
            str(self.received_at),
            str(self.zone),
            *(str(each and each.text) for each in templates),
            str(self.heard_at),
        )


@dataclass(frozen=True)
class SentMessage:
    """A message as received: caller, idempotency key, format, bytes and instant.

    `body` is cleared once it was read, to free its memory. `request_digest` is the SHA-256 of the
    body together with format and reading options.
    """

    caller: Caller
    idempotency_key: str
    format: str
    read_as: MessageReadAs
    body: bytearray
    at: datetime
    size_bytes: int
    sha256: str
    request_digest: str

    @classmethod
    def of(
        cls,
        caller: Caller,
        idempotency_key: str,
        format: str,
        read_as: MessageReadAs,
        body: bytearray,
        at: datetime,
    ) -> Self:
        """Return a message with its digests; slow for a large body, so not for the event loop."""
        # The options are part of the digest: the same bytes read differently are another request.
        digest = hashlib.sha256(orjson.dumps([format, *read_as.words]))
        digest.update(body)
        return cls(
            caller=caller,
            idempotency_key=idempotency_key,
            format=format,
            read_as=read_as,
            body=body,
            at=at,
            size_bytes=len(body),
            sha256=hashlib.sha256(body).hexdigest(),
            request_digest=digest.hexdigest(),
        )

    def key_of(self, number: int) -> str:
        """Return the idempotency key of one of its decisions; no caller can send such a key."""
        return f"{self.idempotency_key} message {number}"


@dataclass(frozen=True)
class TakenMessage:
    """A stored message and the answers about its subjects, in their order."""

    message: KeptMessage
    answers: tuple[Answer, ...]
    is_replayed: bool


@dataclass(frozen=True)
class PlannedMessage:
    """A message ready to store: its new records, and the request bodies to score."""

    message: KeptMessage
    records: tuple[CheckedRecord, ...]
    bodies: tuple[bytes, ...]
    asked_count: int
    """The number of bodies that the message asks to score; danger to life adds more."""


@dataclass(frozen=True)
class _Plan:
    """The records and subjects derived from a message, before its text is redacted."""

    read: ReadMessage
    read_at: datetime
    records: tuple[CheckedRecord, ...]
    placed: tuple[PlacedRecord, ...]
    bodies: tuple[bytes, ...]
    asked_count: int


class MessageIntake:
    """Takes in the messages of one service."""

    def __init__(
        self,
        store: "MessageRepository",
        ingestion: RecordIngestion,
        batcher: RequestBatcher,
        answers: "DecisionRepository",
        max_subjects: int,
        most_bytes_of_subject: int,
        ship_journeys: "ShipJourneyRepository",
        readers: MessageReaders,
    ):
        self._readers = readers
        self._store = store
        self._ingestion = ingestion
        self._batcher = batcher
        self._answers = answers
        self._max_subjects = max_subjects
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
        while_wanted: WhileWanted,
    ) -> TakenMessage:
        """Store a message and score its subjects; `admit` gets their number before any is stored.

        `answer_format` encodes the decisions, the same for every caller. `while_wanted` awaits the
        reading and cancels it when the caller disconnects; the steps after it run in any case.

        Raises Unprocessable (with places in the message where known), Conflict, Forbidden,
        BodyTooLarge, TooBusy, ServingError, errors of `admit` and `while_wanted`, and Unavailable,
        after which a retry with the same key continues.
        """
        claim = sent.caller.key_id, sent.idempotency_key
        # A second attempt with this key gets a Conflict instead of reading the message twice.
        self._claims.acquire(claim)
        try:
            kept = await asyncio.to_thread(self._kept, sent)
            given = None if kept is None else await asyncio.to_thread(self._given, sent, kept)
            if kept is not None and given is not None:
                return TakenMessage(kept, given, is_replayed=True)
            planned = await while_wanted(self._planned(sent, bounds, kept))
            if kept is None:
                admit(planned.asked_count)
                await asyncio.to_thread(self._keep, planned)
            await asyncio.to_thread(self._let_know, planned, sent.at)
            answers = await self._score(sent, planned.bodies, answer_format)
            return TakenMessage(planned.message, answers, is_replayed=False)
        finally:
            self._claims.release(claim)

    async def _planned(
        self, sent: SentMessage, bounds: Bounds, kept: KeptMessage | None
    ) -> PlannedMessage:
        """Read a message and plan what to store; safe to cancel, since nothing is stored yet."""
        # A retry reads the message as of the first attempt, so that it derives the same records.
        read_at = datetime.fromisoformat(kept.content.read_at) if kept else sent.at
        own = replace(
            bounds, subjects=self._max_subjects, records=MAX_RECORDS, sentences=MAX_SENTENCES
        )
        options = sent.read_as.options(self._readers.party_key, read_at, own)
        async with self._readers.job(sent.caller.key_id) as job:
            conversion, leftovers = await job.read(sent.format, sent.body, options)
            # The message was read, and a body can take many megabytes.
            sent.body.clear()
            stated = ReadMessage(conversion, leftovers)
            plan = await asyncio.to_thread(self._plan, sent, stated, read_at, kept)
            if kept is not None:
                return PlannedMessage(kept, plan.records, plan.bodies, plan.asked_count)
            text, spans, parts = NO_TEXT, dict[str, tuple[int, int]](), tuple[ConcernedPart, ...]()
            # The text is evidence for records; without records there is no reason to store it.
            if plan.read.conversion.records:
                withdrawals = plan.read.conversion.withdrawals
                unfounded = [
                    (none.record_type, none.place)
                    for each in withdrawals
                    if (none := each.unfounded) is not None
                ]
                text, spans, parts = await job.redact(concerned_at(plan.placed), unfounded)
        message = await asyncio.to_thread(self._message, sent, plan, text, spans, parts)
        return PlannedMessage(message, plan.records, plan.bodies, plan.asked_count)

    def _kept(self, sent: SentMessage) -> KeptMessage | None:
        """Return the message stored under the key; raises Unprocessable if the contents differ."""
        kept = self._store.under_key(sent.caller.key_id, sent.idempotency_key)
        if kept is not None and kept.content.request_digest != sent.request_digest:
            raise Unprocessable(
                "this idempotency key was used before with another message",
                code="idempotency-key-reused",
            )
        return kept

    def _given(self, sent: SentMessage, kept: KeptMessage) -> tuple[Answer, ...] | None:
        """Return the stored answers about a message; None if some are still missing.

        A message without subjects to score is complete once history has its records.
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

    def _plan(
        self, sent: SentMessage, stated: ReadMessage, read_at: datetime, kept: KeptMessage | None
    ) -> "_Plan":
        """Derive everything to store and score; a stored message gives the same plan again."""
        if stated.subject_count > self._max_subjects:
            raise BodyTooLarge(f"a message may make {self._max_subjects} journeys and shipments")
        numbered = self._versions.numbered(self._ships.assigned(stated, sent.caller), read_at)
        # Withdrawing a journey does not call off a search for people in danger.
        in_danger = self._in_danger(sent, numbered, read_at, kept)
        read = numbered.with_subjects(in_danger)
        records = self._checked(sent, read)
        requests = [
            self._request(sent, subject, read, records, read_at) for subject in read.subjects
        ]
        # Anything that can refuse a subject must run before the message is stored.
        enriched = self._batcher.assessor.enrich(requests)
        for subject, outcome in zip(read.subjects, enriched, strict=True):
            if isinstance(outcome, SubmissionRefused):
                raise _at_places_of(subject, read, outcome)
            if isinstance(outcome, ServingError):
                raise outcome
        bodies = tuple(request.body for request in requests)
        placed = placed_records(read, records)
        return _Plan(read, read_at, records, placed, bodies, len(bodies) - len(in_danger))

    @staticmethod
    def _message(
        sent: SentMessage,
        plan: "_Plan",
        text: MessageText,
        spans: dict[str, tuple[int, int]],
        parts: tuple[ConcernedPart, ...],
    ) -> KeptMessage:
        content = MessageContent(
            request_digest=sent.request_digest,
            sha256=sent.sha256,
            size_bytes=sent.size_bytes,
            read_at=plan.read_at.isoformat(),
            report=plan.read.report,
            records=plan.placed,
            scored=tuple((subject.kind, subject.id) for subject in plan.read.subjects),
            text=text,
            spans=spans,
            parts=parts,
            lines=lines_of(text, spans),
        )
        return KeptMessage(
            message_id=str(uuid.uuid4()),
            caller_id=sent.caller.key_id,
            idempotency_key=sent.idempotency_key,
            received_at=sent.at.isoformat(),
            format=sent.format,
            content=content,
        )

    def _in_danger(
        self, sent: SentMessage, read: ReadMessage, at: datetime, kept: KeptMessage | None
    ) -> list[MadeSubject]:
        """Return journeys of withdrawn goods that show danger to life now, or did when stored."""
        told = read.looked_at
        if kept is not None:
            return [each for each in told if (each.kind, each.id) in kept.content.scored]
        requests = [self._request(sent, each, read, (), at) for each in told]
        enriched = self._batcher.assessor.enrich(requests)
        return [
            each
            for each, seen in zip(told, enriched, strict=True)
            if isinstance(seen, EnrichedRequest) and seen.danger_signals
        ]

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
        """Build the request to score a subject; raises Unprocessable or BodyTooLarge."""
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
        """Add the records to the history that later scores use; known ones are skipped."""
        self._ingestion.history.ingest_records(
            [each.record for each in planned.records], at.isoformat()
        )

    def _let_know_again(self, kept: KeptMessage, at: datetime) -> None:
        """Add a stored message's records to history, in case the first attempt was interrupted."""
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
) -> Unprocessable:
    """Return the refusal of a submission with pointers into the original message."""
    places = [place_in_submission(subject, read, each.pointer) for each in refusal.faults]
    return at_places(refusal, places)
