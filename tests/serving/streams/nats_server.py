"""A real server of NATS with JetStream, and what a test does with it."""

import asyncio
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from email.header import decode_header
from pathlib import Path
from typing import Any

import nats
from nats.js.api import ConsumerConfig
from nats.js.errors import NotFoundError

from tests.ports import free_port

Pair = tuple[str, bytes]


@dataclass
class NatsServer:
    """A server in a process of its own."""

    folder: Path
    port: int
    process: "subprocess.Popen[bytes] | None" = None
    options: tuple[str, ...] = ()

    @property
    def server(self) -> str:
        """Its host and port."""
        return f"127.0.0.1:{self.port}"

    def address(self, name: str, consumer: str | None = None) -> str:
        """As the command line takes it."""
        return f"nats://{self.server}/{name}" + (f"?consumer={consumer}" if consumer else "")

    def start(self) -> None:
        """Start, and wait until it listens."""
        command = [str(Path(sys.executable).parent / "nats-server"), "--jetstream"]
        command += ["--addr", "127.0.0.1", "--port", str(self.port), "-sd", str(self.folder)]
        self.process = subprocess.Popen(
            [*command, *self.options], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        ends_at = time.monotonic() + 10
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                assert time.monotonic() < ends_at, "no server of NATS"
                time.sleep(0.01)

    def stop(self) -> None:
        """Kill it."""
        if self.process is not None:
            self.process.kill()
            self.process.wait()

    def make(self, *streams: str) -> None:
        """Make streams, each of the subjects that begin with its name."""

        async def act(context: Any) -> None:
            for name in streams:
                await context.add_stream(name=name, subjects=[name, f"{name}.>"])

        self._do(act)

    def make_consumer(self, stream: str, **config: Any) -> None:
        """Make a durable consumer as somebody else would."""

        async def act(context: Any) -> None:
            await context.add_consumer(stream, ConsumerConfig(**config))

        self._do(act)

    def send(self, messages: Sequence[Pair], headers: Mapping[str, str] | None = None) -> None:
        """Send messages to these subjects."""

        async def act(context: Any) -> None:
            for subject, body in messages:
                await context.publish(subject, body, headers=dict(headers) if headers else None)

        self._do(act)

    def read(self, stream: str) -> list[Any]:
        """All that is in a stream."""
        found: list[Any] = []

        async def act(context: Any) -> None:
            state = (await context.stream_info(stream)).state
            numbers = range(max(1, state.first_seq), state.last_seq + 1)
            found.extend([await context.get_msg(stream, number) for number in numbers])

        self._do(act)
        return found

    def done(self, stream: str, consumer: str) -> int:
        """Up to which message a consumer has acknowledged all."""
        found: list[int] = []

        async def act(context: Any) -> None:
            with suppress(NotFoundError):
                found.append((await context.consumer_info(stream, consumer)).ack_floor.stream_seq)

        self._do(act)
        return found[0] if found else 0

    def _do(self, act: Any) -> None:
        async def connected() -> None:
            connection = await nats.connect(
                self.server, allow_reconnect=False, error_cb=_hear_nothing
            )
            try:
                await act(connection.jetstream())
            finally:
                await connection.close()

        asyncio.run(connected())


def headers_of(message: Any) -> dict[str, str]:
    """Headers as they were written: what gets one message reads them as those of a letter."""
    return {
        name: each if isinstance(each, str) else decode_header(each)[0][0].decode()
        for name, each in (message.headers or {}).items()
    }


async def _hear_nothing(_: Exception) -> None:
    """What is wrong is raised."""


@contextmanager
def nats_server(folder: Path, *options: str) -> Iterator[NatsServer]:
    """A server that ends with the block."""
    server = NatsServer(folder, free_port(), options=options)
    server.start()
    try:
        yield server
    finally:
        server.stop()
