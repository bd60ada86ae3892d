"""Limits on connections: time for a request to arrive, size of its head, number of connections.

uvicorn's own timeouts restart with every byte, so a client that sends a byte now and then keeps
its connection forever. Here a connection is closed if a whole request has not arrived in time,
counted from its first byte (or from the connection if none comes). At the limit of connections,
the one that has waited longest is closed; a connection with an answer in progress stays. So file
descriptors remain for everything else, however many clients connect.
"""

import asyncio
import resource
from typing import ClassVar

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from serving.errors import ServingError
from serving.settings import Settings
from serving.web.admission import early_answer
from serving.web.request_head import MAX_HEAD

# Requests without an answer on one connection; further ones are not read.
MAX_PIPELINED = 8
# Descriptors reserved for the database, the store, models, logs and libraries.
FILES_OF_OUR_OWN = 256
# How long a server that ends answers one more request on each idle connection. A connection closed
# at once would break requests that are on their way.
LINGER_S = 1.0
# Asked for if the hard limit is higher or infinite.
ENOUGH_FILES = 65_536

# Without slices, one large read could hold thousands of pipelined requests, all parsed before the
# limits below are checked.
_SLICE = 16 * 1024  # bytes per call of the parser


def raise_file_limit() -> int:
    """Raise the limit of open files as far as allowed; return the resulting limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = ENOUGH_FILES if hard == resource.RLIM_INFINITY else min(hard, ENOUGH_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return ENOUGH_FILES if soft == resource.RLIM_INFINITY else soft


def connections_within(files: int) -> tuple[int, int]:
    """Return how many connections fit into `files` open files, and the backlog to accept.

    The backlog is subtracted because the event loop accepts all waiting connections at once,
    before any of them is counted.
    """
    left = max(files - FILES_OF_OUR_OWN, 48)
    backlog = min(left // 3, 2_048)
    return min(left - backlog, Settings().max_connections), backlog


def bound_connections() -> int:
    """Apply the limit of open files to the connections of this process; return the backlog."""
    BoundedConnection.max_connections, backlog = connections_within(raise_file_limit())
    return backlog


class BoundedConnection(HttpToolsProtocol):
    """uvicorn's protocol, which closes slow, oversized or excess connections."""

    deadline_s = Settings().receive_deadline_s
    max_connections = Settings().max_connections
    _waiting: ClassVar[dict["BoundedConnection", None]] = {}
    """Connections without a whole request; those that have waited longest come first."""

    _deadline: asyncio.TimerHandle | None = None
    _is_in_head = False
    # The server ends: the next answer on this connection is its last.
    _is_ending = False
    # After a refusal nothing more is read.
    _is_refused = False
    _pending_refusal: ServingError | None = None
    """Refusal to send after the answers to earlier requests on this connection."""

    _has_advanced = False
    _bytes_without_advance = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn serves over transports alone
        """Wait for the first request; at the limit, close the one that has waited longest."""
        super().connection_made(transport)
        self._wait()
        if len(self.connections) > self.max_connections:
            # This connection waits too, so there always is one to close, and the oldest goes first.
            longest = next(iter(self._waiting))
            longest._close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._received()
        super().connection_lost(exc)

    def shutdown(self) -> None:
        """End after the answer in progress, or after one more request within `LINGER_S`.

        A streaming answer reads from its request's state that it must end.
        """
        self._is_ending = True
        if self._is_answering and self.cycle is not None:
            self.cycle.scope.setdefault("state", {})["is_ending"] = True
            super().shutdown()
        else:
            self.loop.call_later(LINGER_S, self._close_idle)

    def data_received(self, data: bytes) -> None:
        """Parse the data slice by slice until a limit is exceeded."""
        for start in range(0, len(data), _SLICE):
            if self._is_refused or self.transport.is_closing():
                return
            part = data[start : start + _SLICE]
            self._has_advanced = False
            super().data_received(part)
            self._refuse_endless(len(part))

    def on_message_begin(self) -> None:
        """Start the deadline of a new request, unless too many are pipelined."""
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
        """Collect a part of the address."""
        if not self._is_refused:
            super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Collect a header; ignore trailers, which follow a body."""
        if self._is_in_head and not self._is_refused:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Accept the complete head of a request."""
        if self._is_refused:
            return
        self._is_in_head, self._has_advanced = False, True
        super().on_headers_complete()
        if self._is_ending and not self.pipeline and self.cycle is not None:
            self.cycle.keep_alive = False
            self.cycle.scope.setdefault("state", {})["is_ending"] = True

    def on_body(self, body: bytes) -> None:
        """Collect a part of the body."""
        if self._is_refused:
            return
        self._has_advanced = True
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Stop waiting: the request is complete."""
        if self._is_refused:
            return
        self._has_advanced = True
        self._received()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Wait for the next request, for as long as the server keeps connections alive."""
        is_last = not self.pipeline
        super().on_response_complete()
        if self.transport.is_closing():
            return
        if is_last and self._pending_refusal is not None:
            self._write_refusal(self._pending_refusal)
        self._waiting.setdefault(self)

    def send_400_response(self, msg: str) -> None:
        """Refuse data that cannot be parsed, after answering complete requests before it."""
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
        """Refuse an oversized head; close if endless data makes no progress within a body."""
        if self._is_in_head or not self._has_advanced:
            self._bytes_without_advance += size
        else:
            self._bytes_without_advance = 0
        if self._is_refused or self.transport.is_closing():
            return
        if self._bytes_without_advance > MAX_HEAD:
            # The answer has started and its body never ends: there is no way to send another
            # answer.
            if self._is_answering and self.cycle is not None and self.cycle.more_body:
                self._close()
            else:
                says = f"request line and headers may have {MAX_HEAD} bytes in all"
                self._refuse(ServingError(says, code="head-too-large"))

    def _refuse(self, refusal: ServingError) -> None:
        """Stop reading, finish earlier answers, send this refusal and close."""
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
        # Closing with unread bytes resets the connection, and the client would lose the answer. So
        # only the write side is closed here; the deadline closes the rest.
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

    def _close_idle(self) -> None:
        # A request whose head has begun is answered; its deadline closes it otherwise.
        if not self._is_answering and not self._is_in_head:
            self.transport.close()

    def _close(self) -> None:
        self._received()
        if not self.transport.is_closing():
            self.transport.abort()
