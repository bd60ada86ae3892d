"""The service in processes of its own, which can be killed and started again, and load on it."""

import asyncio
import json
import resource
import signal
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import httpx2

from serving.settings import FixedLimits, Settings
from serving.storage.engine import open_database
from serving.storage.verification.log_verification import LogProof, verify_decision_log
from tests.forked_command import ForkedCommand
from tests.serving.bodies import shipment

SERVE = (
    "from tests.faults.served import limit_service; limit_service({}, {}); "
    "from serving.cli.main import main; main()"
)


def limit_service(fixed: Mapping[str, Any], open_files: int | None) -> None:
    """Set limits that are no settings, in the process that will serve."""
    if open_files:
        resource.setrlimit(resource.RLIMIT_NOFILE, (open_files, open_files))
    for name, value in fixed.items():
        Settings.model_fields[name].default = value
    Settings.model_rebuild(force=True)


@dataclass
class Told:
    """One answer: when it was asked for and given, and what it was."""

    name: str
    status: int
    body: bytes
    headers: httpx2.Headers
    began_s: float
    seconds: float


@dataclass
class Served:
    """One service; `acknowledged` holds what it answered with 200, `asked` all it was asked."""

    home: Path
    key: str
    port: int
    database_url: str | None = None
    workers: int = 1
    settings: dict[str, Any] = field(default_factory=dict)
    open_files: int | None = None
    process: ForkedCommand | None = None
    acknowledged: dict[str, bytes] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The id of the started process, and of its group."""
        assert self.process is not None
        return self.process.pid

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"}

    def start(self) -> float:
        """Start, and wait until it is ready; the seconds that took."""
        fixed = {n: v for n, v in self.settings.items() if n in FixedLimits.model_fields}
        environment = {
            f"TIDEGATE_{name.upper()}": str(value)
            for name, value in self.settings.items()
            if name not in fixed
        }
        if self.database_url:
            environment["TIDEGATE_DATABASE_URL"] = self.database_url
        arguments = ["serve", "--home", str(self.home), "--port", str(self.port)]
        arguments += ["--workers", str(self.workers)]
        environment = {"OMP_NUM_THREADS": "1", **environment}
        began = time.monotonic()
        self.process = ForkedCommand.start(
            arguments,
            self.home / "service.log",
            environment,
            partial(limit_service, fixed, self.open_files),
            # Workers are forks of what starts them, and hang as forks of a fork of many threads.
            SERVE.format(fixed, self.open_files) if self.workers > 1 else None,
        )
        self.wait_until_ready(60)
        return time.monotonic() - began

    def wait_until_ready(self, within_s: float) -> None:
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline and not self._has_ended():
            try:
                if httpx2.get(f"{self.address}/health/ready", timeout=5).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            time.sleep(0.02)
        log = (self.home / "service.log").read_text()[-2_000:]
        raise AssertionError(f"the service did not get ready:\n{log}")

    def _has_ended(self) -> bool:
        return self.process is not None and self.process.poll() is not None

    def kill(self, how: signal.Signals = signal.SIGKILL) -> int:
        """Signal every process of it, and wait for the first one's end."""
        if self.process is None or self.process.poll() is not None:
            return 0
        self.process.kill(how)
        return self.process.wait(60)

    async def ask(self, client: httpx2.AsyncClient, name: str) -> Told:
        """Ask for a decision about a subject of this name, under this idempotency key."""
        self.asked.add(name)
        began = time.monotonic()
        response = await client.post(
            f"{self.address}/v1/scores",
            json=shipment(shipment_id=name),
            headers={**self.headers, "Idempotency-Key": name},
        )
        seconds = time.monotonic() - began
        told = Told(name, response.status_code, response.content, response.headers, began, seconds)
        if told.status == 200:
            self.acknowledged.setdefault(name, told.body)
        return told

    async def flood(self, clients: int, seconds: float) -> list[Told]:
        """Let many clients ask that go on whatever they are told, after a twentieth of a second.

        Over plain sockets: a client that is busy itself would measure itself.
        """
        body = json.dumps(shipment()).encode()
        ends_at = time.monotonic() + seconds
        told: list[Told] = []

        async def client(number: int) -> None:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            for turn in range(1_000_000):
                if time.monotonic() > ends_at:
                    break
                name = f"flood-{number}-{turn}"
                head = (
                    f"POST /v1/scores HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {self.key}\r\n"
                    f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
                    f"Idempotency-Key: {name}\r\n\r\n"
                )
                began = time.monotonic()
                writer.write(head.encode() + body)
                told.append(await _told(reader, name, began))
                await asyncio.sleep(0.05)
            writer.close()

        await asyncio.gather(*(client(number) for number in range(clients)))
        return told

    def load(self, clients: int, prefix: str, until: Callable[[], bool]) -> list[Told]:
        """Let many clients ask one after the other until it is enough; what they were told.

        A client that is cut off asks on, under another name.
        """
        told: list[Told] = []

        async def client(number: int) -> None:
            async with httpx2.AsyncClient(timeout=30) as connection:
                for turn in range(1_000_000):
                    if until():
                        return
                    try:
                        told.append(await self.ask(connection, f"{prefix}-{number}-{turn}"))
                        is_served = told[-1].status == 200
                    except httpx2.TransportError:
                        is_served = False
                    await asyncio.sleep(0 if is_served else 0.2)

        async def all_of_them() -> None:
            await asyncio.gather(*(client(number) for number in range(clients)))

        asyncio.run(all_of_them())
        return told

    def settle(self) -> None:
        """Ask again for everything: what was acknowledged comes back to the byte, the rest is made.

        Then nothing is lost, nothing is there twice, and the log is whole.
        """
        known = dict(self.acknowledged)
        names = iter(sorted(self.asked))

        async def client(connection: httpx2.AsyncClient) -> None:
            for name in names:
                told = await self.ask(connection, name)
                assert told.status == 200, (told.status, told.body)
                if name in known:
                    assert told.body == known[name]
                    assert told.headers["Idempotency-Replayed"] == "true"

        async def everything() -> None:
            # A pool looks through all that wait for it, so thousands would keep it busy.
            async with httpx2.AsyncClient(timeout=120) as connection:
                await asyncio.gather(*(client(connection) for _ in range(16)))

        asyncio.run(everything())
        ready = httpx2.get(f"{self.address}/health/ready").json()
        assert ready["decisions"] == len(self.asked)
        assert self.proof().is_whole

    def proof(self) -> LogProof:
        """Whether the log is whole."""
        engine = open_database(self.database_url or self.home / "tidegate.db", is_service=False)
        try:
            return verify_decision_log(engine)
        finally:
            engine.dispose()


async def _told(reader: asyncio.StreamReader, name: str, began: float) -> Told:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = httpx2.Headers([line.split(": ", 1) for line in lines if line])
    body = await reader.readexactly(int(headers["Content-Length"]))
    seconds = time.monotonic() - began
    return Told(name, int(first.split()[1]), body, headers, began, seconds)
