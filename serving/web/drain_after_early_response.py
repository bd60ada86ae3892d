"""Delivery of answers that are sent before the request's body was read.

A server that closes a connection with unread bytes resets it, and the client loses the answer.
So the answer is sent except for its end, and the rest of the body is discarded, within limits of
time and size, before the server may close. Source: RFC 9112, 9.6.
"""

import asyncio
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

# Bytes to discard at most: two of the largest bodies.
MAX_UNREAD = 16 * 1024 * 1024
# The time limit keeps slow senders from holding a connection after they were answered.
MAX_UNREAD_S = 5.0


class DrainingAnswer:
    """Body and answer of one request; the end of the answer waits for the rest of the body."""

    def __init__(self, scope: Scope, receive: Receive, send: Send):
        names = {name for name, _ in scope["headers"]}
        self._receive = receive
        self._send = send
        # With `Expect: 100-continue` the client sends its body only after the server asks for it.
        self._is_coming = b"expect" not in names
        self._is_whole = not names & {b"content-length", b"transfer-encoding"}
        self._lacks_end = False

    async def receive(self) -> Message:
        """Return the next part of the body."""
        self._is_coming = True
        message = await self._receive()
        self._is_whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer, but hold back its end while the body is still arriving."""
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if is_last and self._is_coming and not self._is_whole:
            self._lacks_end = True
            message = {**message, "more_body": True}
        await self._send(message)

    async def end(self) -> None:
        """Discard the rest of the body and end the answer, if it is still open."""
        if not self._lacks_end:
            return
        left = MAX_UNREAD
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_UNREAD_S):
                while not self._is_whole and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        await self._send({"type": "http.response.body", "body": b""})
