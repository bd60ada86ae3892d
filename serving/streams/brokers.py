"""The interface of a broker, and the choice of a broker by its address."""

from collections.abc import Sequence
from typing import Protocol

from serving.streams.stream_addresses import StreamAddress
from serving.streams.stream_messages import Outgoing, StreamMessage
from serving.streams.stream_settings import StreamSettings


class MessageSource(Protocol):
    """A source of messages in the broker's order, which stores how far they are done."""

    async def take(self, most: int) -> Sequence[StreamMessage]:
        """Return the next messages as soon as there are any; an empty list after a moment."""
        ...

    async def keep_alive(self) -> None:
        """Keep this reader in the group while it takes no messages."""
        ...

    async def done(self, message: StreamMessage) -> None:
        """Mark a message as done; it may come again only if the process is killed right after."""
        ...

    async def close(self) -> None:
        """Commit what is done, and disconnect."""
        ...


class MessageSink(Protocol):
    """A topic to send messages to."""

    async def publish(self, outgoing: Outgoing) -> None:
        """Send a message, and return once the broker has stored it durably.

        Messages keep the order in which their sending began, at least those with the same key.
        Raises TidegateError.
        """
        ...

    async def close(self) -> None:
        """Disconnect."""
        ...


async def open_source(
    address: StreamAddress, settings: StreamSettings, in_flight: int
) -> MessageSource:
    """Return a reader of a topic or stream; raises TidegateError."""
    if address.broker == "kafka":
        # Each client library is an extra: import only the one in use.
        from serving.streams.kafka import KafkaSource

        return await KafkaSource.open(address, settings, in_flight)
    from serving.streams.jetstream import JetStreamSource

    return await JetStreamSource.open(address, settings)


async def open_sink(address: StreamAddress, settings: StreamSettings) -> MessageSink:
    """Return a writer to a topic or subject; raises TidegateError."""
    if address.broker == "kafka":
        from serving.streams.kafka import KafkaSink

        return await KafkaSink.open(address, settings)
    from serving.streams.jetstream import JetStreamSink

    return await JetStreamSink.open(address, settings)
