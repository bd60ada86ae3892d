"""Decisions through a broker beside the same service asked over HTTP, in one run and in turn.

HTTP is plain sockets that do nothing else, as many as a stream has; they, the
streams and the brokers share the cores with the service. Kafka is librdkafka's mock cluster in this
process. All are up at once and given the same number in turn, so that a busy machine is busy for
all: what counts is from the first that is sent to the last that is answered, and the ratio of a
stream to HTTP in the same round.

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
from experiments.benchmarks.service import Connection, Side, _bearer, _tidegate, request
from serving.streams.service_calls import CALLS_AT_ONCE
from tests.serving.streams.kafka_cluster import KafkaCluster, kafka_cluster
from tests.serving.streams.nats_server import NatsServer, nats_server

ROUNDS, MESSAGES = 5, 500
WANTED = 0.8
LOOK_S = 0.01

Decide = Callable[[list[bytes]], None]


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
        ways: dict[str, tuple[Decide, int]] = {
            "HTTP": (_over_http(ours, key), ours.pid),
            "Kafka, one partition": stack.enter_context(_over_kafka(kafka, ours, key, 1)),
            "Kafka, four partitions": stack.enter_context(_over_kafka(kafka, ours, key, 4)),
            "NATS JetStream": stack.enter_context(_over_nats(server, ours, key)),
        }
        for decide, _ in ways.values():
            decide(_bodies(ours, 50))
        rounds = [[_taken(way, ours) for way in ways.values()] for _ in range(ROUNDS)]
    figures = np.array(rounds)
    ratios = figures[:, :1, 0] / figures[:, :, 0]
    for number, name in enumerate(ways):
        seconds, cost = np.median(figures[:, number], axis=0)
        low, ratio, high = np.quantile(ratios[:, number], [0.25, 0.5, 0.75])
        print(
            f"{name:<24} {MESSAGES / seconds:>6.0f}/s, {cost / MESSAGES * 1e3:.2f} ms of the "
            f"processor each; of HTTP {ratio:.2f} ({low:.2f} to {high:.2f})"
            + (f", want at least {WANTED}" if number else " (of the service)"),
            flush=True,
        )


def _taken(way: tuple[Decide, int], ours: Side) -> tuple[float, float]:
    decide, pid = way
    bodies, had_s = _bodies(ours, MESSAGES), cpu_s(pid)
    began = time.perf_counter()
    decide(bodies)
    return time.perf_counter() - began, cpu_s(pid) - had_s


def _bodies(ours: Side, number: int) -> list[bytes]:
    assert ours.traffic is not None
    ours.traffic.make_ready(number)
    return list(islice(iter(ours.traffic.take, None), number))


def _over_http(ours: Side, key: str) -> Decide:
    bearer = f"Authorization: Bearer {key}"

    async def ask_all(bodies: list[bytes]) -> None:
        left = iter(bodies)

        async def client() -> None:
            async with Connection(ours.port) as ask:
                for body in left:
                    again = f"Idempotency-Key: {time.perf_counter_ns()}"
                    await ask(request("/v1/scores", body, bearer, again))

        await asyncio.gather(*(client() for _ in range(CALLS_AT_ONCE)))

    return lambda bodies: asyncio.run(ask_all(bodies))


@contextmanager
def _over_kafka(
    kafka: KafkaCluster, ours: Side, key: str, partitions: int
) -> Iterator[tuple[Decide, int]]:
    came, out, dead = (f"{name}-{partitions}" for name in ("in", "out", "dead"))
    kafka.make(came, partitions=partitions)
    kafka.make(out, dead)
    reader = Consumer({"bootstrap.servers": kafka.servers, "group.id": "counts"})
    answered = TopicPartition(out, 0)

    def decide(bodies: list[bytes]) -> None:
        before = reader.get_watermark_offsets(answered, timeout=5)[1]
        kafka.send(came, [(_subject(each).encode(), each) for each in bodies])
        while reader.get_watermark_offsets(answered, timeout=5)[1] < before + len(bodies):
            time.sleep(LOOK_S)

    with _stream(ours, key, kafka.address(came, "g"), kafka.address(out), kafka.address(dead)) as p:
        yield decide, p
    reader.close()


@contextmanager
def _over_nats(server: NatsServer, ours: Side, key: str) -> Iterator[tuple[Decide, int]]:
    came, out, dead = "in", "out", "dead"
    server.make(came, out, dead)

    async def send_and_wait(bodies: list[bytes]) -> None:
        connection = await nats.connect(server.server)
        context = connection.jetstream()
        before = (await context.stream_info(out)).state.messages
        sent = (context.publish(f"{came}.{_subject(each)}", each) for each in bodies)
        await asyncio.gather(*sent)
        while (await context.stream_info(out)).state.messages < before + len(bodies):
            await asyncio.sleep(LOOK_S)
        await connection.close()

    ends = (server.address(came, "g"), server.address(out), server.address(dead))
    with _stream(ours, key, *ends) as pid:
        yield lambda bodies: asyncio.run(send_and_wait(bodies)), pid


@contextmanager
def _stream(ours: Side, key: str, came: str, out: str, dead: str) -> Iterator[int]:
    command = [sys.executable, "-m", "serving.cli", "stream", "--from", came]
    command += ["--to", out, "--dead-letters", dead]
    address = f"http://127.0.0.1:{ours.port}"
    environment = {**os.environ, "TIDEGATE_KEY": key, "TIDEGATE_ADDRESS": address}
    with subprocess.Popen(command, env=environment) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def _subject(body: bytes) -> str:
    return str(json.loads(body)["shipment"]["shipment_id"])


if __name__ == "__main__":
    main()
