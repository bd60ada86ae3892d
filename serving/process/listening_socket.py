"""The listening socket: bound before anything is loaded, announced when the service answers."""

import os
import socket
from collections.abc import Callable

import uvicorn

from features.errors import TidegateError

BACKLOG = 2048


def bound(host: str, port: int) -> socket.socket:
    """Return a socket bound to an address, not listening yet: it refuses connections.

    Two processes that start at the same time may both bind; the second fails in `listen`. Raises
    TidegateError.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family)
        # Without it a restart fails for minutes while old connections are in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as refusal:
        raise _not_free(host, port, refusal) from None
    listener.set_inheritable(True)  # workers share it
    return listener


def listen(listener: socket.socket) -> None:
    """Start to accept connections; raises TidegateError if another process was faster."""
    try:
        listener.listen(BACKLOG)
    except OSError as refusal:
        host, port, *_ = listener.getsockname()
        raise _not_free(host, port, refusal) from None


def inherited(descriptor: int) -> socket.socket:
    """Return the socket inherited from the parent process; raises TidegateError."""
    try:
        return socket.socket(fileno=descriptor)
    except OSError as refusal:
        raise TidegateError(
            f"file descriptor {descriptor} is not a socket ({os.strerror(refusal.errno or 0)})"
        ) from None


def address_of(listener: socket.socket, scheme: str = "http") -> str:
    """Return the URL of a listening socket; IPv6 hosts are put in brackets."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class AnnouncingServer(uvicorn.Server):
    """A uvicorn server that calls `announce` once it accepts requests."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]):
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the server, then announce it unless the start failed."""
        await super().startup(sockets)
        if self.started:
            self._announce()


def _not_free(host: str, port: int, refusal: OSError) -> TidegateError:
    return TidegateError(
        f"cannot listen at port {port} of {host}: {refusal.strerror or refusal}; "
        "give another with --port"
    )
