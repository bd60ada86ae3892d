"""Run a configured stream: open and test all connections, then work until stopped."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from serving.streams.brokers import MessageSink, open_sink, open_source
from serving.streams.event_relay import EventCursor, EventRelay
from serving.streams.service_calls import CALLS_AT_ONCE, ServiceCalls
from serving.streams.stream_addresses import StreamAddress
from serving.streams.stream_settings import StreamSettings
from serving.streams.stream_worker import StreamWorker
from tidegate_client import AsyncTidegate, Retries

ONCE = Retries(most=0)  # the stream itself waits and retries, without limit


@dataclass(frozen=True)
class MessagePlan:
    """Source, kind and destinations of a message stream."""

    read_from: StreamAddress
    kind: str
    message_format: str | None
    decisions_to: StreamAddress | None
    dead_letters_to: StreamAddress
    in_flight: int
    is_ordered: bool
    has_bodies: bool


@dataclass(frozen=True)
class EventPlan:
    """The topic for case events, and the file with the id of the last one sent."""

    to: StreamAddress
    cursor: Path


async def run_stream(
    messages: MessagePlan | None,
    events: EventPlan | None,
    settings: StreamSettings,
    say: Callable[[str], None],
    is_over: asyncio.Event,
) -> None:
    """Run until `is_over` is set; raises what prevents the start or ends the stream.

    Brokers and the service are contacted before the first message is taken.
    """
    async with AsyncExitStack() as stack:
        tidegate = await stack.enter_async_context(_tidegate(settings, messages))
        works = []
        if events is not None:
            sink = await _sink(stack, events.to, settings)
            relay = EventRelay(tidegate, sink, EventCursor(events.cursor), say)
            await relay.require()
            works.append(relay.run(is_over))
        if messages is not None:
            calls = ServiceCalls(tidegate, messages.kind, messages.message_format, is_over, say)
            await calls.require()
            worker = await _worker(stack, messages, calls, settings)
            works.append(worker.run(is_over))
        say("runs")
        await _all(works, is_over)
    if messages is not None:
        say(f"{worker.counts.answered:,} messages answered, {worker.counts.refused:,} dead letters")
    if events is not None:
        say(f"{relay.sent:,} events sent")


async def _worker(
    stack: AsyncExitStack, plan: MessagePlan, calls: ServiceCalls, settings: StreamSettings
) -> StreamWorker:
    """Return the worker.

    The source is opened last and closed first, so that no message is taken without a destination.
    """
    decisions = await _sink(stack, plan.decisions_to, settings) if plan.decisions_to else None
    dead_letters = await _sink(stack, plan.dead_letters_to, settings)
    source = await open_source(plan.read_from, settings, plan.in_flight)
    stack.push_async_callback(source.close)
    return StreamWorker(
        source, calls, decisions, dead_letters, plan.in_flight, plan.is_ordered, plan.has_bodies
    )


async def _sink(
    stack: AsyncExitStack, address: StreamAddress, settings: StreamSettings
) -> MessageSink:
    sink = await open_sink(address, settings)
    stack.push_async_callback(sink.close)
    return sink


def _tidegate(settings: StreamSettings, messages: MessagePlan | None) -> AsyncTidegate:
    # One connection more for the events, so that messages cannot starve them.
    connections = 1 + (CALLS_AT_ONCE if messages else 0)
    limits = httpx2.Limits(max_connections=connections, max_keepalive_connections=connections)
    return AsyncTidegate(
        settings.address,
        settings.api_key(),
        retries=ONCE,
        transport=httpx2.AsyncHTTPTransport(limits=limits),
    )


async def _all(works: Sequence[Coroutine[Any, Any, None]], is_over: asyncio.Event) -> None:
    """Run all coroutines until one fails; then stop the others and raise its error."""
    tasks = [asyncio.create_task(work) for work in works]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_EXCEPTION)
    finally:
        # Set, not cancelled: the others finish their messages in flight.
        is_over.set()
        ended = await asyncio.gather(*tasks, return_exceptions=True)
    for each in ended:
        if isinstance(each, BaseException):
            raise each
