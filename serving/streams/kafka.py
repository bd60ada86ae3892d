"""Kafka: offsets are committed only up to the first message that is not done."""

import asyncio
import logging
import threading
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Self

from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition

from features.errors import TidegateError
from serving.streams.stream_addresses import StreamAddress
from serving.streams.stream_messages import Outgoing, StreamMessage
from serving.streams.stream_settings import StreamSettings

LOOK_S = 10.0  # seconds to find a broker at the start
TAKE_S, POLL_EVERY_S = 0.2, 10.0
DEFAULTS = {"client.id": "tidegate"}
READING = {"auto.offset.reset": "earliest"}
READING |= {"queued.max.messages.kbytes": "16384", "auto.commit.interval.ms": "1000"}
ALL_AT_ONCE: dict[str, Any] = {
    "enable.auto.commit": True,  # commits only stored offsets, and we store them
    "enable.auto.offset.store": False,
    "partition.assignment.strategy": "range",  # eager: all partitions move at once
}
WRITING = {"linger.ms": "1"}  # milliseconds; no batching, every send is awaited
OF_READERS: tuple[str, ...] = (
    "auto.",
    "fetch.",
    "group.",
    "heartbeat.",
    "isolation.",
    "max.poll.",
    "queued.",
)
OF_READERS += ("partition.assignment.", "session.", "allow.auto.create.", "check.crcs")

# The broker reports a topic without read permission as unknown too.
UNKNOWN = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}
REFUSED = {
    *(KafkaError.TOPIC_AUTHORIZATION_FAILED, KafkaError.GROUP_AUTHORIZATION_FAILED),
    *(KafkaError.CLUSTER_AUTHORIZATION_FAILED, KafkaError.SASL_AUTHENTICATION_FAILED),
    *(KafkaError._AUTHENTICATION, KafkaError.MSG_SIZE_TOO_LARGE),
}

Part = tuple[str, int]

_log = logging.getLogger("tidegate.kafka")
_log.setLevel(logging.CRITICAL)  # our own errors report what matters


class OffsetTrack:
    """The taken offsets of one partition, and the offset up to which all are done.

    >>> track = OffsetTrack()
    >>> [track.take(offset) for offset in (5, 6, 9)]
    [True, True, True]
    >>> [track.done(offset) for offset in (6, 5, 9)]
    [None, 7, 10]
    """

    def __init__(self) -> None:
        self._taken: deque[int] = deque()
        self._done: set[int] = set()
        self._newest = -1
        self._is_void = False

    def take(self, offset: int) -> bool:
        """Record an offset as taken; return False if it is not newer than all before.

        Compacted topics have gaps, so offsets need not be consecutive. An older offset means that
        the partition is read again: this track then commits nothing more, because it might skip
        messages that are not done.
        """
        if offset <= self._newest:
            self._is_void = True
            return False
        self._newest = offset
        self._taken.append(offset)
        return True

    def done(self, offset: int) -> int | None:
        """Return the offset to continue from, or None if this message did not move it."""
        self._done.add(offset)
        reached = None
        while self._taken and self._taken[0] in self._done:
            reached = self._taken.popleft()
            self._done.discard(reached)
        return None if reached is None or self._is_void else reached + 1


class KafkaSource:
    """A topic read as a member of a consumer group."""

    def __init__(self, consumer: Any, topic: str, group: str, batch: int, errors: "LastError"):
        self._consumer = consumer
        self._topic = topic
        self._group = group
        self._batch = batch
        self._errors = errors
        self._taken: deque[tuple[Any, OffsetTrack]] = deque()
        self._tracks: dict[Part, OffsetTrack] = {}
        self._is_paused = False
        self._polled_at = time.monotonic()
        self._lock = threading.Lock()  # librdkafka's callbacks run in another thread

    @classmethod
    async def open(cls, address: StreamAddress, settings: StreamSettings, in_flight: int) -> Self:
        """Join the group; raises TidegateError."""
        group = address.reader("--from")
        errors = LastError()
        # Our settings come last: a properties file must not override commit behaviour.
        properties = READING | settings.of_kafka() | ALL_AT_ONCE | {"group.id": group}
        consumer = _made(Consumer, address, properties, errors)
        await asyncio.to_thread(_require_topic, consumer, address, errors)
        source = cls(consumer, address.name, group, in_flight, errors)
        consumer.subscribe(
            [address.name],
            on_assign=source._assigned,
            on_revoke=source._revoked,
            on_lost=source._revoked,
        )
        return source

    async def take(self, most: int) -> Sequence[StreamMessage]:
        """Return the next messages; those prefetched are dropped when partitions are revoked."""
        if not self._taken:
            await asyncio.to_thread(self._poll)
        elif time.monotonic() > self._polled_at + POLL_EVERY_S:
            await self.keep_alive()
        with self._lock:
            number = min(most, len(self._taken))
            return [_message(*self._taken.popleft(), self._group) for _ in range(number)]

    async def keep_alive(self) -> None:
        """Poll without taking messages: a member silent for five minutes loses its partitions."""
        await asyncio.to_thread(self._poll_paused)

    async def done(self, message: StreamMessage) -> None:
        """Store the offset up to which all is done; it is committed within a second."""
        track, offset = message.receipt
        with self._lock:
            reached = track.done(offset)
        if reached is None:
            return
        part = TopicPartition(message.topic, message.place["partition"], reached)
        try:
            self._consumer.store_offsets(offsets=[part])
        except KafkaException as error:
            if error.args[0].code() != KafkaError._STATE:  # the partition was revoked meanwhile
                raise

    async def close(self) -> None:
        """Commit stored offsets, and leave the group."""
        await asyncio.to_thread(self._consumer.close)

    def _poll(self) -> None:
        self._polled_at = time.monotonic()
        if self._is_paused:
            self._consumer.resume(self._consumer.assignment())
            self._is_paused = False
        first = self._consumer.poll(TAKE_S)
        if first is not None:
            self._keep([first])  # the next call may revoke and return partitions
            self._keep(self._consumer.consume(self._batch, 0))

    def _poll_paused(self) -> None:
        self._polled_at = time.monotonic()
        # Paused partitions return no messages, but polling still counts as a sign of life.
        if not self._is_paused:
            self._is_paused = True
            self._consumer.pause(self._consumer.assignment())
        self._keep(self._consumer.consume(1, 0))

    def _keep(self, messages: Sequence[Any]) -> None:
        for message in messages:
            if error := message.error():
                self._errors.raise_if_final(error, self._topic)
                continue
            with self._lock:
                part = (message.topic(), message.partition())
                track = self._tracks.setdefault(part, OffsetTrack())
                # A repeated offset: the partition was reset, so start a new track.
                if not track.take(message.offset()):
                    track = self._tracks[part] = OffsetTrack()
                    track.take(message.offset())
                self._taken.append((message, track))

    def _assigned(self, consumer: Any, parts: list[TopicPartition]) -> None:
        with self._lock:
            self._tracks |= {(part.topic, part.partition): OffsetTrack() for part in parts}
        # New partitions start unpaused, whatever the others are.
        if self._is_paused:
            consumer.assign(parts)
            consumer.pause(parts)

    def _revoked(self, _: Any, __: list[TopicPartition]) -> None:
        """Forget all messages: after a rebalance reading restarts at the committed offsets."""
        with self._lock:
            self._taken.clear()
            self._tracks.clear()


class KafkaSink:
    """A topic to write to; all in-sync replicas acknowledge each message."""

    def __init__(self, producer: Any, topic: str, errors: "LastError"):
        self._producer = producer
        self._topic = topic
        self._errors = errors
        self._is_over = threading.Event()
        self._polling = threading.Thread(target=self._poll, name="kafka acknowledges", daemon=True)
        self._polling.start()

    @classmethod
    async def open(cls, address: StreamAddress, settings: StreamSettings) -> Self:
        """Connect, and check the topic; raises TidegateError."""
        errors = LastError()
        # One properties file serves both; the producer rejects consumer properties.
        given = settings.of_kafka()
        given = {name: each for name, each in given.items() if not name.startswith(OF_READERS)}
        # Idempotence last: a retry must not store a message twice, whatever the file sets.
        producer = _made(Producer, address, WRITING | given | {"enable.idempotence": True}, errors)
        await asyncio.to_thread(_require_topic, producer, address, errors)
        return cls(producer, address.name, errors)

    async def publish(self, outgoing: Outgoing) -> None:
        """Send a message, and wait for its acknowledgement."""
        loop = asyncio.get_running_loop()
        acknowledged: asyncio.Future[None] = loop.create_future()

        def settle(error: KafkaError | None) -> None:
            # The waiting coroutine may have been cancelled.
            if acknowledged.done():
                return
            if error is None:
                acknowledged.set_result(None)
            else:
                acknowledged.set_exception(self._errors.of(error, self._topic))

        self._producer.produce(
            self._topic,
            outgoing.body,
            outgoing.key,
            headers=[(name, value.encode()) for name, value in outgoing.all_headers().items()],
            # Delivery reports arrive in the polling thread, not in the event loop.
            on_delivery=lambda error, _: loop.call_soon_threadsafe(settle, error),
        )
        await acknowledged

    async def close(self) -> None:
        """Stop polling; all acknowledgements have arrived by now."""
        self._is_over.set()
        await asyncio.to_thread(self._polling.join)

    def _poll(self) -> None:
        while not self._is_over.is_set():
            self._producer.poll(0.05)


class LastError:
    """The last error of the Kafka client, which its exceptions seldom include."""

    def __init__(self) -> None:
        self._says: KafkaError | None = None

    def hear(self, error: KafkaError) -> None:
        """Store an error, unless it is the consequence "all brokers are down" of an earlier one."""
        if self._says is None or error.code() != KafkaError._ALL_BROKERS_DOWN:
            self._says = error

    def of(self, error: KafkaError, topic: str) -> TidegateError:
        """Return the error to show to the operator of the stream."""
        known = (error, self._says) if self._says else (error,)
        if error.code() in UNKNOWN:
            return TidegateError(f"Kafka has no topic {topic}, or hides it from this user")
        if refused := next((each for each in known if each.code() in REFUSED), None):
            return TidegateError(f"Kafka refuses {topic}: {refused.str()}")
        return TidegateError(f"no broker of Kafka answers: {known[-1].str()}")

    def raise_if_final(self, error: KafkaError, topic: str) -> None:
        """Raise if an error will not pass by itself; the client retries all others."""
        if error.fatal() or error.code() in UNKNOWN | REFUSED:
            raise self.of(error, topic)


def _made(kind: Any, address: StreamAddress, properties: dict[str, Any], errors: LastError) -> Any:
    servers = {"bootstrap.servers": ",".join(address.servers), "error_cb": errors.hear}
    try:
        return kind(DEFAULTS | properties | servers, logger=_log)
    except KafkaException as error:
        says = error.args[0].str()
        _, is_named, named = says.partition('for configuration property "')
        # The property's name only: its value may be a secret.
        wrong = f"librdkafka refuses {named.partition(chr(34))[0]}" if is_named else _bare(says)
        raise TidegateError(f"TIDEGATE_KAFKA_PROPERTIES: {wrong}") from None


def _bare(says: str) -> str:
    """Return an error of librdkafka without its "Failed to create …" prefix."""
    making, _, why = says.partition(": ")
    return why if making.startswith("Failed to create") else f"librdkafka refuses {says}"


def _require_topic(client: Any, address: StreamAddress, errors: LastError) -> None:
    """Raise unless the topic exists.

    Lists all topics, because asking for one may create it.
    """
    try:
        known = client.list_topics(timeout=LOOK_S).topics
    except KafkaException as error:
        client.poll(0)  # lets the error callback run, which knows the reason
        raise errors.of(error.args[0], address.name) from None
    if address.name not in known:
        raise TidegateError(f"Kafka has no topic {address.name}, or hides it from this user")


def _message(message: Any, track: OffsetTrack, group: str) -> StreamMessage:
    topic, partition, offset = message.topic(), message.partition(), message.offset()
    key = message.key()
    key = key.encode() if isinstance(key, str) else key
    return StreamMessage(
        topic=topic,
        reader=group,
        position=f"{partition}-{offset}-{message.timestamp()[1]}",
        place={"broker": "kafka", "topic": topic, "partition": partition, "offset": offset},
        lane=f"{partition} {key.hex()}" if key is not None else f"{partition}",
        key=key,
        body=message.value() or b"",
        headers=_headers(message.headers() or ()),
        receipt=(track, offset),
    )


def _headers(given: Any) -> dict[str, str]:
    r"""Return headers by lower-case name; the first of several counts.

    Bytes that are not UTF-8 become `\xff` escapes.
    """
    found: dict[str, str] = {}
    for name, value in given:
        is_bytes = isinstance(value, bytes)
        text = value.decode(errors="backslashreplace") if is_bytes else value or ""
        found.setdefault(name.lower(), text)
    return found
