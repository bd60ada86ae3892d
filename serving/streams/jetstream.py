"""NATS JetStream: messages are acknowledged when done; others are delivered again."""

import asyncio
import logging
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Self

import nats
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import AuthorizationError, MaxPayloadError, NoServersError
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, ConsumerInfo
from nats.js.errors import APIError, NoStreamResponseError, NotFoundError

from features.errors import TidegateError
from serving.streams.stream_addresses import StreamAddress
from serving.streams.stream_messages import Outgoing, StreamMessage
from serving.streams.stream_settings import StreamSettings

LOOK_S = 10.0  # seconds to find a server at the start
TAKE_S = 0.2
ACKNOWLEDGE_S = 30.0  # seconds until redelivery; extended while a message is in progress
MAX_PENDING = 1_000
PUBLISH_S, TIMES = 5.0, 12  # a server that is away for a minute ends the stream

# The error callback already reports a closed TLS connection; asyncio would log it again.
logging.getLogger("asyncio").setLevel(logging.ERROR)


class JetStreamSource:
    """A stream read through a durable pull consumer."""

    def __init__(self, connection: Client, pulling: Any, ack_wait_s: float):
        self._connection = connection
        self._pulling = pulling
        self._ahead: list[StreamMessage] = []
        self._open: dict[int, Msg] = {}
        self._beating = asyncio.create_task(self._beat(ack_wait_s / 3))

    @classmethod
    async def open(cls, address: StreamAddress, settings: StreamSettings) -> Self:
        """Connect, and continue where the consumer stopped; create it if missing.

        Raises TidegateError.
        """
        name = address.reader("--from")
        connection = await _connected(address, settings)
        try:
            context = connection.jetstream()
            info = await _consumer(context, address, name)
            await _repeat_from_floor(context, address.name, info)
            pulling = await context.pull_subscribe_bind(name, address.name)
        except BaseException:
            await connection.close()
            raise
        return cls(connection, pulling, info.config.ack_wait or ACKNOWLEDGE_S)

    async def take(self, most: int) -> Sequence[StreamMessage]:
        """Return at most `most` messages; the server keeps the others."""
        if not self._ahead:
            await self._pull(most)
        taken, self._ahead = self._ahead[:most], self._ahead[most:]
        return taken

    async def keep_alive(self) -> None:
        """Do nothing: `_beat` extends the deadline of open messages all the time."""

    async def done(self, message: StreamMessage) -> None:
        """Acknowledge a message; if that is lost it comes again and gets the same answer."""
        self._open.pop(message.place["sequence"], None)
        with suppress(NatsError):
            await message.receipt.ack()

    async def close(self) -> None:
        """Flush acknowledgements, and disconnect."""
        self._beating.cancel()
        with suppress(NatsError, TimeoutError):
            await self._connection.flush()
        await self._connection.close()

    async def _pull(self, most: int) -> None:
        """Fetch messages; may return more than `most`, left over from a request that timed out."""
        try:
            pulled = await self._pulling.fetch(most, timeout=TAKE_S)
        except TimeoutError:
            return
        except APIError as error:
            raise TidegateError(f"NATS gives no more messages: {error.description}") from None
        except NatsError as error:  # the client reconnects by itself
            if self._connection.is_closed:
                raise _absence(error) from None
            await asyncio.sleep(TAKE_S)
            return
        self._ahead = [_message(each) for each in pulled]
        # Open from now on, so that messages waiting in `_ahead` are not delivered again.
        self._open |= {message.place["sequence"]: message.receipt for message in self._ahead}

    async def _beat(self, every_s: float) -> None:
        while True:
            await asyncio.sleep(every_s)
            for message in list(self._open.values()):
                with suppress(NatsError):
                    await message.in_progress()


class JetStreamSink:
    """A subject that a stream stores."""

    def __init__(self, connection: Client, subject: str):
        self._connection = connection
        self._context = connection.jetstream()
        self._subject = subject

    @classmethod
    async def open(cls, address: StreamAddress, settings: StreamSettings) -> Self:
        """Connect, and require a stream for the subject; raises TidegateError."""
        connection = await _connected(address, settings)
        try:
            await connection.jetstream().find_stream_name_by_subject(address.name)
        except (NatsError, TimeoutError) as error:
            await connection.close()
            raise (_refusal_of(error, address.name) or _absence(error)) from None
        return cls(connection, address.name)

    async def publish(self, outgoing: Outgoing) -> None:
        """Send a message until the stream has it; the stream drops duplicates within its window."""
        headers = outgoing.all_headers()
        # Stable over retries and restarts: JetStream deduplicates by this header.
        headers["Nats-Msg-Id"] = f"{outgoing.role}/{self._subject}/{outgoing.origin}"
        for pause_s in (*(min(PUBLISH_S, 0.25 * 2**n) for n in range(TIMES)), None):
            try:
                await self._context.publish(
                    self._subject, outgoing.body, timeout=PUBLISH_S, headers=headers
                )
                return
            except MaxPayloadError:
                raise TidegateError("NATS takes no message as large as an answer is") from None
            except (NatsError, TimeoutError) as error:
                refusal = _refusal_of(error, self._subject)
                # Only an absent broker is worth another attempt.
                if pause_s is None or refusal is not None:
                    raise (refusal or _absence(error)) from None
                await asyncio.sleep(pause_s)

    async def close(self) -> None:
        """Disconnect."""
        await self._connection.close()


async def _connected(address: StreamAddress, settings: StreamSettings) -> Client:
    options = settings.of_nats(is_tls=address.is_tls)
    scheme = "tls" if address.is_tls else "nats"
    heard: list[BaseException] = []

    async def hear(error: BaseException) -> None:
        if not any(map(_refuses, heard)):  # keep a refusal: the disconnect that follows says less
            heard[:] = [error]

    connecting = nats.connect(
        [f"{scheme}://{server}" for server in address.servers],
        error_cb=hear,
        max_reconnect_attempts=-1,  # after the first connection, for which there are ten seconds
        name="tidegate",
        **options,
    )
    try:
        return await asyncio.wait_for(connecting, LOOK_S)
    except (NatsError, OSError, TimeoutError) as error:
        says = heard[0] if heard else error
        raise (_refusal_of(says, address.name) or _absence(says)) from None


async def _consumer(context: JetStreamContext, address: StreamAddress, name: str) -> ConsumerInfo:
    try:
        await context.stream_info(address.name)
        try:
            info = await context.consumer_info(address.name, name)
        except NotFoundError:
            info = await context.add_consumer(
                address.name,
                ConsumerConfig(
                    durable_name=name,
                    # An acknowledgement must not cover earlier messages that are in work.
                    ack_policy=AckPolicy.EXPLICIT,
                    ack_wait=ACKNOWLEDGE_S,
                    max_ack_pending=MAX_PENDING,
                    filter_subject=address.options.get("subject"),
                ),
            )
    except (NatsError, TimeoutError) as error:
        raise (_refusal_of(error, address.name) or _absence(error)) from None
    # Each of these settings can drop messages, so an existing consumer must not have them.
    is_limited = (info.config.max_deliver or -1) > 0
    if info.config.ack_policy != AckPolicy.EXPLICIT or info.config.deliver_subject or is_limited:
        raise TidegateError(
            f"the consumer {name} must be pulled, acknowledge each message by itself, and deliver "
            "without limit: messages could be lost"
        )
    return info


async def _repeat_from_floor(context: JetStreamContext, stream: str, info: ConsumerInfo) -> None:
    """Ask the server to redeliver a killed process's open messages now, in order.

    Servers before 2.14 cannot; there the messages come when their deadline passes, after newer
    ones.
    """
    if info.num_ack_pending:
        with suppress(NatsError, TimeoutError):
            await context.reset_consumer(stream, info.name)


def _refusal_of(error: BaseException, name: str) -> TidegateError | None:
    """Return the refusal that an answer of a server means; None if no server answered."""
    # Without rights NATS also answers "not found", so the text names both.
    if isinstance(error, NotFoundError | NoStreamResponseError):
        return TidegateError(f"JetStream has no stream for {name}, or hides it from this user")
    if _refuses(error):
        return TidegateError("NATS refuses these credentials")
    if isinstance(error, APIError) and (error.code or 500) < 500:
        return TidegateError(f"NATS refuses {name}: {error.description}")
    return None


def _absence(error: BaseException) -> TidegateError:
    return TidegateError(f"no server of NATS answers: {_says(error)}")


def _refuses(error: BaseException) -> bool:
    return isinstance(error, AuthorizationError) or "authorization violation" in str(error).lower()


def _says(error: BaseException) -> str:
    if isinstance(error, NoServersError):
        return "none is there"
    return str(error) or type(error).__name__


def _message(message: Msg) -> StreamMessage:
    about = message.metadata
    sequence = about.sequence.stream
    headers = {name.lower(): value for name, value in (message.headers or {}).items()}
    return StreamMessage(
        topic=about.stream,
        reader=about.consumer,
        position=f"{sequence}-{about.timestamp.timestamp():.6f}",
        place={"broker": "nats", "stream": about.stream, "sequence": sequence},
        lane=message.subject,
        key=message.subject.encode(),
        body=message.data,
        headers=headers,
        receipt=message,
    )
