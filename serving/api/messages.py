"""`POST /v1/messages/{format}` and `GET /v1/stored_messages/{message_id}`: evidence."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any, Self
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field, field_validator
from starlette.concurrency import run_in_threadpool

from features.messages.formats import FORMATS
from features.messages.id_templates import IdTemplate, id_template
from features.messages.options import Bounds
from features.messages.written_values import instant_of
from features.records import SubjectKind
from serving.access.callers import Caller
from serving.api.answers import DecisionAnswer, decision_answer
from serving.api.idempotency_keys import MEANING, IdempotencyKey
from serving.api.openapi import answer_headers, described_headers, problems
from serving.audit.decision import Decision
from serving.container import Services
from serving.degraded_modes import require_disk_reserve
from serving.errors import MediaTypeUnsupported, ServingError
from serving.history.kept_messages import KeptMessage, MessageContent, PlacedRecord
from serving.review.cases.reviewer import Reviewer
from serving.scoring.message_intake import MessageReadAs, SentMessage, TakenMessage
from serving.triage.lane_declarations import Lane
from serving.web.admission import limited_in_flight
from serving.web.authentication import MayIngest, WithScope, take_permits
from serving.web.bodies import OCTETS, ClosedModel, growing_body, while_connected
from serving.web.closed_routes import ClosedRoute
from serving.web.languages import time_zones
from serving.web.services import TheServices

router = APIRouter(prefix="/v1", tags=["messages"], route_class=ClosedRoute)

MayReadCases = Annotated[Caller, Depends(WithScope("review", "rescue", "audit"))]

# Large messages are answered in pages, so that one response stays bounded.
PAGE_ENTRIES = 1_000
PAGE_CHARACTERS = 1024 * 1024
After = Annotated[
    str,
    Query(pattern="^(0|[1-9][0-9]{0,3})$", description="`next` of the page before; none at first."),
]

# Lists of the response that may be long, with their names in the stored report.
_LISTS = {
    "not_made": "refused",
    **{name: name for name in ("left_over", "withheld", "remarks")},
}
# Possessive, so that a long blank body costs no backtracking.
_BLANK = re.compile(rb"[\x00 \t\r\n]*+")

# The supported standards, as in `tidegate import --list`.
MessageFormat = StrEnum("MessageFormat", {name: name for name in FORMATS})  # type: ignore[misc]  # made of a table


class MessageQuery(BaseModel):
    """Options for reading a message, as `tidegate import --format` takes them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    received_at: str | None = Field(
        None,
        description="When the authority received it, with its offset; now without, and `sent` for "
        "when it says that it was sent.",
        max_length=40,
    )
    zone: str = Field("UTC", description="The time zone of dates and times that name none.")
    shipment_pattern: str | None = Field(
        None,
        description="The form of shipment ids in the references of payments and invoices: literal "
        "text, `{digits}` and `{letters}` with their lengths, as `AC{digits:6}` or "
        "`{letters:2-4}-{digits:1-9}`. Braces are written twice.",
    )
    journey_pattern: str | None = Field(
        None,
        description="The form of journey ids in the references of payments, written likewise.",
    )
    heard_at: str | None = Field(
        None,
        description="When AIS sentences without a time of their own were heard, with its offset.",
        max_length=40,
    )

    @field_validator("zone")
    @classmethod
    def _name_a_zone(cls, zone: str) -> str:
        if zone not in time_zones():
            raise ValueError("want a time zone such as Europe/Berlin")
        return zone

    @field_validator("shipment_pattern", "journey_pattern")
    @classmethod
    def _write_a_template(cls, written: str | None) -> str | None:
        _template(written)
        return written

    @field_validator("received_at", "heard_at")
    @classmethod
    def _say_an_instant(cls, said: str | None) -> str | None:
        if said not in (None, "sent"):
            _instant(said)
        return said

    @property
    def read_as(self) -> MessageReadAs:
        """The options for reading the message."""
        return MessageReadAs(
            received_at="sent" if self.received_at == "sent" else _instant(self.received_at),
            zone=ZoneInfo(self.zone),
            shipment_pattern=_template(self.shipment_pattern),
            journey_pattern=_template(self.journey_pattern),
            heard_at=_instant(self.heard_at),
        )


class MadeDecision(ClosedModel):
    """The decision about a journey or a shipment of the message."""

    subject_kind: SubjectKind
    subject_id: str
    decision_id: str
    case_id: str | None = Field(description="The case that waits for a person, where one does.")
    lane: Lane


class ElementsOfPath(ClosedModel):
    """Elements at one path that no record holds; `first` is the place of the first one."""

    path: str
    why: str
    count: int
    first: str


class RecordNotMade(ClosedModel):
    """A record that is not made, and why: too little data, or a withdrawal of unknown data."""

    record_type: str
    place: str
    reasons: list[str]


class PositionOfJourney(ClosedModel):
    """The place of a position in the message, and the journey it belongs to."""

    place: str
    journey_id: str = Field(
        description="The declared journey that the ship is on; where none fits, `mmsi-` and its "
        "number."
    )


class LengthsOfLists(ClosedModel):
    """The total length of each list, of which a response holds one page."""

    not_made: int
    left_over: int
    withheld: int
    remarks: int


class MessageAnswer(ClosedModel):
    """The result of a stored message; all of it is durable.

    `left_over` lists elements that no field can hold; `withheld` lists elements about parties,
    which are stored nowhere. These lists, `not_made` and `remarks` hold the first 1,000 entries.
    """

    message_id: str = Field(description="Its id here, by which it is read.")
    format: str
    standard: str
    kind: str = Field(description="The type of message within the standard.")
    sender_reference: str = Field(description="The sender's name for it.")
    sha256: str = Field(description="SHA-256 of the body as it came.")
    records: dict[str, int] = Field(description="The number of records made, by type.")
    positions: list[PositionOfJourney] = Field(description="The positions of ships, of AIS alone.")
    decisions: list[MadeDecision]
    not_made: list[RecordNotMade]
    left_over: list[ElementsOfPath]
    withheld: list[ElementsOfPath]
    remarks: list[str]
    counts: LengthsOfLists
    next: str | None = Field(
        description="The next page of the lists: `after` of the call that reads the message, which "
        "has the first 10,000 entries of each; null where they are whole."
    )

    @classmethod
    def from_taken(cls, taken: TakenMessage) -> Self:
        """Return the response for a message that was stored."""
        decided = [DecisionAnswer.model_validate_json(each.body) for each in taken.answers]
        reported = _reported(taken.message, page=0)
        lengths = [len(taken.message.content.report[name]) for name in _LISTS.values()]
        return cls(
            **reported,
            next=_next(0, lengths),
            positions=[
                PositionOfJourney(place=each.places["journey_id"], journey_id=each.subject_id)
                for each in taken.message.content.records
                if each.record_type == "positions"
            ],
            decisions=[
                MadeDecision(**{name: getattr(each, name) for name in MadeDecision.model_fields})
                for each in decided
            ],
        )


class FieldPlace(ClosedModel):
    """The place of a field in the message; no line if it is not stored or came as an option."""

    place: str
    line: int | None


class RecordOfMessage(ClosedModel):
    """A record made from the message, with the place of each field."""

    record_type: str
    record_id: str
    subject_kind: SubjectKind
    subject_id: str
    fields: dict[str, FieldPlace]

    @classmethod
    def from_record(cls, record: PlacedRecord, content: MessageContent) -> Self:
        """Return the response for a record."""
        return cls(
            record_type=record.record_type,
            record_id=record.cited_as,
            subject_kind=record.subject_kind,
            subject_id=record.subject_id,
            fields={
                name: FieldPlace(place=place, line=content.line_of(place))
                for name, place in record.places.items()
            },
        )


class StoredMessage(ClosedModel):
    """A stored message, as far as this key may see it.

    Its text names no person, and is empty if no record relies on it. `[not shown]` replaces parts
    that concern only consignments of other offices; lines keep their numbers. Then `records` and
    `made` are limited to those the key may see, and the other lists are empty.
    A large message comes in pages of at most 1,000 entries of each list and 1,048,576 characters of
    the text; together the pages are complete.
    """

    message_id: str
    received_at: datetime
    format: str
    standard: str
    kind: str
    sender_reference: str
    sha256: str = Field(description="SHA-256 of the body as it came, before it was redacted.")
    size_bytes: int
    records: dict[str, int]
    made: list[RecordOfMessage]
    not_made: list[RecordNotMade]
    left_over: list[ElementsOfPath]
    withheld: list[ElementsOfPath]
    remarks: list[str]
    counts: LengthsOfLists
    text: str
    hidden_line_count: int = Field(
        description="The number of lines of the whole text that are not shown."
    )
    next: str | None = Field(description="The next page, as `after`; null of the last one.")


MESSAGE_BODY: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "description": "The message as it came, under whatever content type.",
        "content": {OCTETS: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post(
    "/messages/{format}",
    response_model=MessageAnswer,
    openapi_extra=MESSAGE_BODY | described_headers(Idempotency_Key=f"Required: {MEANING}"),
    responses={
        200: {"headers": answer_headers("Idempotency-Replayed")},
        **problems(
            s400="The body is empty, or the idempotency key is missing.",
            s404="The address has characters that cannot be printed.",
            s409="The first request with this idempotency key is in progress.",
            s413="The message is too large, makes too many records, or takes too much time or "
            "memory to read: it says which.",
            s415="The body is compressed.",
            s422="The message breaks its standard, or a record of it cannot be stored: `errors` "
            "says where. Or the idempotency key was used with another message.",
            s503="Too many messages are waiting, or storing failed in part; ask again with "
            "the same key after `Retry-After`.",
            s507="The disk is almost full; nothing was stored.",
        ),
    },
)
@limited_in_flight
async def take_message(
    request: Request,
    services: TheServices,
    caller: MayIngest,
    format: MessageFormat,
    query: Annotated[MessageQuery, Query()],
    idempotency_key: IdempotencyKey,
) -> Response:
    """Store one standard message with its records, and score its journeys and shipments.

    A message that amends or withdraws adds versions to the records known under its references; a
    withdrawal scores nothing.
    All or nothing: if one record is refused, nothing is stored. The response comes when everything
    is durable; a retry with the same key and message gets the same bytes. Scoring needs the scope
    `score` too. Elements about persons are withheld, and blanked in the stored message.
    """
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise MediaTypeUnsupported("send the body without Content-Encoding")
    # Before the body is read: a full disk could not store it anyway.
    require_disk_reserve(services.settings)
    most = services.settings.max_message_bytes
    body = await growing_body(request, most)
    if _BLANK.fullmatch(body):
        raise ServingError("want a message; the body is empty", code="bad-request")
    sent = await run_in_threadpool(
        SentMessage.of,
        *(caller, idempotency_key, str(format), query.read_as, body, services.clock()),
    )
    taken = await services.message_intake.take(
        sent,
        Bounds(size=most),
        _worded,
        lambda count: _admit(request, services, caller, count),
        partial(while_connected, request),
    )
    for answer in taken.answers:
        services.metrics.decisions.count(answer.decision)
    headers = {"Idempotency-Replayed": "true"} if taken.is_replayed else {}
    content = MessageAnswer.from_taken(taken).model_dump_json().encode()
    return Response(content, 200, headers, "application/json")


@router.get(
    "/stored_messages/{message_id}",
    responses=problems(
        s404="No such message, or none that this key may see.",
        s410="It was erased when its time was over.",
    ),
)
def read_message(
    services: TheServices, caller: MayReadCases, message_id: str, after: After = "0"
) -> StoredMessage:
    """Return a stored message with the place of every field, to callers who may see its cases.

    A message about several consignments shows those that this key may see. A large one comes in
    pages.
    """
    shown = services.message_evidence.read(Reviewer.from_caller(caller), message_id)
    message, content = shown.message, shown.message.content
    page = int(after)
    made = content.records[page * PAGE_ENTRIES : (page + 1) * PAGE_ENTRIES]
    lengths = [len(content.report[name]) for name in _LISTS.values()]
    # Rounded up: the last page of text may be short.
    pages_of_text = -(-len(content.text) // PAGE_CHARACTERS)
    return StoredMessage(
        **_reported(message, page),
        # Text pages are expressed in entries, so that one comparison covers lists and text.
        next=_next(page, [*lengths, len(content.records), pages_of_text * PAGE_ENTRIES]),
        received_at=datetime.fromisoformat(message.received_at),
        size_bytes=content.size_bytes,
        made=[RecordOfMessage.from_record(each, content) for each in made],
        text=content.text.part(page * PAGE_CHARACTERS, (page + 1) * PAGE_CHARACTERS),
        hidden_line_count=shown.hidden_line_count,
    )


def _reported(message: KeptMessage, page: int) -> dict[str, Any]:
    report = message.content.report
    start, end = page * PAGE_ENTRIES, (page + 1) * PAGE_ENTRIES
    counts = report.get("counts") or {name: len(report[own]) for name, own in _LISTS.items()}
    return {
        "message_id": message.message_id,
        "format": message.format,
        "standard": report["standard"],
        "kind": report["kind"],
        "sender_reference": report["message_id"],
        "sha256": message.content.sha256,
        "records": report["records"],
        "counts": counts,
        **{name: report[own][start:end] for name, own in _LISTS.items()},
    }


def _next(page: int, lengths: Iterable[int]) -> str | None:
    """Return the next page if any list continues there; else None."""
    return str(page + 1) if max(lengths) > (page + 1) * PAGE_ENTRIES else None


def _admit(request: Request, services: Services, caller: Caller, count: int) -> None:
    """Check the caller's scope and rate for the decisions of a message; raises ServingError."""
    if count:
        # A key that only sends records must not get decisions through a message.
        caller.require("score")
        # The request itself has already taken one permit.
        take_permits(request, services, caller, count - 1)


def _worded(decision: Decision) -> bytes:
    """Return the decision as JSON without its explanation, which needs another scope."""
    return decision_answer(decision).as_json()


def _template(written: str | None) -> IdTemplate | None:
    return None if written is None else id_template(written)


def _instant(said: str | None) -> datetime | None:
    if said is None:
        return None
    read = instant_of(said, UTC)
    if read is None or not read[1]:
        raise ValueError("want an instant with its offset, as 2026-11-28T06:00:00Z")
    return read[0]
