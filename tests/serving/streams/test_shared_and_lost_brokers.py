"""Brokers that go away and come back, and streams that share what comes in."""

import asyncio
from pathlib import Path

from serving.streams.jetstream import JetStreamSource
from serving.streams.stream_settings import StreamSettings
from tests.clients.conftest import Site
from tests.serving.streams.conftest import (
    body,
    kafka_ways,
    nats_ways,
    running,
    settings_for,
    wait_for,
)
from tests.serving.streams.kafka_cluster import KafkaCluster
from tests.serving.streams.nats_server import NatsServer, nats_server


def test_two_streams_of_a_group_share_it_and_one_takes_over(
    kafka: KafkaCluster, site: Site, properties: Path
) -> None:
    before, ways = site.services.decisions.size(), kafka_ways(kafka)
    settings = settings_for(site, properties)

    with running(ways.plan, settings) as first:
        ways.send(*(body(n, ways.name) for n in range(30)))
        wait_for(lambda: len(ways.answers()) > 3)
        with running(ways.plan, settings):  # partitions go to it while messages are in flight
            ways.send(*(body(n, ways.name) for n in range(30, 60)))
            wait_for(lambda: ways.done() == 60)
        ways.send(*(body(n, ways.name) for n in range(60, 80)))
        wait_for(lambda: ways.done() == 80)

    told = {document["subject_id"]: document["decision_id"] for _, document in ways.answers()}
    assert len(told) == 80
    assert site.services.decisions.size() == before + 80
    assert first.failure is None


def test_kafka_that_goes_away_for_a_while_loses_nothing(
    kafka: KafkaCluster, site: Site, properties: Path
) -> None:
    before, ways = site.services.decisions.size(), kafka_ways(kafka)

    with running(ways.plan, settings_for(site, properties)):
        ways.send(*(body(n, ways.name) for n in range(20)))
        wait_for(lambda: len(ways.answers()) > 3)
        kafka.set_down(is_down=True)
        kafka.set_down(is_down=False)
        ways.send(*(body(n, ways.name) for n in range(20, 30)))
        wait_for(lambda: ways.done() == 30)

    assert len({document["decision_id"] for _, document in ways.answers()}) == 30
    assert site.services.decisions.size() == before + 30


def test_nats_that_is_killed_and_started_again_loses_nothing(
    tmp_path: Path, site: Site, properties: Path
) -> None:
    before = site.services.decisions.size()
    with nats_server(tmp_path) as server:
        ways = nats_ways(server)
        server.make_consumer(f"{ways.name}-in", durable_name=ways.name, ack_wait=1)
        with running(ways.plan, settings_for(site, properties)):
            ways.send(*(body(n, ways.name) for n in range(20)))
            wait_for(lambda: len(ways.answers()) > 3)
            server.stop()
            server.start()
            ways.send(*(body(n, ways.name) for n in range(20, 30)))
            wait_for(lambda: ways.done() == 30)

        assert len({document["decision_id"] for _, document in ways.answers()}) == 30
    assert site.services.decisions.size() == before + 30


def test_what_a_killed_stream_had_comes_again_at_once_and_before_what_is_newer(
    jetstream: NatsServer,
) -> None:
    ways = nats_ways(jetstream)
    ways.send(*(b"%d" % n for n in range(12)), key="one")

    async def taken(most: int, *, is_done: bool) -> list[bytes]:
        source = await JetStreamSource.open(ways.plan.read_from, StreamSettings())
        messages = await source.take(most)
        for message in messages if is_done else messages[1:2]:
            await source.done(message)
        await source.close()
        return [message.body for message in messages]

    assert asyncio.run(taken(5, is_done=False)) == [b"%d" % n for n in range(5)]
    assert asyncio.run(taken(20, is_done=True)) == [b"%d" % n for n in range(12)]
    assert ways.done() == 12
