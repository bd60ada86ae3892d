"""Attacks on a served home, and what others notice of them: times, memory, size of answers.

    python -m experiments.benchmarks.attacks HOME

serves a copy of a home that has models with 1,024 open files, attacks it in every way that
`ATTACKS` names, and says of each what the scores of another key took meanwhile, by how much the
process grew, and how large the largest answer was. Each attacker is a process of its own, so that
who measures does not wait for it. All is bounded in count and time, and goes to this machine alone.
"""

import asyncio
import json
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2
import numpy as np

from experiments.benchmarks.memory import resident_mib
from serving.access.api_keys import new_key
from serving.app import utc_now
from serving.storage.engine import open_database
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from tests.faults.served import Served
from tests.ports import free_port
from tests.serving.bodies import shipment

HOST = "127.0.0.1"
OPEN_FILES = 1_024
MAX_S = 60.0


@dataclass
class Answers:
    """How often attackers were answered each status (0 for none), and the largest in bytes."""

    statuses: Counter[int] = field(default_factory=Counter)
    largest: int = 0

    def add(self, answer: bytes) -> None:
        """Count one answer."""
        self.statuses[int(answer.split()[1]) if answer else 0] += 1
        self.largest = max(self.largest, len(answer))


@dataclass(frozen=True)
class Harm:
    """What an attack did: the slowest hundredth of others' scores, those refused, and growth."""

    p99_ms: float
    others_refused: int
    others: int
    growth_mib: float
    answers: Answers

    def row(self, name: str) -> str:
        """The row of a table."""
        statuses = ", ".join(
            f"{times} x {status}" for status, times in self.answers.statuses.items()
        )
        return (
            f"{name:28} | p99 {self.p99_ms:7.0f} ms of {self.others}, {self.others_refused} refused"
            f" | +{self.growth_mib:4.0f} MiB | {self.answers.largest} bytes | {statuses}"
        )


@dataclass(frozen=True)
class Attacker:
    """Who attacks: the service's port, and a key of its own."""

    port: int
    key: str

    async def send(self, head: str, body: bytes = b"", length: int | None = None) -> bytes:
        """Send one request on a connection of its own, and read until it is closed."""
        lines = f"{head}\r\nHost: a\r\nConnection: close\r\n"
        if length is not None or body:
            lines += f"Content-Length: {len(body) if length is None else length}\r\n"
        reader, writer = await asyncio.open_connection(HOST, self.port)
        try:
            writer.write(lines.encode() + b"\r\n")
            for start in range(0, len(body), 65_536):
                writer.write(body[start : start + 65_536])
                await writer.drain()
            return await asyncio.wait_for(reader.read(-1), MAX_S)
        except (OSError, TimeoutError):
            return b""
        finally:
            writer.close()

    def post(self, path: str) -> str:
        """The beginning of a call with the attacker's key."""
        return (
            f"POST {path} HTTP/1.1\r\nAuthorization: Bearer {self.key}\r\n"
            f"Content-Type: application/json\r\nIdempotency-Key: {time.monotonic_ns()}"
        )


Attack = Callable[[Attacker, float], Coroutine[Any, Any, Answers]]


async def _again(seconds: float, at_once: int, ask: Callable[[], Awaitable[bytes]]) -> Answers:
    """Ask so often at once, again and again for so long."""
    answers = Answers()
    ends_at = time.monotonic() + seconds
    while time.monotonic() < ends_at:
        for answer in await asyncio.gather(*(ask() for _ in range(at_once))):
            answers.add(answer)
    return answers


async def _cookies(attacker: Attacker, seconds: float) -> Answers:
    quoted = '"' + r"\"" * 200_000 + '"'
    return await _again(
        seconds, 4, lambda: attacker.send(f"GET /health/live HTTP/1.1\r\nCookie: a={quoted}")
    )


async def _body_of_a_stranger(attacker: Attacker, seconds: float) -> Answers:
    body = b"[" + b"[]," * 33_333_333 + b"[]]"
    head = "POST /v1/cases/x/notes HTTP/1.1\r\nContent-Type: application/json"
    return await _again(seconds, 1, lambda: attacker.send(head, body))


async def _wrong_sign_ins(attacker: Attacker, seconds: float) -> Answers:
    head = "POST /console/sign-in HTTP/1.1\r\nContent-Type: application/x-www-form-urlencoded"
    return await _again(seconds, 60, lambda: attacker.send(head, b"name=alpha&password=wrong-one"))


async def _empty_objects(attacker: Attacker, seconds: float) -> Answers:
    body = b'{"documents":[' + b"{}," * 349_500 + b"{}]}"
    return await _again(seconds, 2, lambda: attacker.send(attacker.post("/v1/scores"), body))


async def _few_empty_objects(attacker: Attacker, seconds: float) -> Answers:
    """As many as may be: what is below the bounds costs little too."""
    body = b'{"positions":[' + b"{}," * 4_999 + b"{}]}"
    return await _again(seconds, 4, lambda: attacker.send(attacker.post("/v1/scores"), body))


async def _long_line(attacker: Attacker, seconds: float) -> Answers:
    body = b'[{"documents":[' + b"{}," * 699_000 + b"{}]}]"
    return await _again(seconds, 2, lambda: attacker.send(attacker.post("/v1/scores/batch"), body))


async def _array(attacker: Attacker, seconds: float) -> Answers:
    body = b"[" + b"1," * 4_194_000 + b"1]"
    return await _again(seconds, 2, lambda: attacker.send(attacker.post("/v1/scores/batch"), body))


async def _records(attacker: Attacker, seconds: float) -> Answers:
    body = b'{"documents":[' + b"{}," * 2_700_000 + b"{}]}"
    return await _again(seconds, 2, lambda: attacker.send(attacker.post("/v1/records"), body))


async def _idle_connections(attacker: Attacker, seconds: float) -> Answers:
    idle = []
    for _ in range(1_100):
        connection = socket.socket()
        connection.settimeout(5)
        connection.connect((HOST, attacker.port))
        idle.append(connection)
    await asyncio.sleep(seconds)
    for each in idle:
        each.close()
    return Answers()


async def _slow_uploads(attacker: Attacker, seconds: float) -> Answers:
    async def upload() -> bytes:
        reader, writer = await asyncio.open_connection(HOST, attacker.port)
        writer.write(
            f"{attacker.post('/v1/scores')}\r\nHost: a\r\nContent-Length: 900\r\n\r\n".encode()
        )
        try:
            for _ in range(int(seconds * 2)):
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.5)
            return await asyncio.wait_for(reader.read(65_536), 0.1)
        except (OSError, TimeoutError):
            return b""
        finally:
            writer.close()

    answers = Answers()
    for answer in await asyncio.gather(*(upload() for _ in range(64))):
        answers.add(answer)
    return answers


ATTACKS: dict[str, Attack] = {
    "400 KB of cookies": _cookies,
    "100 MB without a key": _body_of_a_stranger,
    "60 wrong sign-ins at once": _wrong_sign_ins,
    "1 MB of empty objects": _empty_objects,
    "5,000 empty objects": _few_empty_objects,
    "a line of 2 MB in a batch": _long_line,
    "an array of 8 MB": _array,
    "8 MB of empty records": _records,
    "1,100 idle connections": _idle_connections,
    "64 slow uploads by one key": _slow_uploads,
}


def harm_of(
    name: str, attacker: Attacker, score: Callable[[], bool], pid: int, seconds: float
) -> Harm:
    """What an attack does to a process that serves; `score` says whether one is decided."""
    before_mib = most_mib = resident_mib(pid)
    command = [sys.executable, "-m", "experiments.benchmarks.attacks", "--attack", name]
    attack = subprocess.Popen(
        [*command, str(attacker.port), attacker.key, str(seconds)], stdout=subprocess.PIPE
    )
    times_s: list[float] = []
    refused = 0
    ends_at = time.monotonic() + seconds + MAX_S
    while attack.poll() is None and time.monotonic() < ends_at:
        began = time.perf_counter()
        refused += not score()
        times_s.append(time.perf_counter() - began)
        most_mib = max(most_mib, resident_mib(pid))
        time.sleep(0.02)
    attack.kill()
    printed = attack.communicate()[0]
    found: dict[str, Any] = json.loads(printed or '{"statuses": {}, "largest": 0}')
    statuses = Counter({int(status): times for status, times in found["statuses"].items()})
    return Harm(
        p99_ms=float(np.percentile(times_s, 99)) * 1_000,
        others_refused=refused,
        others=len(times_s),
        growth_mib=most_mib - before_mib,
        answers=Answers(statuses, found["largest"]),
    )


class Honest:
    """Scores one shipment after the other with a key of its own, on one connection."""

    def __init__(self, address: str, key: str):
        self._client = httpx2.Client(base_url=address, timeout=MAX_S)
        self._headers = {"Authorization": f"Bearer {key}"}

    def score(self) -> bool:
        """Score a shipment that nobody scored; whether it was decided."""
        name = f"h-{time.monotonic_ns()}"
        headers = {**self._headers, "Idempotency-Key": name}
        try:
            answer = self._client.post(
                "/v1/scores", json=shipment(shipment_id=name), headers=headers
            )
        except httpx2.TransportError:
            return False
        return answer.status_code == 200


def attacked(served: Served, names: list[str], seconds: float) -> dict[str, Harm]:
    """What each attack does to a service that runs, one after the other."""
    engine = open_database(served.database_url or served.home / "tidegate.db", is_service=False)
    kept, shown = new_key("attacker", ("score", "ingest", "review"), (), utc_now())
    ApiKeyRepository(engine).add_key(kept)
    engine.dispose()
    honest = Honest(served.address, served.key)
    for _ in range(50):
        assert honest.score()
    assert served.process is not None
    attacker = Attacker(served.port, str(shown))
    return {
        name: harm_of(name, attacker, honest.score, served.process.pid, seconds) for name in names
    }


def attack_copy(home: Path, seconds: float = 10.0) -> None:
    """Attack a copy of a home in every way, and print the table."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(home, Path(folder) / "home"))
        engine = open_database(copy / "tidegate.db", is_service=False)
        kept, shown = new_key("honest", ("score",), (), utc_now())
        ApiKeyRepository(engine).add_key(kept)
        engine.dispose()
        served = Served(copy, str(shown), free_port(), open_files=OPEN_FILES)
        try:
            served.start()
            for name, harm in attacked(served, list(ATTACKS), seconds).items():
                print(harm.row(name), flush=True)
        finally:
            served.kill()


def _attack(name: str, port: str, key: str, seconds: str) -> None:
    answers = asyncio.run(ATTACKS[name](Attacker(int(port), key), float(seconds)))
    print(json.dumps({"statuses": answers.statuses, "largest": answers.largest}))


if __name__ == "__main__":
    if sys.argv[1] == "--attack":
        _attack(*sys.argv[2:])
    else:
        attack_copy(Path(sys.argv[1]), *map(float, sys.argv[2:3]))
