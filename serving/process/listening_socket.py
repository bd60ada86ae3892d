"""The listening socket: taken before anything is loaded, announced when the service answers."""

import os
import socket
from collections.abc import Callable

import uvicorn

from serving.errors import AddressNotFree

BACKLOG = 2048


def bound(host: str, port: int) -> socket.socket:
    """A socket that has the address to itself, and refuses connections until it listens.

    Two that start at once may both have it: the second is refused when it listens. Raises
    AddressNotFree.
    """
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as refusal:
        raise _not_free(host, port, refusal) from None
    listener.set_inheritable(True)  # workers share it
    return listener


def listen(listener: socket.socket) -> None:
    """Let connections come; raises AddressNotFree where another was faster."""
    try:
        listener.listen(BACKLOG)
    except OSError as refusal:
        host, port, *_ = listener.getsockname()
        raise _not_free(host, port, refusal) from None


def inherited(descriptor: int) -> socket.socket:
    """Return the socket that the parent process handed down; raises AddressNotFree."""
    try:
        return socket.socket(fileno=descriptor)
    except OSError as refusal:
        raise AddressNotFree(
            f"file descriptor {descriptor} is no socket ({os.strerror(refusal.errno or 0)})"
        ) from None


def address_of(listener: socket.socket, scheme: str = "http") -> str:
    """The address that a browser would be given."""
    host, port = listener.getsockname()[:2]
    return f"{scheme}://[{host}]:{port}" if ":" in host else f"{scheme}://{host}:{port}"


class AnnouncingServer(uvicorn.Server):
    """Says so when it answers, not before."""

    def __init__(self, config: uvicorn.Config, announce: Callable[[], None]):
        super().__init__(config)
        self._announce = announce

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start, then say so."""
        await super().startup(sockets)
        if self.started:
            self._announce()


def _not_free(host: str, port: int, refusal: OSError) -> AddressNotFree:
    return AddressNotFree(
        f"cannot listen at port {port} of {host}: {refusal.strerror or refusal}; "
        "give another with --port"
    )
