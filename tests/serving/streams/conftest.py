"""Brokers, a service, and a stream between them that runs here or in a process that is killed."""

import asyncio
import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from serving.streams.run_stream import EventPlan, MessagePlan, run_stream
from serving.streams.stream_addresses import StreamAddress
from serving.streams.stream_settings import StreamSettings
from tests.clients.conftest import Site, site
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW
from tests.serving.streams.kafka_cluster import FAST, KafkaCluster, kafka_cluster
from tests.serving.streams.nats_server import NatsServer, headers_of, nats_server

__all__ = ["site"]

WITHIN_S = 30.0


def body(number: int, run: str, **changes: Any) -> bytes:
    """A shipment by itself, of parties and a second of its own.

    Many of the same would be no traffic but a flood of late records.
    """
    sent = shipment(
        shipment_id=f"{run}-{number}",
        declared_at=(NOW - timedelta(hours=3) + timedelta(seconds=number)).isoformat(),
        consignor_id=f"c-{number}",
        consignee_id=f"d-{number}",
        **changes,
    )
    del sent["shipment"]["journey_id"]
    return json.dumps({name: sent[name] for name in ("subject_kind", "shipment")}).encode()


@pytest.fixture(scope="package")
def kafka() -> Iterator[KafkaCluster]:
    with kafka_cluster() as cluster:
        yield cluster


@pytest.fixture(scope="package")
def jetstream(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NatsServer]:
    with nats_server(tmp_path_factory.mktemp("nats")) as server:
        yield server


@dataclass(frozen=True)
class Ways:
    """A stream's ends at one broker, all of names that no other test uses; `beside` makes more."""

    name: str
    plan: MessagePlan
    send: Callable[..., None]
    read: Callable[[str], list[tuple[dict[str, str], bytes]]]
    done: Callable[[], int]
    beside: "Callable[[], Ways]"

    def answers(self) -> list[tuple[dict[str, str], dict[str, Any]]]:
        """What was sent on: headers and documents."""
        return [(headers, json.loads(each)) for headers, each in self.read("out")]

    def letters(self) -> list[dict[str, Any]]:
        """The dead letters."""
        return [json.loads(each) for _, each in self.read("dead")]

    def planned(self, **changes: Any) -> "Ways":
        """The same with another plan."""
        return replace(self, plan=replace(self.plan, **changes))


_used = iter(range(1_000_000))


def _plan(source: str, out: str, dead: str) -> MessagePlan:
    return MessagePlan(
        read_from=StreamAddress.parse(source, "--from"),
        kind="submissions",
        message_format=None,
        decisions_to=StreamAddress.parse(out, "--to"),
        dead_letters_to=StreamAddress.parse(dead, "--dead-letters"),
        in_flight=8,
        is_ordered=True,
        has_bodies=False,
    )


def kafka_ways(kafka: KafkaCluster) -> Ways:
    name = f"k{next(_used)}"
    kafka.make(f"{name}-in", partitions=2)
    kafka.make(f"{name}-out", partitions=8)  # the mock keeps five megabytes of each
    kafka.make(f"{name}-dead", f"{name}-events")

    def send(*bodies: bytes, key: str | None = None, headers: Any = None) -> None:
        keys = ((key or f"key-{n % 7}").encode() for n in range(len(bodies)))
        kafka.send(f"{name}-in", list(zip(keys, bodies, strict=True)), headers)

    def read(where: str) -> list[tuple[dict[str, str], bytes]]:
        return [
            ({key: value.decode() for key, value in each.headers() or ()}, each.value())
            for each in kafka.read(f"{name}-{where}")
        ]

    plan = _plan(
        kafka.address(f"{name}-in", name),
        kafka.address(f"{name}-out"),
        kafka.address(f"{name}-dead"),
    )
    return Ways(
        name,
        plan,
        send,
        read,
        lambda: kafka.committed(f"{name}-in", name),
        lambda: kafka_ways(kafka),
    )


def nats_ways(server: NatsServer) -> Ways:
    name = f"n{next(_used)}"
    server.make(f"{name}-in", f"{name}-out", f"{name}-dead", f"{name}-events")

    def send(*bodies: bytes, key: str | None = None, headers: Any = None) -> None:
        text = {each: value.decode() for each, value in (headers or {}).items()}
        subjects = (f"{name}-in.{key or n % 7}" for n in range(len(bodies)))
        server.send(list(zip(subjects, bodies, strict=True)), text)

    def read(where: str) -> list[tuple[dict[str, str], bytes]]:
        return [(headers_of(each), each.data) for each in server.read(f"{name}-{where}")]

    plan = _plan(
        server.address(f"{name}-in", name),
        server.address(f"{name}-out"),
        server.address(f"{name}-dead"),
    )
    return Ways(
        name, plan, send, read, lambda: server.done(f"{name}-in", name), lambda: nats_ways(server)
    )


@pytest.fixture(params=["kafka", "nats"])
def ways(request: pytest.FixtureRequest) -> Ways:
    if request.param == "kafka":
        return kafka_ways(request.getfixturevalue("kafka"))
    return nats_ways(request.getfixturevalue("jetstream"))


@pytest.fixture(scope="package")
def properties(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("kafka") / "client.properties"
    file.write_text("# for tests\n" + "".join(f"{name}={each}\n" for name, each in FAST.items()))
    return file


def settings_for(
    site: Site, properties: Path, *scopes: Any, offices: tuple[str, ...] = ()
) -> StreamSettings:
    key = SecretStr(site.key(*(scopes or ("score", "ingest", "events")), offices=offices))
    return StreamSettings(address=site.address, key=key, kafka_properties=properties)


@dataclass
class Running:
    """A stream on a thread of its own."""

    plan: MessagePlan | None
    settings: StreamSettings
    events: EventPlan | None = None

    def __post_init__(self) -> None:
        self.said: list[str] = []
        self.failure: BaseException | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_over: asyncio.Event | None = None
        self._thread = Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        async def run() -> None:
            self._loop, self._is_over = asyncio.get_running_loop(), asyncio.Event()
            await run_stream(self.plan, self.events, self.settings, self.said.append, self._is_over)

        try:
            asyncio.run(run())
        except BaseException as failure:  # which the test looks at
            self.failure = failure

    def stop(self) -> None:
        """As SIGTERM does; raises what it ended with."""
        if self._loop and self._is_over and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._is_over.set)
        self.wait()

    def wait(self) -> None:
        """Until it ended by itself."""
        self._thread.join(WITHIN_S)
        assert not self._thread.is_alive(), "it does not end"
        if self.failure is not None:
            raise self.failure


@contextmanager
def running(
    plan: MessagePlan | None, settings: StreamSettings, events: EventPlan | None = None
) -> Iterator[Running]:
    """A stream that runs for as long as the block."""
    stream = Running(plan, settings, events)
    try:
        yield stream
    except BaseException:
        stream.failure = None
        stream.stop()
        raise
    stream.stop()


def wait_for(is_so: Callable[[], Any], within_s: float = WITHIN_S) -> None:
    ends_at = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < ends_at, "it does not come to that"
        time.sleep(0.02)
