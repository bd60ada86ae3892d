"""`tidegate stream`: broker messages in, decisions and case events out."""

import asyncio
import signal
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from serving.cli.output import messages as output
from serving.extras import require

if TYPE_CHECKING:
    from serving.streams.run_stream import EventPlan, MessagePlan

# About half of these messages wait for the broker at any time.
IN_FLIGHT = 64


class StreamKind(StrEnum):
    """Kind of the messages."""

    SUBMISSIONS = "submissions"
    RECORDS = "records"
    MESSAGES = "messages"


class StreamOrder(StrEnum):
    """Field by which order is preserved."""

    KEY = "key"
    NONE = "none"


def stream(
    *,
    read_from: Annotated[
        str | None,
        typer.Option(
            "--from",
            help="kafka://host:9092,…/TOPIC?group=NAME or nats://host:4222/STREAM?consumer=NAME "
            "(tls:// for NATS with TLS); credentials come from the environment.",
        ),
    ] = None,
    kind: Annotated[
        StreamKind, typer.Option(help="What the messages are.")
    ] = StreamKind.SUBMISSIONS,
    message_format: Annotated[
        str | None,
        typer.Option("--format", help="The standard of `--kind messages`, as `cargo_xml`."),
    ] = None,
    decisions_to: Annotated[
        str | None,
        typer.Option("--to", help="Where answers go: kafka://host:9092/TOPIC, nats://…/SUBJECT."),
    ] = None,
    dead_letters_to: Annotated[
        str | None,
        typer.Option(
            "--dead-letters", help="Where it is said which messages were refused, and why."
        ),
    ] = None,
    dead_letter_bodies: Annotated[
        bool,
        typer.Option(
            "--dead-letter-bodies",
            help="Send what was refused there too, which may tell of persons.",
        ),
    ] = False,
    events_to: Annotated[str | None, typer.Option(help="Where case events go.")] = None,
    events_cursor: Annotated[
        Path | None, typer.Option(help="The file that keeps which events have gone.")
    ] = None,
    in_flight: Annotated[
        int, typer.Option(min=1, max=1_000, help="Messages worked on at a time.")
    ] = IN_FLIGHT,
    order: Annotated[
        StreamOrder,
        typer.Option(
            help="`key`: one message of a key after the other; those without a key one of their "
            "partition. `none`: as they come."
        ),
    ] = StreamOrder.KEY,
) -> None:
    """Score what a broker brings: one decision for each message, however often it comes.

    TIDEGATE_ADDRESS and TIDEGATE_KEY say which service; SIGTERM finishes what is in flight.
    """
    if read_from is None and events_to is None:
        raise typer.BadParameter("give --from, --events-to or both", param_hint="--from")
    # Without dead letters, a refused message would disappear without a trace.
    if read_from is not None and dead_letters_to is None:
        raise typer.BadParameter(
            "say where refused messages are reported: none is dropped silently",
            param_hint="--dead-letters",
        )
    if events_to is not None and events_cursor is None:
        raise typer.BadParameter(
            "name a file that keeps which events have gone", param_hint="--events-cursor"
        )
    if (kind == StreamKind.MESSAGES) != (message_format is not None):
        raise typer.BadParameter(
            "belongs to --kind messages, which needs it", param_hint="--format"
        )
    require("stream")
    import uvloop

    from serving.streams.run_stream import EventPlan, MessagePlan
    from serving.streams.stream_addresses import StreamAddress

    messages = events = None
    if read_from is not None and dead_letters_to is not None:
        source = StreamAddress.parse(read_from, "--from")
        source.reader("--from")
        messages = MessagePlan(
            read_from=source,
            kind=kind.value,
            message_format=message_format,
            decisions_to=StreamAddress.parse(decisions_to, "--to") if decisions_to else None,
            dead_letters_to=StreamAddress.parse(dead_letters_to, "--dead-letters"),
            in_flight=in_flight,
            is_ordered=order == StreamOrder.KEY,
            has_bodies=dead_letter_bodies,
        )
    if events_to is not None and events_cursor is not None:
        events = EventPlan(StreamAddress.parse(events_to, "--events-to"), events_cursor)
    uvloop.run(_run(messages, events))


async def _run(messages: "MessagePlan | None", events: "EventPlan | None") -> None:
    from serving.streams.run_stream import run_stream
    from serving.streams.stream_settings import StreamSettings

    is_over = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        # A handler of the loop, so that messages in flight are finished and acknowledged.
        loop.add_signal_handler(number, is_over.set)
    await run_stream(messages, events, StreamSettings(), _say, is_over)


def _say(what: str) -> None:
    output.print(f"stream: {what}", markup=False, soft_wrap=True)
