"""Calls of the service for one message, repeated until it is answered or refused for good."""

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
# What is wrong with one message; of what is passing, 409 says by `Retry-After` that it is.
OF_THE_MESSAGE = frozenset({400, 409, 413, 415, 422})
PASSING = frozenset({408, 429})
FOREIGN_OFFICE = "foreign_office"  # in `errors` of a 403: the key may send other messages
AT_START = "tidegate-stream"  # without an idempotency key nothing else would be looked at
# What HTTP can carry as one; the service goes by the format.
_MEDIA_TYPE = re.compile(r"[\x21-\x7e](?:[\x20-\x7e]{0,253}[\x21-\x7e])?")
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.25, 30.0
CALLS_AT_ONCE = 30  # one key may have 32 inside the service, and events are read by it too


class Stopped(Exception):
    """The stream was told to stop while it waited for the service; nothing came of the message."""


@dataclass
class ServiceCalls:
    """Calls of the service for messages of a kind, which a message's own header may change.

    `say` is called once when the service keeps callers waiting, and once when it answers again.
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

        Raises RefusedMessage where its header says what this stream has no call for.
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
        """Raise TidegateError where the first message would come to nothing.

        It asks with nothing in it: whoever may send something is told that this is no submission.
        """
        try:
            await self.tidegate.post(self._path(self.kind), b"", idempotency_key=AT_START)
        except NoAnswer as error:
            raise TidegateError(f"no service answers at TIDEGATE_ADDRESS: {error}") from None
        except ProblemError as error:
            if wants := [each.detail for each in error.errors if each.pointer == "/format"]:
                raise TidegateError(f"--format is none of the service's: {wants[0]}") from None
            if error.status not in OF_THE_MESSAGE | PASSING and error.status < 500:
                self._refuse(error)

    async def answer(self, message: StreamMessage, kind: str) -> bytes:
        """The answer to a message of this kind, when what follows from it is durable.

        Raises RefusedMessage, TidegateError or Stopped where it waited in vain until the end.
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
                asked_s = error.retry_after_s
                await self._wait(
                    message, pause_s if asked_s is None else asked_s, f"the service says {error}"
                )
            else:
                self._goes_on(message)
                return answer
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _path(self, kind: str) -> str:
        return PATHS[kind].format(format=self.message_format)

    def _raise_if_final(self, error: ProblemError, kind: str) -> None:
        is_passing = error.status == 409 and error.retry_after_s is not None
        if error.status >= 500 or error.status in PASSING or is_passing:
            return
        if error.status in OF_THE_MESSAGE or self._is_one_forbidden(error, kind):
            raise RefusedMessage(error.problem.model_dump(mode="json", exclude_defaults=True))
        self._refuse(error)

    def _is_one_forbidden(self, error: ProblemError, kind: str) -> bool:
        """Return whether the key may send others, of its offices or the stream's own kind."""
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
        pause_s = min(pause_s, LONGEST_PAUSE_S) * random.uniform(1, 1.25)  # noqa: S311 - callers part
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
