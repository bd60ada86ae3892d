"""Limits on connections: how long a request may take to arrive, how large its head is, how many.

The server's own timeouts begin anew with every byte, so a client that sends one now and then holds
its place for ever. Here a connection that has not sent a whole request in time is closed, from
its first byte (or from the connection, where none comes) to its last. Where there are as many
connections as may be, whoever has waited longest makes room: a connection that is being answered
stays. So open files are left for everything else, however many connect.
"""

import asyncio
import resource
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.errors import ServingError
from serving.settings import Settings
from serving.web.admission import early_answer
from serving.web.request_head import LARGEST_HEAD

MAX_PIPELINED = 8  # requests without an answer; those after them are not read
FILES_OF_OUR_OWN = 256  # for the database, the store, models, logs and libraries
ENOUGH_FILES = 65_536

_SLICE = 16 * 1024  # bytes: what one turn of the parser may make of what came


def raise_file_limit() -> int:
    """Let this process open as many files as it may; how many those are."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return ENOUGH_FILES if soft == resource.RLIM_INFINITY else soft


def connections_within(files: int) -> tuple[int, int]:
    """Return how many connections a process may have that may open `files`, and how many may wait.

    Those that wait are accepted together, before any of them is counted.
    """
    left = max(files - FILES_OF_OUR_OWN, 48)
    backlog = min(left // 3, 2_048)
    return min(left - backlog, Settings().max_connections), backlog


def bound_connections() -> int:
    """Bound the connections of this process by the files it may open; how many may wait."""
    BoundedConnection.max_connections, backlog = connections_within(raise_file_limit())
    return backlog


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's protocol, closing connections that send too slowly, too much or wait too many."""

    deadline_s = Settings().receive_deadline_s
    max_connections = Settings().max_connections
    _waiting: ClassVar[dict["BoundedConnection", None]] = {}
    """Connections without a whole request, those first that have waited longest."""

    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = False
    _is_refused = False  # nothing that still comes is read
    _pending_refusal: ServingError | None = None
    """Answered after the requests that came before what is refused."""

    _has_advanced = False
    _bytes_without_advance = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn serves over transports alone
        """Wait for the first request, in the place of another where there are too many."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.max_connections:
            longest = next(iter(self._waiting))
            longest._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._received()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """Close once idle; an answer without end learns from its request's state that it ends."""
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.scope.setdefault("state", {})["is_ending"] = True
        super().shutdown()

    def data_received(self, data: bytes) -> None:
        """Parse what came, a slice at a time, until it is too much."""
        for start in range(0, len(data), _SLICE):
            if self._is_refused or self.transport.is_closing():
                return
            part = data[start : start + _SLICE]
            self._has_advanced = False
            super().data_received(part)
            self._refuse_endless(len(part))

    def on_message_begin(self) -> None:
        """Wait for the rest of the request that begins, unless it is one too many."""
        if self._is_refused:
            return
        if self._is_answering and len(self.pipeline) >= MAX_PIPELINED - 1:
            self._refuse(
                ServingError(
                    f"{MAX_PIPELINED} requests may wait for answers at a time", code="too-often"
                )
            )
            return
        super().on_message_begin()
        self._is_in_head = True
        if self._deadline is None:
            self._wait()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        if not self._is_refused:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header; what comes after a body is none."""
        if self._is_in_head and not self._is_refused:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Take the request's head, which is whole."""
        if self._is_refused:
            return
        self._is_in_head, self._has_advanced = False, True
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Take a part of the body."""
        if self._is_refused:
            return
        self._has_advanced = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting: the request is here."""
        if self._is_refused:
            return
        self._has_advanced = True
        self._received()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, as long as the server lets connections idle."""
        is_last = not self.pipeline
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if is_last and self._pending_refusal is not None:
            self._write_refusal(self._pending_refusal)
        self._waiting.setdefault(self)

    def send_400_response(self, msg: str) -> None:
        """Refuse what cannot be parsed; requests that came whole before it are answered first."""
        if self._is_answering and self.cycle is not None and not self.cycle.more_body:
            self._refuse(
                ServingError("the next request on this connection is not HTTP", code="bad-request")
            )
        elif not self._is_refused:
            super().send_400_response(msg)

    @property
    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _refuse_endless(self, size: int) -> None:
        """Refuse what is so long a head, or close where no body is so long."""
        if self._is_in_head or not self._has_advanced:
            self._bytes_without_advance += size
        else:
            self._bytes_without_advance = 0
        if self._is_refused or self.transport.is_closing():
            return
        if self._bytes_without_advance > LARGEST_HEAD:
            if self._is_answering and self.cycle is not None and self.cycle.more_body:
                self._close()
            else:
                says = f"request line and headers may have {LARGEST_HEAD} bytes in all"
                self._refuse(ServingError(says, code="head-too-large"))

    def _refuse(self, refusal: ServingError) -> None:
        """Read nothing more, answer what came before, then this refusal, and close."""
        self._is_refused = True
        if self._is_answering:
            self._pending_refusal = refusal
        else:
            self._write_refusal(refusal)

    def _write_refusal(self, refusal: ServingError) -> None:
        status, headers, body = early_answer(refusal)
        lines = [f"{name}: {value}\r\n".encode() for name, value in headers.items()]
        head = b"".join([STATUS_LINE[status], *lines, b"Connection: close\r\n\r\n"])
        self.transport.write(head + body)
        # To close with bytes unread would take the answer back; the deadline closes in the end.
        if self.transport.can_write_eof():  # not over TLS
            self.transport.write_eof()
        if self._deadline is None:
            self._wait()

    def _wait(self) -> None:
        self._waiting[self] = None
        self._deadline = self.loop.call_later(self.deadline_s, self._close)

    def _received(self) -> None:
        self._waiting.pop(self, None)
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._received()
        if not self.transport.is_closing():
            self.transport.abort()
