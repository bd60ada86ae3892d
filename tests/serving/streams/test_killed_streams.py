"""A stream that is killed at each step: one decision for each message, and its answer."""

import asyncio
import os
import random
from collections import defaultdict
from pathlib import Path
from typing import Any, Literal

import pytest

from serving.streams.jetstream import JetStreamSource
from serving.streams.kafka import KafkaSource
from serving.streams.run_stream import MessagePlan, run_stream
from serving.streams.service_calls import ServiceCalls
from serving.streams.stream_settings import StreamSettings
from tests.clients.conftest import Site
from tests.counts import count
from tests.serving.streams.conftest import (
    Ways,
    body,
    run_and_be_killed,
    running,
    settings_for,
    wait_for,
)

Step = Literal["before it is asked", "answered", "sent on", "done"]
STEPS: tuple[Step, ...] = ("before it is asked", "answered", "sent on", "done")
MESSAGES = count(60, 10_000)
KILLS = count(4, 100)


def run_until(step: Step, number: int, plan: MessagePlan, settings: StreamSettings) -> None:
    """Run a stream in this process, and end it as `kill -9` does at the `number`th such step."""
    reached: dict[str, int] = defaultdict(int)
    answer, sources = ServiceCalls.answer, (KafkaSource, JetStreamSource)

    def at(here: Step) -> None:
        reached[here] += 1
        if here == step and reached[here] == number:
            os._exit(9)

    async def answering(calls: ServiceCalls, message: Any) -> bytes:
        at("before it is asked")
        answered = await answer(calls, message)
        at("answered")
        return answered

    def finishing(done: Any) -> Any:
        async def finish(source: Any, message: Any) -> None:
            at("sent on")
            await done(source, message)
            at("done")

        return finish

    ServiceCalls.answer = answering  # type: ignore[method-assign]  # this process ends soon
    for each in sources:
        each.done = finishing(each.done)  # type: ignore[method-assign]
    asyncio.run(run_stream(plan, None, settings, lambda _: None, asyncio.Event()))


@pytest.mark.faults
def test_kills_at_each_step_make_no_second_decision_and_lose_none(
    ways: Ways, site: Site, properties: Path
) -> None:
    before, lots = site.services.decisions.size(), random.Random(7)
    settings = settings_for(site, properties)
    ways.send(*(body(n, ways.name) for n in range(MESSAGES)))

    for kill in range(KILLS):
        step = STEPS[kill % len(STEPS)]
        number = lots.randint(1, MESSAGES // KILLS - ways.plan.in_flight - 1)
        assert run_and_be_killed(lambda: run_until(step, number, ways.plan, settings)), step  # noqa: B023
    with running(ways.plan, settings):
        wait_for(lambda: ways.done() == MESSAGES, within_s=count(30, 900))

    answers = ways.answers()
    of_each: dict[str, set[str]] = defaultdict(set)
    for headers, document in answers:
        of_each[headers["message-id"]].add(document["decision_id"])
    print(f"{MESSAGES} messages, {KILLS} kills: {len(answers)} answers sent on")
    assert site.services.decisions.size() == before + MESSAGES
    assert len(of_each) == MESSAGES
    assert all(len(decisions) == 1 for decisions in of_each.values())
    assert ways.letters() == []
