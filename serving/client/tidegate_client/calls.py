"""What each call sends and how its answer is read; who sends it is another's work."""

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar
from urllib.parse import quote

from pydantic import BaseModel, TypeAdapter

from tidegate_client.errors import StrangeAnswer
from tidegate_client.models import (
    BatchLine,
    CasePage,
    DecisionAnswer,
    DecisionPage,
    EventPage,
    ExplainedDecisionAnswer,
    ExplanationAnswer,
    ListedCase,
    MessageAnswer,
    ModelsAnswer,
    PublishedEvent,
    RecordsAnswer,
    RecordsBody,
    StoredMessage,
    Submission,
    WholeCase,
)

Answer = TypeVar("Answer")
Item = TypeVar("Item")

Subject = Submission | Mapping[str, Any]
Records = RecordsBody | Mapping[str, Any]
Decision = ExplainedDecisionAnswer | DecisionAnswer

_DECISION: TypeAdapter[Decision] = TypeAdapter(Decision)
_LINES: TypeAdapter[list[BatchLine]] = TypeAdapter(list[BatchLine])
_BODY: TypeAdapter[Any] = TypeAdapter(Any)


@dataclass(frozen=True)
class Call(Generic[Answer]):
    """One request, the same at each attempt, and what its answer is read by."""

    method: str
    path: str
    read: Callable[[bytes], Answer]
    query: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    content: bytes | None = None

    def answer(self, content: bytes) -> Answer:
        """What a success says; raises StrangeAnswer where Tidegate would not say it so."""
        try:
            return self.read(content)
        except ValueError as strange:
            begins = content[:60].decode(errors="replace")
            raise StrangeAnswer(f"{self.path} is answered by what is none: {begins!r}") from strange


@dataclass(frozen=True)
class Paging(Generic[Answer, Item]):
    """A list that comes in pages: the call of the first, what is on each, and what follows it."""

    first: Call[Answer]
    items: Callable[[Answer], list[Item]]
    next: Callable[[Answer], str | None]
    cursor: str = "cursor"

    def after(self, page: Answer) -> Call[Answer] | None:
        """The call of the page after one; None where that was the last."""
        reached = self.next(page)
        if reached is None:
            return None
        return replace(self.first, query=self.first.query | {self.cursor: reached})


def headers_of(key: str, purpose: str | None) -> Mapping[str, str]:
    """The headers of every call."""
    also = {"Tidegate-Purpose": purpose} if purpose else {}
    return {"Authorization": f"Bearer {key}", "Accept": "application/json", **also}


def score(subject: Subject, idempotency_key: str | None, language: str | None) -> Call[Decision]:
    """`POST /v1/scores`."""
    also = {"Accept-Language": language} if language else {}
    return _sent("/v1/scores", subject, _DECISION.validate_json, _keyed(idempotency_key) | also)


def score_batch(subjects: Iterable[Subject], idempotency_key: str | None) -> Call[list[BatchLine]]:
    """`POST /v1/scores/batch`."""
    headers = _keyed(idempotency_key)
    return _sent("/v1/scores/batch", list(subjects), _LINES.validate_json, headers)


def add_records(records: Records) -> Call[RecordsAnswer]:
    """`POST /v1/records`."""
    return _sent("/v1/records", records, RecordsAnswer.model_validate_json, {})


def send_message(
    format: str, message: bytes, idempotency_key: str | None, **query: Any
) -> Call[MessageAnswer]:
    """`POST /v1/messages/{format}`."""
    return Call(
        "POST",
        f"/v1/messages/{_part(format)}",
        MessageAnswer.model_validate_json,
        _given(query),
        _keyed(idempotency_key) | {"Content-Type": "application/octet-stream"},
        message,
    )


def message(message_id: str, **query: Any) -> Call[StoredMessage]:
    """`GET /v1/stored_messages/{id}`."""
    path = f"/v1/stored_messages/{_part(message_id)}"
    return Call("GET", path, StoredMessage.model_validate_json, _given(query))


def post(path: str, content: bytes, media_type: str, idempotency_key: str | None) -> Call[bytes]:
    """`POST` of bytes as they are, answered by bytes as they came."""
    headers = {"Content-Type": media_type}
    if idempotency_key is not None:
        headers["Idempotency-Key"] = idempotency_key
    return Call("POST", path, bytes, headers=headers, content=content)


def decision(decision_id: str) -> Call[DecisionAnswer]:
    """`GET /v1/decisions/{id}`."""
    path = f"/v1/decisions/{_part(decision_id)}"
    return Call("GET", path, DecisionAnswer.model_validate_json)


def explanation(decision_id: str, language: str | None, **query: Any) -> Call[ExplanationAnswer]:
    """`GET /v1/decisions/{id}/explanation`."""
    path = f"/v1/decisions/{_part(decision_id)}/explanation"
    headers = {"Accept-Language": language} if language else {}
    return Call("GET", path, ExplanationAnswer.model_validate_json, _given(query), headers)


def case(case_id: str) -> Call[WholeCase]:
    """`GET /v1/cases/{id}`."""
    return Call("GET", f"/v1/cases/{_part(case_id)}", WholeCase.model_validate_json)


def models() -> Call[ModelsAnswer]:
    """`GET /v1/models`."""
    return Call("GET", "/v1/models", ModelsAnswer.model_validate_json)


def decisions(**query: Any) -> Paging[DecisionPage, DecisionAnswer]:
    """`GET /v1/decisions`."""
    first = Call("GET", "/v1/decisions", DecisionPage.model_validate_json, _given(query))
    return Paging(first, lambda page: page.decisions, lambda page: page.next)


def cases(**query: Any) -> Paging[CasePage, ListedCase]:
    """`GET /v1/cases`."""
    first = Call("GET", "/v1/cases", CasePage.model_validate_json, _given(query))
    return Paging(first, lambda page: page.cases, lambda page: page.next)


def event_page(**query: Any) -> Call[EventPage]:
    """`GET /v1/events`: one page."""
    return Call("GET", "/v1/events", EventPage.model_validate_json, _given(query))


def events(**query: Any) -> Paging[EventPage, PublishedEvent]:
    """`GET /v1/events`, as far as things have happened by now."""
    return Paging(
        event_page(**query),
        lambda page: page.events,
        lambda page: page.next if page.has_more else None,
        "after",
    )


def _sent(
    path: str, body: Any, read: Callable[[bytes], Answer], headers: dict[str, str]
) -> Call[Answer]:
    plain = _BODY.dump_json(_plain(body))
    return Call("POST", path, read, {}, headers | {"Content-Type": "application/json"}, plain)


def _plain(body: Any) -> Any:
    """What was given and nothing else: what is left out is not said."""
    if isinstance(body, list):
        return [_plain(each) for each in body]
    if isinstance(body, BaseModel):
        return body.model_dump(mode="json", exclude_unset=True, exclude_none=True)
    return body


def _keyed(idempotency_key: str | None) -> dict[str, str]:
    return {"Idempotency-Key": idempotency_key or str(uuid.uuid4())}


def _part(name: str) -> str:
    """An id as one part of an address, whatever it holds."""
    return quote(name, safe="")


def _given(query: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in query.items() if value is not None}
