"""Calls of the service for one message, repeated until an answer or a final refusal."""

import asyncio
import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NoReturn

from features.errors import TidegateError, nearest_of
from serving.streams.dead_letters import of_refused_kind
from serving.streams.errors import RefusedMessage
from serving.streams.stream_messages import KIND_HEADER, StreamMessage
from tidegate_client import AsyncTidegate, Forbidden, NoAnswer, NotSignedIn, ProblemError

PATHS = {"submissions": "/v1/scores", "records": "/v1/records", "messages": "/v1/messages/{format}"}
SCOPES = {"submissions": "score", "records": "ingest", "messages": "ingest or score"}
# Statuses that concern one message only. A 409 with `Retry-After` is temporary instead.
OF_THE_MESSAGE = frozenset({400, 409, 413, 415, 422})
PASSING = frozenset({408, 429})
FOREIGN_OFFICE = "foreign_office"  # in `errors` of a 403: the key may send other messages
AT_START = "tidegate-stream"  # missing idempotency keys are refused before the body is checked
# The syntax of an HTTP header value; the service itself decides by the format.
_MEDIA_TYPE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
FIRST_PAUSE_S, MAX_PAUSE_S = 0.25, 30.0
CALLS_AT_ONCE = 30  # the service allows 32 requests per key, and the event relay uses the same key


class Stopped(Exception):
    """The stream was stopped while a message waited for the service; it is not done."""


@dataclass
class ServiceCalls:
    """Calls of the service for messages of one kind; a header of a message can override it.

    `say` is called once when the service starts to keep callers waiting, and once when it answers
    again.
    """

    tidegate: AsyncTidegate
    kind: str
    message_format: str | None
    is_over: asyncio.Event
    say: Callable[[str], None]
    _waiting: set[int] = field(default_factory=set)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(CALLS_AT_ONCE))

    def kind_of(self, message: StreamMessage) -> str:
        """Return the kind of a message: `submissions`, `records` or `messages`.

        Raises RefusedMessage if its header names a kind that this stream cannot send.
        """
        given = message.headers.get(KIND_HEADER, self.kind)
        calls = [kind for kind in PATHS if kind != "messages" or self.message_format]
        if given in calls:
            return given
        if given == "messages":
            raise RefusedMessage(of_refused_kind("this stream has no --format for messages"))
        nearest = nearest_of(given, calls)
        raise RefusedMessage(of_refused_kind(f"{KIND_HEADER} names no kind: {nearest}"))

    async def require(self) -> None:
        """Raise TidegateError if the service would refuse every message.

        Sends an empty body: with the right key and scope, the answer is that it is no submission.
        """
        try:
            await self.tidegate.post(self._path(self.kind), b"", idempotency_key=AT_START)
        except NoAnswer as error:
            raise TidegateError(f"no service answers at TIDEGATE_ADDRESS: {error}") from None
        except ProblemError as error:
            if wants := [each.detail for each in error.errors if each.pointer == "/format"]:
                raise TidegateError(f"--format is unknown to the service: {wants[0]}") from None
            # A complaint about the empty body proves that key, scope and path are right.
            if error.status not in OF_THE_MESSAGE | PASSING and error.status < 500:
                self._refuse(error)

    async def answer(self, message: StreamMessage, kind: str) -> bytes:
        """Return the service's answer to a message, once its consequences are durable.

        Raises RefusedMessage, TidegateError, or Stopped if the stream ends while it waits.
        """
        path = self._path(kind)
        media_type = "application/json"
        if kind == "messages":
            given = message.headers.get("content-type", "")
            media_type = given if _MEDIA_TYPE.fullmatch(given) else "application/octet-stream"
        pause_s = FIRST_PAUSE_S
        while True:
            try:
                async with self._room:
                    answer = await self.tidegate.post(
                        path,
                        message.body,
                        idempotency_key=message.idempotency_key,
                        media_type=media_type,
                    )
            except NoAnswer:
                await self._wait(message, pause_s, "no service answers")
            except ProblemError as error:
                self._raise_if_final(error, kind)
                # The service knows best when it has room again; otherwise back off exponentially.
                asked_s = error.retry_after_s
                await self._wait(
                    message, pause_s if asked_s is None else asked_s, f"the service says {error}"
                )
            else:
                self._goes_on(message)
                return answer
            pause_s = min(2 * pause_s, MAX_PAUSE_S)

    def _path(self, kind: str) -> str:
        return PATHS[kind].format(format=self.message_format)

    def _raise_if_final(self, error: ProblemError, kind: str) -> None:
        # Errors of the server and rate limits pass by themselves, so the message is sent again.
        is_passing = error.status == 409 and error.retry_after_s is not None
        if error.status >= 500 or error.status in PASSING or is_passing:
            return
        if error.status in OF_THE_MESSAGE or self._is_one_forbidden(error, kind):
            raise RefusedMessage(error.problem.model_dump(mode="json", exclude_defaults=True))
        self._refuse(error)

    def _is_one_forbidden(self, error: ProblemError, kind: str) -> bool:
        """Return whether the key may send other messages, of its offices or the stream's kind."""
        codes = {fault.code for fault in error.errors}
        return isinstance(error, Forbidden) and (kind != self.kind or FOREIGN_OFFICE in codes)

    def _refuse(self, error: ProblemError) -> NoReturn:
        if isinstance(error, NotSignedIn):
            raise TidegateError("the service does not know this key, or no longer") from None
        if isinstance(error, Forbidden):
            scopes = SCOPES[self.kind]
            raise TidegateError(f"the key lacks a scope such as {scopes}: {error}") from None
        raise TidegateError(f"the service does not take {self.kind}: {error}") from None

    async def _wait(self, message: StreamMessage, pause_s: float, why: str) -> None:
        if not self._waiting:
            self.say(f"waits: {why}")
        self._waiting.add(id(message))
        # Random, so that waiting calls do not all come back at the same moment.
        pause_s = min(pause_s, MAX_PAUSE_S) * random.uniform(1, 1.25)  # noqa: S311 - callers part
        try:
            await asyncio.wait_for(self.is_over.wait(), pause_s)
        except TimeoutError:
            return
        raise Stopped

    def _goes_on(self, message: StreamMessage) -> None:
        if self._waiting:
            self._waiting.discard(id(message))
            if not self._waiting:
                self.say("goes on")
