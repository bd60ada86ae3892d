"""The rendezvous of workers and coordinator: a socket, a key, and a number of workers."""

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from queue import Empty, SimpleQueue

from features.errors import TidegateError
from training.errors import TrainingError
from training.fit.workers.connection import Address, WorkerConnection
from training.fit.workers.environment_fingerprint import CODE
from training.fit.workers.worker import COORDINATOR, WORKER
from training.fit.workers.worker_group import Inbox, WorkerGroup

_LOOKS_EVERY_S = 0.2


@contextmanager
def rendezvous_socket(where: Address) -> Iterator[socket.socket]:
    """Open a listening socket; raises TrainingError if the address is not available."""
    host, port = where
    try:
        server = socket.create_server(where)
    except OSError as error:
        raise TrainingError(
            f"{host}:{port} cannot be opened ({error.strerror}); name another address of this "
            "machine by --listen HOST:PORT"
        ) from None
    with server:
        server.settimeout(_LOOKS_EVERY_S)
        yield server


@contextmanager
def workers_at(
    server: socket.socket,
    key: bytes,
    count: int,
    within_s: float,
    hindrance: Callable[[], str | None] = lambda: None,
) -> Iterator[WorkerGroup]:
    """Wait for `count` workers, and dismiss them at the end of the block.

    Raises TrainingError if they do not connect in time or `hindrance` returns a reason why they
    will not, and TidegateError if one runs other code.
    """
    inbox: Inbox = SimpleQueue()
    growers = WorkerGroup([], inbox)
    ends_at = time.monotonic() + within_s
    with ExitStack() as lines:
        while len(growers.lines) < count:
            if line := _greeted(server, key):
                lines.callback(line.close)
                growers.lines.append(line)
                _hear(line, len(growers.lines) - 1, inbox)
                _hold_same_code(growers, max(0.0, ends_at - time.monotonic()))
            elif reason := hindrance():
                raise TrainingError(reason)
            elif time.monotonic() > ends_at:
                raise TrainingError(
                    f"of {count} workers {len(growers.lines)} came within {within_s:.0f} s"
                )
        yield growers
        growers.dismiss()


def _greeted(server: socket.socket, key: bytes) -> WorkerConnection | None:
    """Return the connection of a worker that knows the key; None if there is none right now."""
    with suppress(OSError):  # no connection yet, or not a worker
        connection, _ = server.accept()
        try:
            return WorkerConnection.greeted(connection, key, COORDINATOR, WORKER)
        # Strangers must not stop the training: wait for the next connection.
        except OSError:
            connection.close()
    return None


def _hear(line: WorkerConnection, rank: int, inbox: Inbox) -> None:
    line.hear(lambda message: inbox.put((rank, message)), lambda: inbox.put((rank, None)))


def _hold_same_code(growers: WorkerGroup, within_s: float) -> None:
    """Check the code of the newest worker; raises TrainingError if any worker is gone."""
    try:
        rank, hello = growers.inbox.get(timeout=within_s)
    except Empty:
        raise TrainingError("a worker connected and sent nothing") from None
    host = growers.lines[rank].other_host
    if hello is None:
        raise TrainingError(f"the worker on {host} is gone before all had come")
    if hello.values["code"] != CODE:
        raise TidegateError(
            f"the worker on {host} has {hello.values['code']}, and this machine {CODE}; install "
            "the same on both, for other code grows other trees"
        )
