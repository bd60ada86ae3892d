"""Tidegate, called and waited for."""

import time
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx2

from tidegate_client import calls
from tidegate_client.calls import Call, Decision, Paging, Records, Subject, headers_of
from tidegate_client.errors import NoAnswer, error_of
from tidegate_client.models import (
    BatchLine,
    DecisionAnswer,
    EventPage,
    ExplanationAnswer,
    ListedCase,
    MessageAnswer,
    ModelsAnswer,
    PublishedEvent,
    RecordsAnswer,
    StoredMessage,
    WholeCase,
)
from tidegate_client.retries import Retries

Answer = TypeVar("Answer")
Item = TypeVar("Item")


class Tidegate:
    """A service at an address, called with a key; connections are closed with it.

    Every call is made again as `retries` says, with the same idempotency key, and waits as long as
    the service asks. Raises a ProblemError where the service refuses, NoAnswer where none comes,
    StrangeAnswer where it is not one of Tidegate.
    """

    def __init__(
        self,
        address: str,
        key: str,
        *,
        purpose: str | None = None,
        timeout_s: float = 30.0,
        retries: Retries = Retries(),
        transport: httpx2.BaseTransport | None = None,
    ):
        self._retries = retries
        self._http = httpx2.Client(
            base_url=address,
            headers=headers_of(key, purpose),
            timeout=timeout_s,
            transport=transport,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close all connections."""
        self._http.close()

    def score(
        self, subject: Subject, *, idempotency_key: str | None = None, language: str | None = None
    ) -> Decision:
        """The decision about a subject, when it is durable; explained where the key may know.

        Under the same `idempotency_key` the same subject gets the same decision, also later.
        """
        return self._ask(calls.score(subject, idempotency_key, language))

    def score_batch(
        self, subjects: Iterable[Subject], *, idempotency_key: str | None = None
    ) -> list[BatchLine]:
        """A decision or a problem for each subject, in their order."""
        return self._ask(calls.score_batch(subjects, idempotency_key))

    def add_records(self, records: Records) -> RecordsAnswer:
        """Let records be known by every later score; says how many were new, and what was wrong."""
        return self._ask(calls.add_records(records))

    def send_message(
        self, format: str, message: bytes, *, idempotency_key: str | None = None, **options: str
    ) -> MessageAnswer:
        """Keep one standard message with its records, and score the subjects that it makes.

        `format` and the options are those of `tidegate import`: `received_at`, `zone`,
        `shipment_pattern`, `journey_pattern`, `heard_at`.
        """
        return self._ask(calls.send_message(format, message, idempotency_key, **options))

    def message(self, message_id: str, *, after: str | None = None) -> StoredMessage:
        """Return a message as it is kept, with the place of every field.

        A large one comes in pages: `after` is `next` of the page before.
        """
        return self._ask(calls.message(message_id, after=after))

    def post(
        self,
        path: str,
        content: bytes,
        *,
        idempotency_key: str | None,
        media_type: str = "application/json",
    ) -> bytes:
        """The answer to a body, both as they are: for whoever passes bytes on."""
        return self._ask(calls.post(path, content, media_type, idempotency_key))

    def decision(self, decision_id: str) -> DecisionAnswer:
        """A stored decision."""
        return self._ask(calls.decision(decision_id))

    def explanation(
        self, decision_id: str, *, language: str | None = None, interactions: int | None = None
    ) -> ExplanationAnswer:
        """Return the explanation of a stored decision, with so many of its interactions."""
        return self._ask(calls.explanation(decision_id, language, interactions=interactions))

    def case(self, case_id: str) -> WholeCase:
        """A case as it is now."""
        return self._ask(calls.case(case_id))

    def models(self) -> ModelsAnswer:
        """The models in service."""
        return self._ask(calls.models())

    def decisions(
        self, *, subject_kind: str | None = None, subject_id: str | None = None, page_size: int = 50
    ) -> Iterator[DecisionAnswer]:
        """Stored decisions, the newest first, page by page as they are asked for."""
        listed = calls.decisions(subject_kind=subject_kind, subject_id=subject_id, limit=page_size)
        return self._each(listed)

    def cases(self, *, page_size: int = 50, **filters: Any) -> Iterator[ListedCase]:
        """Cases, the newest first: by `subject_kind`, `subject_id`, `q`, `status`, `office_id`."""
        return self._each(calls.cases(limit=page_size, **filters))

    def event_page(self, *, after: str | None = None, limit: int = 50) -> EventPage:
        """One page of what became of cases; its `next` is kept, and asked for as `after`."""
        return self._ask(calls.event_page(after=after, limit=limit))

    def events(self, *, after: str | None = None, page_size: int = 50) -> Iterator[PublishedEvent]:
        """What became of cases since an event, up to now."""
        return self._each(calls.events(after=after, limit=page_size))

    def _each(self, listed: Paging[Answer, Item]) -> Iterator[Item]:
        call: Call[Answer] | None = listed.first
        while call is not None:
            page = self._ask(call)
            yield from listed.items(page)
            call = listed.after(page)

    def _ask(self, call: Call[Answer]) -> Answer:
        for otherwise_s in (*self._retries.pauses(), None):
            try:
                response = self._http.request(
                    call.method,
                    call.path,
                    params=call.query,
                    headers=call.headers,
                    content=call.content,
                )
            except httpx2.TransportError as failure:
                if otherwise_s is None:
                    raise NoAnswer(f"no answer: {failure}") from failure
                time.sleep(otherwise_s)
                continue
            if response.is_success:
                return call.answer(response.content)
            pause_s = None if otherwise_s is None else self._retries.pause_s(response, otherwise_s)
            if pause_s is None:
                raise error_of(response)
            time.sleep(pause_s)
        raise AssertionError("the last attempt answers or raises")
