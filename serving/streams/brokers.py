"""The interface of a broker, and the choice of a broker by its address."""

from collections.abc import Sequence
from typing import Protocol

from serving.streams.stream_addresses import StreamAddress
from serving.streams.stream_messages import Outgoing, StreamMessage
from serving.streams.stream_settings import StreamSettings


class MessageSource(Protocol):
    """Messages in the order of the broker, which keeps how far they are done."""

    async def take(self, most: int) -> Sequence[StreamMessage]:
        """The next messages, as soon as there are any; none after a moment."""
        ...

    async def keep_alive(self) -> None:
        """Stay a reader while no message is taken for long."""
        ...

    async def done(self, message: StreamMessage) -> None:
        """Let a message not come again, unless this process is killed very soon."""
        ...

    async def close(self) -> None:
        """Let the broker know what is done, and leave."""
        ...


class MessageSink(Protocol):
    """A topic to which messages are sent."""

    async def publish(self, outgoing: Outgoing) -> None:
        """Send one, and return when the broker has it for good; raises BrokerAway or TidegateError.

        What is begun in some order arrives in it, of one key at least.
        """
        ...

    async def close(self) -> None:
        """Leave."""
        ...


async def open_source(
    address: StreamAddress, settings: StreamSettings, in_flight: int
) -> MessageSource:
    """Read from a topic or stream.

    Raises BrokerAway or TidegateError.
    """
    if address.broker == "kafka":
        from serving.streams.kafka import KafkaSource

        return await KafkaSource.open(address, settings, in_flight)
    from serving.streams.jetstream import JetStreamSource

    return await JetStreamSource.open(address, settings)


async def open_sink(address: StreamAddress, settings: StreamSettings) -> MessageSink:
    """Write to a topic or subject; raises BrokerAway or TidegateError."""
    if address.broker == "kafka":
        from serving.streams.kafka import KafkaSink

        return await KafkaSink.open(address, settings)
    from serving.streams.jetstream import JetStreamSink

    return await JetStreamSink.open(address, settings)
