"""A limit on how long a request may take to arrive.

The server's own timeouts begin anew with every byte, so a client that sends one now and then holds
its place for ever. Here a connection that has not sent a whole request in time is closed, from
its first byte (or from the connection, where none comes) to its last.
"""

import asyncio

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from serving.settings import Settings


class ReceivedInTime(HttpToolsProtocol):
    """uvicorn's protocol, closing connections whose request does not arrive within `deadline_s`."""

    deadline_s = Settings().receive_deadline_s
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # uvicorn serves over transports alone
        """Wait for the first request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop waiting."""
        self._received()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        """Wait for the rest of the request that begins."""
        super().on_message_begin()
        if self._deadline is None:
            self._wait()

    def on_message_complete(self) -> None:
        """Stop waiting: the request is here."""
        self._received()
        super().on_message_complete()

    def _wait(self) -> None:
        self._deadline = self.loop.call_later(self.deadline_s, self._close)

    def _received(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _close(self) -> None:
        self._deadline = None
        if not self.transport.is_closing():
            self.transport.abort()
