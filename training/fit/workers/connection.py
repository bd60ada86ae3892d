"""What a coordinator and a worker say to each other: messages over a socket, none of them code."""

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

# Of the environment; everyone on a machine can read a command line.
KEY_VARIABLE = "TIDEGATE_WORKERS_KEY"

GREETS_WITHIN_S = 20.0
_LENGTHS = struct.Struct(">QQ")
_NONCE_BYTES = 32
# A machine that is gone says nothing; so often in seconds it is asked whether it is there.
_SILENT_S = 20


@dataclass(frozen=True)
class WorkerMessage:
    """A message: a word, plain values, and arrays."""

    word: str
    values: dict[str, Any] = field(default_factory=dict)
    arrays: Arrays = field(default_factory=dict)


class NotOurs(OSError):
    """Whoever is at the other end does not know the key."""


class WorkerConnection:
    """A connection whose two ends have shown each other that they know one key."""

    def __init__(self, connection: socket.socket):
        self._connection = connection
        self.other_host: str = connection.getpeername()[0]
        """By which this machine, and so others, reach the other end."""

    @classmethod
    def greeted(cls, connection: socket.socket, key: bytes, own: bytes, other: bytes) -> Self:
        """The line over a connection, once the other end has proved that it knows the key.

        `own` and `other` say who speaks, lest anybody answers with our own answer. Raises OSError.
        """
        connection.settimeout(GREETS_WITHIN_S)
        asked = secrets.token_bytes(_NONCE_BYTES)
        connection.sendall(asked)
        connection.sendall(_proof(key, own, _exactly(connection, _NONCE_BYTES)))
        if not hmac.compare_digest(_exactly(connection, _NONCE_BYTES), _proof(key, other, asked)):
            raise NotOurs("the key of workers is another one there")
        connection.settimeout(None)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        # A machine without power ends no connection; nor does a cut cable.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in (("TCP_KEEPIDLE", _SILENT_S), ("TCP_KEEPINTVL", 5), ("TCP_KEEPCNT", 3)):
            if hasattr(socket, name):  # not every system lets these be chosen
                connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
        return cls(connection)

    def send(self, word: str, arrays: Arrays | None = None, **values: Any) -> None:
        """Say something. Raises OSError where nobody is there any more."""
        packed = io.BytesIO()
        if arrays:
            np.savez(packed, allow_pickle=False, **dict(arrays))
        plain = json.dumps([word, values]).encode()
        self._connection.sendall(_LENGTHS.pack(len(plain), packed.tell()) + plain)
        self._connection.sendall(packed.getbuffer())

    def hear(
        self, on_message: Callable[[WorkerMessage], object], on_end: Callable[[], object]
    ) -> None:
        """Hand over what is said, as it comes, in a thread of its own; `on_end` when it is over."""

        def listen() -> None:
            try:
                while True:
                    on_message(self._received())
            except (OSError, ValueError):  # gone, or damaged: either way nothing more is to be had
                on_end()

        threading.Thread(target=listen, daemon=True).start()

    def close(self) -> None:
        """End it; the other end notices."""
        with suppress(OSError):  # it ended already
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
