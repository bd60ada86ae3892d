"""Answers that come before their request's body was read, and reach whoever still sends it.

A server that closes a connection with bytes unread resets it, and a reset takes back what was
answered. So the answer is sent whole, but for its end, and what is left of the body goes by unread,
for a while and so many bytes, before the server may close. Sources: RFC 9112, 9.6.
"""

import asyncio
from contextlib import suppress

from starlette.types import Message, Receive, Scope, Send

MAX_UNREAD = 16 * 1024 * 1024  # bytes that go by: two of the largest bodies
MAX_UNREAD_S = 5.0


class DrainingAnswer:
    """A request's body and the answer to it, whose end waits for the rest of the body."""

    def __init__(self, scope: Scope, receive: Receive, send: Send):
        names = {name for name, _ in scope["headers"]}
        self._receive = receive
        self._send = send
        self._is_coming = b"expect" not in names  # such a body waits to be asked for
        self._is_whole = not names & {b"content-length", b"transfer-encoding"}
        self._lacks_end = False

    async def receive(self) -> Message:
        """The next part of the body."""
        self._is_coming = True
        message = await self._receive()
        self._is_whole = not message.get("more_body", False)
        return message

    async def send(self, message: Message) -> None:
        """Send a part of the answer; the last one as if another came, where the body is coming."""
        is_last = message["type"] == "http.response.body" and not message.get("more_body", False)
        if is_last and self._is_coming and not self._is_whole:
            self._lacks_end = True
            message = {**message, "more_body": True}
        await self._send(message)

    async def end(self) -> None:
        """Let the rest of the body go by, and end the answer, unless it was ended."""
        if not self._lacks_end:
            return
        left = MAX_UNREAD
        with suppress(TimeoutError):
            async with asyncio.timeout(MAX_UNREAD_S):
                while not self._is_whole and left > 0:
                    left -= len((await self.receive()).get("body", b""))
        await self._send({"type": "http.response.body", "body": b""})
