"""Connections to workers that share a socket: each gets its share, and a busy one delays nobody."""

import asyncio
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import cast

import pytest

from serving.web.connections import BoundedConnection
from serving.web.worker_loop import ConnectionCounts, SharedServer, WorkerLoop


class Held(asyncio.Protocol):
    """Holds a connection until the other side closes it."""

    def __init__(self, connections: set[asyncio.BaseTransport]):
        self.connections = connections

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport
        self.connections.add(transport)

    def connection_lost(self, exc: Exception | None) -> None:
        self.connections.discard(self._transport)


@contextmanager
def worker(
    listener: socket.socket, folder: Path, *, is_stuck: bool = False
) -> Iterator[set[asyncio.BaseTransport]]:
    """The connections of a worker on a thread of its own, which accepts none while it is stuck."""
    loop, held, is_listening = WorkerLoop(), set[asyncio.BaseTransport](), threading.Event()
    over = threading.Event()

    def made() -> BoundedConnection:
        return cast("BoundedConnection", Held(held))

    async def serve() -> None:
        server = SharedServer(loop, made, listener.dup(), None, ConnectionCounts(folder))
        is_listening.set()
        if is_stuck:
            over.wait(10)
        await asyncio.to_thread(over.wait)
        server.close()
        for transport in list(held):
            transport.close()

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()))
    thread.start()
    is_listening.wait(10)
    try:
        yield held
    finally:
        over.set()
        thread.join()
        loop.close()


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as made:
        made.setblocking(False)
        yield made


def connect(stack: ExitStack, listener: socket.socket, times: int) -> None:
    for _ in range(times):
        stack.enter_context(socket.create_connection(listener.getsockname()))


def wait_for(times: int, *held: set[asyncio.BaseTransport]) -> None:
    for _ in range(2_000):
        if sum(map(len, held)) == times:
            return
        threading.Event().wait(0.005)
    raise AssertionError(f"{[*map(len, held)]} connections were accepted, want {times}")


def test_each_worker_has_its_share_of_a_burst(listener: socket.socket, tmp_path: Path) -> None:
    with (
        worker(listener, tmp_path) as one,
        worker(listener, tmp_path) as other,
        ExitStack() as connections,
    ):
        connect(connections, listener, 40)
        wait_for(40, one, other)
        assert min(len(one), len(other)) >= 10


def test_a_worker_that_is_busy_keeps_nobody_waiting(
    listener: socket.socket, tmp_path: Path
) -> None:
    with (
        worker(listener, tmp_path) as one,
        worker(listener, tmp_path, is_stuck=True),
        ExitStack() as connections,
    ):
        connect(connections, listener, 5)
        wait_for(5, one)


def test_a_worker_begins_in_the_place_of_one_that_was_killed(tmp_path: Path) -> None:
    counts = ConnectionCounts(tmp_path)
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:  # it holds nine connections, and ends without a word
        with_most = ConnectionCounts(tmp_path)
        with_most.has_more_than_another(9)
        os.write(writing, b"1")
        os._exit(0)
    os.read(reading, 1)
    os.waitpid(child, 0)
    assert not counts.has_more_than_another(9)
    assert counts.has_more_than_another(10)

    other = os.fork()
    if other == 0:
        ConnectionCounts(tmp_path)
        os._exit(0)
    os.waitpid(other, 0)
    assert counts.has_more_than_another(1), "the new one has none"
