"""The event loop of one of several workers that share a listening socket: each takes its share.

Whichever worker is awake accepts a connection first, and uvloop accepts all that wait: a burst
would stay with one worker, and the others would idle as long as its connections last. Here each
tells the others how many it has, and whoever has more than another leaves it a moment's precedence.
"""

import asyncio
import errno
import fcntl
import mmap
import os
import socket
import ssl
import struct
from collections.abc import Callable, Sized
from pathlib import Path
from typing import IO

import uvloop

from serving.process.worker_metrics import shared_folder
from serving.web.connections import BoundedConnection

PRECEDENCE_S = 0.002
"""What a worker with fewer connections has to take the next one; a busy one may be too late."""

PAUSE_S = 1.0
"""After which a worker that had no files left to open looks again whether somebody wants in."""

MOST_WORKERS = 64

_NOBODY_THERE = (BlockingIOError, InterruptedError, ConnectionAbortedError)
_NO_FILES = {errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM}
_COUNT = struct.Struct("=q")
_UNUSED = _COUNT.pack(-1) * MOST_WORKERS


class WorkerLoop(uvloop.Loop):
    """A loop whose servers take a connection when it is their turn among the workers."""

    async def create_server(  # type: ignore[override]  # what uvicorn asks for, and nothing else
        self,
        protocol_factory: Callable[[], BoundedConnection],
        *,
        sock: socket.socket,
        backlog: int,
        ssl: ssl.SSLContext | None = None,
    ) -> "SharedServer":
        """Listen at a socket that other workers listen at too."""
        folder = shared_folder()
        assert folder is not None  # whoever begins several workers made it
        sock.setblocking(False)
        sock.listen(backlog)
        return SharedServer(self, protocol_factory, sock, ssl, ConnectionCounts(folder))


class ConnectionCounts:
    """How many connections each worker has, in memory that they share; one that ended stays told.

    Each worker holds the lock of its place, which the next one takes over when it ends.
    """

    def __init__(self, folder: Path):
        self._place, self._lock = next(
            (place, lock)
            for place in range(MOST_WORKERS)
            if (lock := _taken(folder / f"worker-{place}")) is not None
        )
        with (folder / "connections").open("a+b") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if file.seek(0, os.SEEK_END) == 0:
                file.write(_UNUSED)
                file.flush()
            fcntl.flock(file, fcntl.LOCK_UN)  # what is mapped stays open, and would stay locked
            self._counts = mmap.mmap(file.fileno(), len(_UNUSED))
        self._tell(0)

    def has_more_than_another(self, own: int) -> bool:
        """Tell the others of one's own, and whether one of them has fewer."""
        self._tell(own)
        return any(0 <= count < own for (count,) in _COUNT.iter_unpack(self._counts))

    def close(self) -> None:
        """Leave the place to others, as one that takes no connection."""
        self._tell(-1)
        self._counts.close()
        self._lock.close()

    def _tell(self, count: int) -> None:
        _COUNT.pack_into(self._counts, self._place * _COUNT.size, count)


def _taken(file: Path) -> IO[bytes] | None:
    """The lock of a place, until it is closed or the process ends; None where another has it."""
    lock = file.open("ab")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


class SharedServer:
    """Accepts the connections of a listening socket that others accept from too.

    What uvicorn asks of an `asyncio.Server`.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        protocol_factory: Callable[[], BoundedConnection],
        listener: socket.socket,
        tls: ssl.SSLContext | None,
        counts: ConnectionCounts,
    ):
        self._loop = loop
        self._protocol_factory = protocol_factory
        self._listener = listener
        self._tls = tls
        self._counts = counts
        self._arriving: set[asyncio.Task[None]] = set()
        self._open: Sized = ()
        self._pausing: asyncio.TimerHandle | None = None
        self._listen()

    def close(self) -> None:
        """Accept no more; what was accepted goes on."""
        if self._pausing is not None:
            self._pausing.cancel()
        self._loop.remove_reader(self._listener)
        self._counts.close()

    async def wait_closed(self) -> None:
        """Nothing is left to wait for."""

    def _listen(self) -> None:
        self._loop.add_reader(self._listener, self._take_turn)

    def _take_turn(self) -> None:
        if self._counts.has_more_than_another(len(self._open) + len(self._arriving)):
            self._pause(PRECEDENCE_S, self._resume)
        else:
            self._accept()

    def _resume(self) -> None:
        """Accept what nobody else took meanwhile."""
        self._listen()
        self._accept()

    def _pause(self, seconds: float, then: Callable[[], None]) -> None:
        self._loop.remove_reader(self._listener)
        self._pausing = self._loop.call_later(seconds, then)

    def _accept(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except _NOBODY_THERE:
            return
        except OSError as failure:
            if failure.errno not in _NO_FILES:
                raise
            self._pause(PAUSE_S, self._listen)
            return
        task = self._loop.create_task(self._connect(connection))
        self._arriving.add(task)
        task.add_done_callback(self._arriving.discard)

    async def _connect(self, connection: socket.socket) -> None:
        try:
            _, protocol = await self._loop.connect_accepted_socket(
                self._protocol_factory, connection, ssl=self._tls
            )
        except OSError:  # it went away, or its handshake failed
            connection.close()
        else:
            self._open = protocol.connections
