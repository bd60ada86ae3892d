"""Decisions through a broker beside the same service asked over HTTP, in one run and in turn.

HTTP is plain sockets that do nothing else, as many as the stream has messages in flight; they and
the stream share the cores with the service, and Kafka is librdkafka's mock cluster in this process.
All messages are in the broker before the stream begins; what counts is from the first answer in the
other topic to the last.

    python -m experiments.benchmarks.streams [HOME]     (HOME is made where it is not given)
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import islice
from pathlib import Path

import nats
import numpy as np
from confluent_kafka import Consumer, TopicPartition

from experiments.benchmarks.running import cpu_s
from experiments.benchmarks.served_home import make_home
from experiments.benchmarks.service import Side, _bearer, _tidegate, load
from serving.cli.stream import IN_FLIGHT
from tests.serving.streams.kafka_cluster import KafkaCluster, kafka_cluster
from tests.serving.streams.nats_server import NatsServer, nats_server

ROUNDS, SECONDS, MESSAGES = 3, 5.0, 1_500
WANTED = 0.8


def main() -> None:
    """Print how many decisions a second each way makes, and the ratios to HTTP."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        if len(sys.argv) > 1:
            home = Path(sys.argv[1])
        else:
            home = folder / "home"
            make_home(home)
        with _tidegate(home):  # so that what is compiled or made once is there
            pass
        ours, _ = stack.enter_context(_tidegate(home))
        kafka = stack.enter_context(kafka_cluster())
        server = stack.enter_context(nats_server(folder / "nats"))
        key = _bearer(home, ("score",)).removeprefix("Authorization: Bearer ")
        ways: dict[str, Callable[[int], tuple[float, float]]] = {
            "HTTP": lambda _: _over_http(ours),
            "Kafka, one partition": lambda number: _over_kafka(kafka, ours, key, number, 1),
            "Kafka, four partitions": lambda number: _over_kafka(kafka, ours, key, number, 4),
            "NATS JetStream": lambda number: _over_nats(server, ours, key, number),
        }
        asyncio.run(load(ours, IN_FLIGHT, 1.0))
        taken = {
            name: np.array([way(number) for number in range(ROUNDS)]) for name, way in ways.items()
        }
    per_s, cpu_ms = (np.median([each[:, i] for each in taken.values()], axis=1) for i in (0, 1))
    print(f"{'':<24} {'per s':>7} {'of HTTP':>8} {'CPU ms of the stream':>21}")
    for name, rate, cost in zip(taken, per_s, cpu_ms, strict=True):
        want = "" if name == "HTTP" else f"  want at least {WANTED}"
        print(f"{name:<24} {rate:>7.0f} {rate / per_s[0]:>8.2f} {cost:>21.2f}{want}")


def _over_http(ours: Side) -> tuple[float, float]:
    return len(asyncio.run(load(ours, IN_FLIGHT, SECONDS))) / SECONDS, 0.0


def _bodies(ours: Side) -> list[bytes]:
    assert ours.traffic is not None
    ours.traffic.make_ready(MESSAGES)
    return list(islice(iter(ours.traffic.take, None), MESSAGES))


def _over_kafka(
    kafka: KafkaCluster, ours: Side, key: str, number: int, partitions: int
) -> tuple[float, float]:
    name = f"{partitions}-{number}"
    kafka.make(f"in-{name}", partitions=partitions)
    kafka.make(f"out-{name}", f"dead-{name}")
    bodies = _bodies(ours)
    kafka.send(f"in-{name}", [(_subject(each).encode(), each) for each in bodies])
    reader = Consumer({"bootstrap.servers": kafka.servers, "group.id": "counts"})
    part = TopicPartition(f"out-{name}", 0)
    ends = (kafka.address(f"in-{name}", "g"), kafka.address(f"out-{name}"))
    with _stream(ours, key, *ends, kafka.address(f"dead-{name}")) as pid:
        counted = _rate(lambda: reader.get_watermark_offsets(part, timeout=5)[1], pid)
    reader.close()
    return counted


def _over_nats(server: NatsServer, ours: Side, key: str, number: int) -> tuple[float, float]:
    came, out, dead = (f"{name}-{number}" for name in ("in", "out", "dead"))
    server.make(came, out, dead)
    server.send([(f"{came}.{_subject(each)}", each) for each in _bodies(ours)])
    ends = (server.address(came, "g"), server.address(out), server.address(dead))
    with _stream(ours, key, *ends) as pid:
        return _rate(lambda: _kept(server, out), pid)


def _kept(server: NatsServer, stream: str) -> int:
    async def ask() -> int:
        connection = await nats.connect(server.server)
        try:
            return (await connection.jetstream().stream_info(stream)).state.messages
        finally:
            await connection.close()

    return asyncio.run(ask())


def _rate(count: Callable[[], int], pid: int) -> tuple[float, float]:
    """Answers in a second, and the milliseconds of processor time that the stream has for one."""
    while not (first := count()):
        time.sleep(0.01)
    began, had_s = time.perf_counter(), cpu_s(pid)
    while (last := count()) < MESSAGES:
        time.sleep(0.02)
    answers = last - first
    return answers / (time.perf_counter() - began), (cpu_s(pid) - had_s) / answers * 1e3


@contextmanager
def _stream(ours: Side, key: str, came: str, out: str, dead: str) -> Iterator[int]:
    command = [sys.executable, "-m", "serving.cli.main", "stream", "--from", came]
    command += ["--to", out, "--dead-letters", dead]
    address = f"http://127.0.0.1:{ours.port}"
    environment = {**os.environ, "TIDEGATE_KEY": key, "TIDEGATE_ADDRESS": address}
    with subprocess.Popen(command, env=environment) as process:
        yield process.pid
        process.terminate()


def _subject(body: bytes) -> str:
    return str(json.loads(body)["shipment"]["shipment_id"])


if __name__ == "__main__":
    main()
