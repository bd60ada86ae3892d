"""The protocol between coordinator and worker: messages over a socket, without pickled code."""

import hmac
import io
import json
import secrets
import socket
import struct
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

import numpy as np
import numpy.typing as npt

Arrays = Mapping[str, npt.NDArray[Any]]
Address = tuple[str, int]

# Passed in the environment: any user of a machine can read command lines.
KEY_VARIABLE = "TIDEGATE_WORKERS_KEY"

GREETS_WITHIN_S = 20.0
_LENGTHS = struct.Struct(">QQ")
_NONCE_BYTES = 32
# Seconds of silence before a keep-alive probe; a machine that crashed sends nothing.
_SILENT_S = 20


@dataclass(frozen=True)
class WorkerMessage:
    """A message: its type (`word`), JSON values, and arrays."""

    word: str
    values: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


class NotOurs(OSError):
    """The other end does not know the key."""


class WorkerConnection:
    """A connection whose two ends have proved to each other that they know the key."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self.other_host: str = connection.getpeername()[0]
        """By which this machine, and so others, reach the other end."""

    @classmethod
    def greeted(cls, connection: socket.socket, key: bytes, own: bytes, other: bytes) -> Self:
        """Return the connection, once the other end has proved that it knows the key.

        `own` and `other` name the roles and are part of each proof; otherwise our own proof could
        be sent back to us. Raises OSError.
        """
        connection.settimeout(GREETS_WITHIN_S)
        asked = secrets.token_bytes(_NONCE_BYTES)
        connection.sendall(asked)
        # Each end answers the other's fresh nonce, so a recorded handshake is of no use.
        connection.sendall(_proof(key, own, _exactly(connection, _NONCE_BYTES)))
        if not hmac.compare_digest(_exactly(connection, _NONCE_BYTES), _proof(key, other, asked)):
            raise NotOurs("the key of workers is another one there")
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A machine that loses power, or a cut cable, ends no connection.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", _SILENT_S), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):  # not every system lets these be chosen
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return cls(connection)

    def send(self, word: str, arrays: Arrays | None = None, **values: Any) -> None:
        """Send a message; raises OSError if the connection is gone."""
        packed = io.BytesIO()
        if arrays:
            # Never pickle: unpickling would let the other end run code.
            np.savez(packed, allow_pickle=False, **dict(arrays))
        plain = json.dumps([word, values]).encode()
        self._connection.sendall(_LENGTHS.pack(len(plain), packed.tell()) + plain)
        self._connection.sendall(packed.getbuffer())

    def hear(
        self, on_message: Callable[[WorkerMessage], object], on_end: Callable[[], object]
    ) -> None:
        """Call `on_message` for each message in a thread of its own, and `on_end` at the end."""

        def listen() -> None:
            try:
                while True:
                    on_message(self._received())
            except (OSError, ValueError):  # closed or corrupt: nothing more can be read
                on_end()

        threading.Thread(target=listen, daemon=True).start()

    def close(self) -> None:
        """Close the connection; the other end notices."""
        with suppress(OSError):  # already closed
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()

    def _received(self) -> WorkerMessage:
        plain_size, packed_size = _LENGTHS.unpack(_exactly(self._connection, _LENGTHS.size))
        word, values = json.loads(_exactly(self._connection, plain_size))
        packed = _exactly(self._connection, packed_size)
        if not packed:
            return WorkerMessage(word, values)
        with np.load(io.BytesIO(packed), allow_pickle=False) as arrays:
            return WorkerMessage(word, values, dict(arrays))


def _proof(key: bytes, who: bytes, asked: bytes) -> bytes:
    return hmac.digest(key, who + asked, "sha256")


def _exactly(connection: socket.socket, size: int) -> bytes:
    received = bytearray()
    while len(received) < size:
        part = connection.recv(min(size - len(received), 1 << 20))
        if not part:
            raise ConnectionResetError("the other end is gone")
        received += part
    return bytes(received)
