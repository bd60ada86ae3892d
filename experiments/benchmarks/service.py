"""The service beside its peers: client and server on the same cores, one process each.

Ours reads records, computes features, scores, explains and waits until the decision is on disk. A
machine's key is answered the decision, and its explanation is put into words when a person reads
it; a person's key is answered all of it. One peer does the same work with what one would otherwise
take (`feature_store_peer`; left out without `make peer`). The others get a ready feature vector of
the same model and keep nothing; one that does nothing tells what there is to win. All are asked in
turn, so that a busy machine is busy for all; a ratio above 1 says how many times faster ours is.
Processor time per request is less moved by what else runs on the machine than the clock is.

    python -m experiments.benchmarks.service [HOME]     (HOME is made where it is not given)
"""

import asyncio
import json
import os
import sys
import tempfile
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import cycle, islice
from pathlib import Path

import lightgbm
import mlflow.lightgbm
import numpy as np

from experiments.benchmarks.feature_store import PEER, PYTHON, make_feature_store
from experiments.benchmarks.memory import resident_mib
from experiments.benchmarks.running import cpu_s, free_port, running
from experiments.benchmarks.served_home import bodies, make_home
from serving.access.api_keys import new_key
from serving.access.roles import Scope
from serving.app import utc_now
from serving.storage.engine import open_database
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.decision_repository import DecisionRepository

CONNECTIONS = 16
WANTED = {"FastAPI + pandas + shap": 6, "FastAPI + numpy + pred_contrib": 5}
WANTED |= {"mlflow models serve (score only)": 8}
SAME_WORK = "the same work: Feast + shap + SQLAlchemy"
WANTED |= {SAME_WORK: 10}
WANTED_OF_BATCHES = 20
ROUNDS, SECONDS = 3, 5.0
MAX_PER_S = 500  # that ours could answer
BATCH = 1_000


@dataclass(frozen=True)
class Side:
    """One server: where it listens, and what to ask it next; `traffic` is what arrives at ours."""

    name: str
    port: int
    pid: int
    request: Callable[[], bytes]
    batch: Callable[[], bytes] | None = None
    traffic: "Traffic | None" = None


@dataclass(frozen=True)
class Traffic:
    """What arrives, in order, made before it is asked for: making one costs as much as sending it.

    Whatever was made and not taken comes next, whoever takes it: time never turns back.
    """

    bodies: Iterator[bytes]
    ready: deque[bytes] = field(default_factory=deque)

    def make_ready(self, requests: float) -> None:
        """Have at least so many at hand."""
        self.ready.extend(islice(self.bodies, max(0, int(requests) - len(self.ready))))

    def take(self) -> bytes:
        """The next."""
        return self.ready.popleft() if self.ready else next(self.bodies)


def main() -> None:
    """Start all sides, and print one table."""
    with ExitStack() as stack:
        if len(sys.argv) > 1 and Path(sys.argv[1]).is_dir():
            home = Path(sys.argv[1])
        else:
            home = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "home"
            make_home(home)
        with _tidegate(home):  # so that what is compiled or made once is there
            pass
        ours, in_words = stack.enter_context(_tidegate(home))
        sides = [ours, in_words, *(stack.enter_context(peer) for peer in _peers(home))]
        rates: dict[str, list[float]] = {side.name: [] for side in sides}
        cpu_ms: dict[str, list[float]] = {side.name: [] for side in sides}
        for side in sides:
            asyncio.run(load(side, CONNECTIONS, 1.0))
        for _ in range(ROUNDS):
            for side in sides:
                before_s = cpu_s(side.pid)
                taken = asyncio.run(load(side, CONNECTIONS, SECONDS))
                rates[side.name].append(len(taken) / SECONDS)
                cpu_ms[side.name].append((cpu_s(side.pid) - before_s) / len(taken) * 1e3)
        _table(rates, cpu_ms)
        _latency(ours, float(np.median(rates[ours.name])), home)
        _batches(sides)
        print(f"memory of our worker: {resident_mib(ours.pid):.0f} MiB (want at most 350)")


def _table(rates: dict[str, list[float]], cpu_ms: dict[str, list[float]]) -> None:
    """Requests in a second of the clock, and what one costs in time of the processor."""
    per_s = {name: float(np.median(each)) for name, each in rates.items()}
    cost = {name: float(np.median(each)) for name, each in cpu_ms.items()}
    ours, our_cost = next(iter(per_s.values())), next(iter(cost.values()))
    print(f"{'server':<36} {'requests/s':>10} {'ours':>6} {'CPU ms each':>12} {'ours':>6}")
    for name, rate in per_s.items():
        print(
            f"{name:<36} {rate:>10.0f} {ours / rate:>5.1f}x "
            f"{cost[name]:>12.2f} {cost[name] / our_cost:>5.1f}x "
            + (f" want {WANTED[name]}x" if name in WANTED else ""),
            flush=True,
        )


def _latency(side: Side, capacity: float, home: Path) -> None:
    """At half of capacity, asked at a steady pace whatever the answers take."""
    seconds = asyncio.run(paced(side, capacity / 2, 10.0))
    p50, p99 = np.percentile(seconds, [50, 99]) * 1e3
    print(
        f"at half of capacity ({capacity / 2:.0f}/s): p50 {p50:.1f} ms, p99 {p99:.1f} ms "
        "(want at most 25)"
    )
    p50, p99 = np.percentile(_flushes(home, 200), [50, 99]) * 1e3
    print(f"of which one flush of this disk: p50 {p50:.1f} ms, p99 {p99:.1f} ms")


def _flushes(folder: Path, times: int) -> list[float]:
    """How long the disk takes to keep as much as a decision and its answer, beside the database."""
    taken: list[float] = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            file.write(bytes(64 * 1024))
            began = time.perf_counter()
            file.flush()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return taken


def _batches(sides: list[Side]) -> None:
    rates: dict[str, float] = {}
    for side in sides:
        if side.batch is not None:
            taken = asyncio.run(once(side, side.batch()))
            rates[side.name] = BATCH / taken
    ours = next(iter(rates.values()))
    for name, rate in rates.items():
        want = f" want {WANTED_OF_BATCHES}x" if name in WANTED else ""
        print(f"batch of {BATCH}, {name:<30} {rate:>7.0f} rows/s {ours / rate:>6.1f}x{want}")


async def load(side: Side, connections: int, seconds: float) -> list[float]:
    """How long each request took, with so many connections always waiting for an answer."""
    if side.traffic:
        side.traffic.make_ready(MAX_PER_S * seconds)
    ends_at = time.perf_counter() + seconds
    taken: list[float] = []

    async def client() -> None:
        async with Connection(side.port) as ask:
            while time.perf_counter() < ends_at:
                taken.append(await ask(side.request()))

    await asyncio.gather(*(client() for _ in range(connections)))
    return taken


async def paced(side: Side, per_s: float, seconds: float) -> list[float]:
    """How long after its moment each request was answered, one every 1/`per_s`."""
    if side.traffic:
        side.traffic.make_ready(per_s * seconds + 1)
    began, taken = time.perf_counter(), []
    moments = iter(np.arange(0, seconds, 1 / per_s))

    async def client() -> None:
        async with Connection(side.port) as ask:
            for moment in moments:
                await asyncio.sleep(max(0.0, began + moment - time.perf_counter()))
                await ask(side.request())
                taken.append(time.perf_counter() - began - moment)

    await asyncio.gather(*(client() for _ in range(4 * CONNECTIONS)))
    return taken


async def once(side: Side, request: bytes) -> float:
    """How long one request took."""
    async with Connection(side.port) as ask:
        return await ask(request)


class Connection:
    """A connection kept open; sends a request and reads its answer, which must be a 200."""

    def __init__(self, port: int):
        self._port = port

    async def __aenter__(self) -> Callable[[bytes], Awaitable[float]]:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self._ask

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def _ask(self, request: bytes) -> float:
        began = time.perf_counter()
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        body = await self._reader.readexactly(length)
        if b" 200 " not in head[:16]:
            raise RuntimeError(f"{head[:40]!r} {body[:300]!r}")
        return time.perf_counter() - began


def request(path: str, body: bytes, *headers: str) -> bytes:
    """A request as it goes over the wire."""
    lines = [f"POST {path} HTTP/1.1", "Host: a", "Content-Type: application/json", *headers]
    return "\r\n".join([*lines, f"Content-Length: {len(body)}", "", ""]).encode() + body


@contextmanager
def _tidegate(home: Path) -> Iterator[tuple[Side, Side]]:
    machine, person = (
        _bearer(home, ("score",)),
        _bearer(home, ("score", "explain")),
    )
    run = f"{time.time_ns():x}"
    traffic = Traffic(bodies(home, run, _decided(home)))

    def of(path: str, body: bytes, key: str) -> bytes:
        return request(path, body, key, f"Idempotency-Key: {run}-{time.perf_counter_ns()}")

    def batch() -> bytes:
        array = b",".join([traffic.take() for _ in range(BATCH)])
        return of("/v1/scores/batch", b"[" + array + b"]", machine)

    port = free_port()
    command = ["-m", "serving.cli", "serve", "--home", str(home), "--port", str(port)]
    with _running("tidegate", port, "/health/ready", [sys.executable, *command]) as pid:
        yield (
            Side(
                "tidegate: records to decision",
                port,
                pid,
                lambda: of("/v1/scores", traffic.take(), machine),
                batch,
                traffic,
            ),
            Side(
                "tidegate: and all reasons in words",
                port,
                pid,
                lambda: of("/v1/scores", traffic.take(), person),
                traffic=traffic,
            ),
        )


def _bearer(home: Path, scopes: tuple[Scope, ...]) -> str:
    """The header of a fresh key."""
    engine = open_database(home / "tidegate.db", is_service=False)
    kept, shown = new_key(f"bench-{time.time_ns()}", scopes, (), utc_now())
    ApiKeyRepository(engine).add_key(kept)
    engine.dispose()
    return f"Authorization: Bearer {shown}"


def _decided(home: Path) -> int:
    """How much of the traffic arrived in earlier runs."""
    engine = open_database(home / "tidegate.db", is_service=False)
    size = DecisionRepository(engine).size()
    engine.dispose()
    return size


def _peers(home: Path) -> Iterator[AbstractContextManager[Side]]:
    folder = home / "models" / "tidegate-shipment" / "1"
    booster = lightgbm.Booster(model_str=(folder / "booster.txt").read_text())
    names = booster.feature_name()
    lots = np.random.default_rng(5)
    rows = lots.normal(1.0, 2.0, (BATCH, len(names))).round(3).tolist()
    named = [dict(zip(names, row, strict=True)) for row in rows]
    yield _peer("naive", "FastAPI + pandas + shap", folder, _json([n] for n in named), named)
    yield _peer("direct", "FastAPI + numpy + pred_contrib", folder, _json([r] for r in rows), rows)
    yield _mlflow(home, booster, names, rows)
    if PYTHON.exists():
        yield _same_work(home, folder)
    else:
        print(f"{SAME_WORK}: left out; `make peer` installs it")
    arriving = [*islice(bodies(home, "idle"), BATCH)]
    yield _peer("idle", "FastAPI that does nothing", folder, arriving)


def _json(values: Iterable[object]) -> list[bytes]:
    return [json.dumps(value).encode() for value in values]


@contextmanager
def _peer(
    app: str, name: str, folder: Path, single: list[bytes], many: object = None
) -> Iterator[Side]:
    port = free_port()
    command = ["-m", "uvicorn", f"experiments.benchmarks.peers:{app}", "--port", str(port)]
    os.environ["TIDEGATE_PEER_MODEL"] = str(folder / "booster.txt")
    with _running(app, port, "/openapi.json", [sys.executable, *command, "--no-access-log"]) as pid:
        asked = [request("/score", each) for each in single]
        batch = partial(request, "/score", _json([many])[0]) if many else None
        yield Side(name, port, pid, cycle(asked).__next__, batch)


@contextmanager
def _same_work(home: Path, model: Path) -> Iterator[Side]:
    """It gets what we get, on the same days."""
    run = f"{time.time_ns():x}"
    store = home / f"feature-store-{run}"
    make_feature_store(home, store)
    arriving, port = bodies(home, run), free_port()
    os.environ["TIDEGATE_PEER_STORE"] = str(store.resolve())
    os.environ["TIDEGATE_PEER_MODEL"] = str(model / "booster.txt")
    command = [str(PYTHON), "-m", "uvicorn", f"{PEER.stem}:app", "--app-dir", str(PEER.parent)]
    command += ["--port", str(port), "--no-access-log"]
    with _running("Feast", port, "/openapi.json", command) as pid:
        yield Side(
            SAME_WORK,
            port,
            pid,
            lambda: request("/score", next(arriving), f"Idempotency-Key: {time.perf_counter_ns()}"),
        )


@contextmanager
def _mlflow(
    home: Path, booster: lightgbm.Booster, names: list[str], rows: list[list[float]]
) -> Iterator[Side]:
    folder = home / f"mlflow-{time.time_ns()}"
    mlflow.lightgbm.save_model(booster, folder)
    port = free_port()
    command = ["-m", "mlflow", "models", "serve", "-m", str(folder), "--env-manager", "local"]
    command += ["--port", str(port), "--workers", "1"]
    with _running("mlflow", port, "/ping", [sys.executable, *command]) as pid:
        bodies_ = [{"dataframe_split": {"columns": names, "data": [row]}} for row in rows]
        asked = [request("/invocations", each) for each in _json(bodies_)]
        yield Side("mlflow models serve (score only)", port, pid, cycle(asked).__next__)


@contextmanager
def _running(name: str, port: int, health: str, command: list[str]) -> Iterator[int]:
    with running(port, health, command) as started:
        took = f"{started.wall_s:.1f} s, {started.cpu_s:.1f} s of the processor"
        print(f"{name}: ready in {took}", flush=True)
        yield started.pid


if __name__ == "__main__":
    main()
