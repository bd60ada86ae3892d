"""Case events out: in order, each at least once, and none passed that the broker does not have."""

import asyncio
import json
from pathlib import Path
from typing import Any

import httpx2
import pytest

from features.errors import TidegateError
from serving.review.cases.case_opening_worker import open_due
from serving.streams.event_relay import EventCursor, EventRelay
from serving.streams.run_stream import EventPlan
from serving.streams.stream_addresses import StreamAddress
from serving.streams.stream_messages import Outgoing
from tests.clients.conftest import Site
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW
from tests.serving.streams.conftest import (
    kafka_ways,
    running,
    settings_for,
    wait_for,
)
from tests.serving.streams.kafka_cluster import KafkaCluster
from tests.serving.streams.killed import is_killed, relay_until
from tests.serving.streams.nats_server import NatsServer
from tests.serving.streams.test_lanes import Kept, problem
from tidegate_client import AsyncTidegate, Retries

EVENT: dict[str, Any] = {
    "type": "tidegate.case.opened",
    "time": "2026-11-24T12:00:00Z",
    "case_id": "c",
    "subject_kind": "shipment",
    "subject_id": "S",
    "decision_id": "d",
    "office_id": None,
    "content": "whole",
    "lane": "inspect",
    **dict.fromkeys(("action", "result", "waiting_until", "waiting_for")),
}
EVENTS = [EVENT | {"id": f"e{number:02}"} for number in range(25)]
PAGE = 4


def feed(request: httpx2.Request) -> httpx2.Response:
    """The feed as the service pages it."""
    after = request.url.params.get("after", "")
    if after and after not in {event["id"] for event in EVENTS}:
        return problem(422)
    left = [event for event in EVENTS if event["id"] > after]
    page = {"events": left[:PAGE], "has_more": len(left) > PAGE}
    return httpx2.Response(200, json=page | {"next": (left[:PAGE] or [{"id": after}])[-1]["id"]})


class FailingAt(Kept):
    """A sink whose broker goes away at one of its messages."""

    def __init__(self, fails_at: int):
        super().__init__()
        self._fails_at = fails_at
        self._begun = 0

    async def publish(self, outgoing: Outgoing) -> None:
        self._begun += 1
        if self._begun > self._fails_at:
            raise TidegateError("gone")
        await super().publish(outgoing)


def relayed(sink: Kept, cursor: EventCursor, answering: Any = feed) -> None:
    async def run() -> None:
        transport, is_over = httpx2.MockTransport(answering), asyncio.Event()
        async with AsyncTidegate(
            "http://service", "k", retries=Retries(most=0), transport=transport
        ) as tidegate:
            relay = EventRelay(tidegate, sink, cursor, lambda _: None)
            await relay.require()
            running = asyncio.create_task(relay.run(is_over))
            while not running.done() and cursor.read() != EVENTS[-1]["id"]:
                await asyncio.sleep(0.001)
            is_over.set()
            await running

    asyncio.run(run())


@pytest.mark.parametrize("fails_at", range(0, len(EVENTS), 3))
def test_a_broker_that_goes_away_misses_no_event(tmp_path: Path, fails_at: int) -> None:
    cursor, first, second = EventCursor(tmp_path / "cursor"), FailingAt(fails_at), Kept()

    with pytest.raises(TidegateError):
        relayed(first, cursor)
    passed = cursor.read() or ""
    assert passed <= max((each.id for each in first.sent), default="")
    relayed(second, cursor)

    assert {each.id for each in (*first.sent, *second.sent)} == {each["id"] for each in EVENTS}
    assert [each.id for each in second.sent] == [e["id"] for e in EVENTS if e["id"] > passed]
    assert json.loads(second.sent[-1].body) == EVENTS[-1]
    assert second.sent[0].key == b"c"


def test_a_cursor_that_the_service_does_not_know_skips_nothing(tmp_path: Path) -> None:
    cursor = EventCursor(tmp_path / "cursor")
    cursor.write("of another database")

    with pytest.raises(TidegateError, match="remove that file"):
        relayed(Kept(), cursor)


def test_a_key_without_the_scope_of_events_is_said(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="scope events"):
        relayed(Kept(), EventCursor(tmp_path / "cursor"), lambda _: problem(403))


@pytest.fixture(scope="module")
def happened(site: Site) -> int:
    """A case that waits for people, whose subject was scored again; so many events."""
    score, read = site.headers("score"), site.headers("events")
    with httpx2.Client(base_url=site.address, timeout=30) as client:

        def scored(subject_id: str, key: str) -> None:
            body = shipment(shipment_id=subject_id)
            headers = score | {"Idempotency-Key": key}
            client.post("/v1/scores", json=body, headers=headers).raise_for_status()
            open_due(site.services.cases, NOW)

        def events() -> Any:
            return client.get("/v1/events", headers=read, params={"limit": 200}).json()["events"]

        numbers = iter(range(200))
        while not events():
            number = next(numbers)
            scored(f"E-{number}", f"E-{number}")
        subject_id = events()[0]["subject_id"]
        for number in range(10):
            scored(subject_id, f"again-{number}")
        return len(events())


def events_of(address: str) -> StreamAddress:
    return StreamAddress.parse(address, "--events-to")


def test_kills_around_the_cursor_send_an_event_twice_and_none_never(
    jetstream: NatsServer, site: Site, happened: int, properties: Path, tmp_path: Path
) -> None:
    jetstream.make("relayed")
    plan = EventPlan(events_of(jetstream.address("relayed")), tmp_path / "cursor")
    settings = settings_for(site, properties, "events")

    assert is_killed(relay_until, "before", plan, settings)
    assert not plan.cursor.exists()
    assert len(jetstream.read("relayed")) == happened
    assert is_killed(relay_until, "after", plan, settings)
    with running(None, settings, plan) as stream:
        wait_for(lambda: "runs" in stream.said)

    sent = jetstream.read("relayed")
    assert len(sent) == happened  # JetStream forgot the second ones by their ids
    assert len({each.headers["message-id"] for each in sent}) == happened
    assert plan.cursor.read_text().strip() == sent[-1].headers["message-id"]
    assert stream.said[-1] == "0 events sent"


def test_messages_and_events_go_through_one_stream(
    kafka: KafkaCluster, site: Site, happened: int, properties: Path, tmp_path: Path
) -> None:
    ways = kafka_ways(kafka)
    plan = EventPlan(events_of(kafka.address(f"{ways.name}-events")), tmp_path / "cursor")
    ways.send(json.dumps(shipment(shipment_id=ways.name)).encode())

    with running(ways.plan, settings_for(site, properties), plan):
        wait_for(lambda: ways.done() == 1 and plan.cursor.exists())

    sent = [json.loads(each) for _, each in ways.read("events")]
    assert len(sent) >= happened
    assert "tidegate.case.opened" in {each["type"] for each in sent}
