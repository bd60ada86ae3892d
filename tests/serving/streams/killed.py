"""Streams in processes that are killed: forked off a server that has neither broker nor service.

Whoever forks a process that serves forks its locks too. What is imported here each such process
has at once, so it is little.
"""

import asyncio
import multiprocessing
import os
import signal
from collections import defaultdict
from collections.abc import Callable
from typing import Any, Literal

from serving.streams.event_relay import EventCursor
from serving.streams.jetstream import JetStreamSource
from serving.streams.kafka import KafkaSource
from serving.streams.run_stream import EventPlan, MessagePlan, run_stream
from serving.streams.service_calls import ServiceCalls
from serving.streams.stream_settings import StreamSettings

Step = Literal["before it is asked", "answered", "sent on", "done"]
STEPS: tuple[Step, ...] = ("before it is asked", "answered", "sent on", "done")
KILLED = 9
MAX_S = 120  # more time means waiting for something that will not come

_forking = multiprocessing.get_context("forkserver")
_forking.set_forkserver_preload([__name__])


def is_killed(act: Callable[..., None], *arguments: Any) -> bool:
    """Act in a process of its own; whether it was killed there. Raises where it failed."""
    process = _forking.Process(target=_limited, args=(act, *arguments))
    process.start()
    process.join(MAX_S + 10)
    assert process.exitcode in (0, KILLED), f"it ended with {process.exitcode}"
    return process.exitcode == KILLED


def run_until(step: Step, number: int, plan: MessagePlan, settings: StreamSettings) -> None:
    """Run a stream, and end it as `kill -9` does at the `number`th such step."""
    reached: dict[str, int] = defaultdict(int)
    answer = ServiceCalls.answer

    def at(here: Step) -> None:
        reached[here] += 1
        if here == step and reached[here] == number:
            os._exit(KILLED)

    async def answering(calls: ServiceCalls, message: Any, kind: str) -> bytes:
        at("before it is asked")
        answered = await answer(calls, message, kind)
        at("answered")
        return answered

    def finishing(done: Any) -> Any:
        async def finish(source: Any, message: Any) -> None:
            at("sent on")
            await done(source, message)
            at("done")

        return finish

    ServiceCalls.answer = answering  # type: ignore[method-assign]  # this process ends soon
    for each in (KafkaSource, JetStreamSource):
        each.done = finishing(each.done)  # type: ignore[attr-defined]  # the sources of both brokers have it
    asyncio.run(run_stream(plan, None, settings, _say_nothing, asyncio.Event()))


def relay_until(
    when: Literal["before", "after"], plan: EventPlan, settings: StreamSettings
) -> None:
    """Send events on, and end as `kill -9` does before or after the cursor is written."""
    write = EventCursor.write

    def killed(cursor: EventCursor, event_id: str) -> None:
        if when == "after":
            write(cursor, event_id)
        os._exit(KILLED)

    EventCursor.write = killed  # type: ignore[method-assign]  # this process ends soon
    asyncio.run(run_stream(None, plan, settings, _say_nothing, asyncio.Event()))


def _limited(act: Callable[..., None], *arguments: Any) -> None:
    signal.alarm(MAX_S)
    act(*arguments)


def _say_nothing(_: str) -> None:
    """Nobody listens."""
