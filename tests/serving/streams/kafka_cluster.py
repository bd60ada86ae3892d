"""librdkafka's own mock cluster, as its C library has it, and what a test does with one."""

import ctypes
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from importlib.metadata import files
from pathlib import Path
from typing import Any

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

JOIN_MS = 20  # in place of the three seconds that a group waits for others
FAST = {"session.timeout.ms": "300", "heartbeat.interval.ms": "50", "auto.commit.interval.ms": "50"}
FAST |= {"fetch.wait.max.ms": "10"}
"""What lets a reader that was killed be followed soon; the mock looks once a second."""

Pair = tuple[bytes | None, bytes]


class KafkaCluster:
    """One broker in this process; a process that is forked off reaches it by its address."""

    def __init__(self, library: ctypes.CDLL, cluster: int):
        self._library = library
        self._cluster = ctypes.c_void_p(cluster)
        library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
        self.servers = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()
        delay = ctypes.c_int32(JOIN_MS)
        library.rd_kafka_mock_group_initial_rebalance_delay_ms(self._cluster, delay)

    def address(self, topic: str, group: str | None = None) -> str:
        """As the command line takes it."""
        return f"kafka://{self.servers}/{topic}" + (f"?group={group}" if group else "")

    def make(self, *topics: str, partitions: int = 1) -> None:
        """Make topics."""
        for topic in topics:
            self._library.rd_kafka_mock_topic_create(self._cluster, topic.encode(), partitions, 1)

    def set_down(self, *, is_down: bool) -> None:
        """Close all connections and take none, or take them again."""
        act = "down" if is_down else "up"
        getattr(self._library, f"rd_kafka_mock_broker_set_{act}")(self._cluster, ctypes.c_int32(1))

    def send(
        self, topic: str, messages: Sequence[Pair], headers: Mapping[str, bytes] | None = None
    ) -> None:
        """Send messages with these keys and bodies."""
        producer = Producer({"bootstrap.servers": self.servers, "linger.ms": 0})
        for key, body in messages:
            producer.produce(topic, body, key, headers=dict(headers) if headers else None)
            producer.poll(0)
        assert producer.flush(20) == 0

    def read(self, topic: str, at_least: int = 0, within_s: float = 10) -> list[Any]:
        """All that is in a topic, once there is so much."""
        reader = Consumer(self._reading("reads") | {"enable.partition.eof": True})
        parts = reader.list_topics(timeout=10).topics[topic].partitions
        reader.assign([TopicPartition(topic, part, OFFSET_BEGINNING) for part in parts])
        found: list[Any] = []
        ended: set[int | None] = set()
        ends_at = time.monotonic() + within_s
        while len(ended) < len(parts) or len(found) < at_least:
            assert time.monotonic() < ends_at, f"{topic} has {len(found)} messages"
            for message in reader.consume(1_000, 0.05):
                if message.error():
                    ended.add(message.partition())
                else:
                    found.append(message)
        reader.close()
        return found

    def committed(self, topic: str, group: str) -> int:
        """How many messages of a topic a group has done."""
        reader = Consumer(self._reading(group))
        parts = reader.list_topics(timeout=10).topics[topic].partitions
        found = reader.committed([TopicPartition(topic, part) for part in parts], timeout=10)
        reader.close()
        return sum(max(0, part.offset) for part in found)

    def _reading(self, group: str) -> dict[str, Any]:
        return {"bootstrap.servers": self.servers, "group.id": group, "fetch.wait.max.ms": 10}


@contextmanager
def kafka_cluster() -> Iterator[KafkaCluster]:
    """A cluster that ends with the block."""
    library = ctypes.CDLL(str(_library()))
    for name in ("rd_kafka_conf_new", "rd_kafka_new", "rd_kafka_mock_cluster_new"):
        getattr(library, name).restype = ctypes.c_void_p
    said = ctypes.create_string_buffer(512)
    properties = ctypes.c_void_p(library.rd_kafka_conf_new())
    library.rd_kafka_conf_set(properties, b"log_level", b"0", said, 512)
    client = ctypes.c_void_p(library.rd_kafka_new(0, properties, said, ctypes.c_size_t(512)))
    cluster = library.rd_kafka_mock_cluster_new(client, 1)
    assert cluster, said.value
    try:
        yield KafkaCluster(library, cluster)
    finally:
        library.rd_kafka_mock_cluster_destroy(ctypes.c_void_p(cluster))
        library.rd_kafka_destroy(client)


def _library() -> Path:
    """The library that comes with the client: another one may be of another version."""
    (found,) = (
        each for each in files("confluent-kafka") or () if each.name.startswith("librdkafka-")
    )
    return Path(str(found.locate()))
