"""Streams between a broker and a service: what comes in leads to one decision, and is told of."""

import base64
import hashlib
import json
from pathlib import Path

import pytest

from features.errors import TidegateError
from tests.clients.conftest import Site
from tests.serving.bodies import SHIPMENT
from tests.serving.conftest import NOW
from tests.serving.streams.conftest import (
    Running,
    Ways,
    body,
    kafka_ways,
    nats_ways,
    running,
    settings_for,
    wait_for,
)
from tests.serving.streams.kafka_cluster import KafkaCluster
from tests.serving.streams.killed import is_killed, run_until
from tests.serving.streams.nats_server import NatsServer


def test_each_message_is_one_decision_and_one_answer(
    ways: Ways, site: Site, properties: Path
) -> None:
    before = site.services.decisions.size()
    ways.send(*(body(n, ways.name) for n in range(20)))

    with running(ways.plan, settings_for(site, properties)) as stream:
        wait_for(lambda: len(ways.answers()) == 20)

    assert site.services.decisions.size() == before + 20
    told = {document["subject_id"]: document["decision_id"] for _, document in ways.answers()}
    assert set(told) == {f"{ways.name}-{n}" for n in range(20)}
    assert len(set(told.values())) == 20
    assert ways.done() == 20
    assert ways.letters() == []
    assert stream.said == ["runs", "20 messages answered, 0 dead letters"]


def test_a_message_that_its_sender_sent_twice_is_one_decision(
    ways: Ways, site: Site, properties: Path
) -> None:
    before = site.services.decisions.size()
    sent = body(1, ways.name)
    for _ in range(2):  # JetStream knows its own header, and would keep one alone
        ways.send(sent, headers={"ce_id": b"d-1", "ce_source": b"/customs"})

    with running(ways.plan, settings_for(site, properties)):
        wait_for(lambda: ways.done() == 2)

    assert site.services.decisions.size() == before + 1
    assert {headers["message-id"] for headers, _ in ways.answers()} == {"/customs#d-1"}
    assert len({document["decision_id"] for _, document in ways.answers()}) == 1


def test_what_is_refused_becomes_a_dead_letter_without_its_bytes(
    ways: Ways, site: Site, properties: Path
) -> None:
    named = json.loads(body(1, ways.name))
    named["shipment"]["driver_name"] = "Jane Roe"
    refused = json.dumps(named).encode()
    ways.send(refused, b"no JSON", b"", body(2, ways.name))

    with running(ways.plan, settings_for(site, properties)):
        wait_for(lambda: ways.done() == 4)

    letters = {letter["sha256"]: letter for letter in ways.letters()}
    letter = letters[hashlib.sha256(refused).hexdigest()]
    assert len(letters) == 3
    assert letter["problem"]["status"] == 422
    assert letter["problem"]["errors"][0]["pointer"] == "/shipment/driver_name"
    assert letter["source"]["broker"] in ways.plan.read_from.broker
    assert {"offset", "sequence"} & set(letter["source"])
    assert "Jane" not in json.dumps(ways.letters())
    assert [document["subject_id"] for _, document in ways.answers()] == [f"{ways.name}-2"]


def test_of_several_refused_messages_of_one_id_each_is_a_dead_letter(
    ways: Ways, site: Site, properties: Path
) -> None:
    ways.send(b"no JSON", b"{}", b"[]", b"[]", headers={"message-id": b"1"})

    with running(ways.plan, settings_for(site, properties)) as stream:
        wait_for(lambda: ways.done() == 4)

    assert stream.said[-1] == "0 messages answered, 4 dead letters"
    assert len({json.dumps(letter["source"]) for letter in ways.letters()}) == 4


def test_two_streams_whose_senders_number_alike_may_answer_at_one_place(
    ways: Ways, site: Site, properties: Path
) -> None:
    other = ways.beside().planned(decisions_to=ways.plan.decisions_to)
    for each in (ways, other):
        each.send(body(1, each.name), headers={"message-id": b"1"})

    with (
        running(ways.plan, settings_for(site, properties)),
        running(other.plan, settings_for(site, properties)),
    ):
        wait_for(lambda: ways.done() == other.done() == 1)

    told = {document["subject_id"] for _, document in ways.answers()}
    assert told == {f"{ways.name}-1", f"{other.name}-1"}


def test_what_is_done_again_after_a_kill_jetstream_keeps_once(
    jetstream: NatsServer, site: Site, properties: Path
) -> None:
    ways, settings = nats_ways(jetstream), settings_for(site, properties)
    ways.send(body(1, ways.name), b"no JSON", key="one", headers={"message-id": b"1"})

    for number in (1, 2):
        assert is_killed(run_until, "sent on", number, ways.plan, settings)
    with running(ways.plan, settings):
        wait_for(lambda: ways.done() == 2)

    assert (len(ways.answers()), len(ways.letters())) == (1, 1)


def test_what_is_refused_is_sent_on_where_that_is_asked_for(
    jetstream: NatsServer, site: Site, properties: Path
) -> None:
    ways = nats_ways(jetstream).planned(has_bodies=True)
    ways.send(b"no JSON")

    with running(ways.plan, settings_for(site, properties)):
        wait_for(ways.letters)

    assert base64.b64decode(ways.letters()[0]["body_base64"]) == b"no JSON"


def test_an_answer_carries_the_id_as_its_sender_wrote_it(
    ways: Ways, site: Site, properties: Path
) -> None:
    ways.send(body(1, ways.name), headers={"message-id": "Zug 7, Köln".encode()})

    with running(ways.plan, settings_for(site, properties)):
        wait_for(lambda: ways.done() == 1)

    assert [headers["message-id"] for headers, _ in ways.answers()] == ["Zug 7, Köln"]


def test_a_header_of_kafka_that_is_no_text_is_not_passed_over(
    kafka: KafkaCluster, site: Site, properties: Path
) -> None:
    ways = kafka_ways(kafka)
    headers = {"tidegate-kind": b"\xffrecords", "message-id": b"K\xf6ln"}
    ways.send(body(1, ways.name), headers=headers)

    with running(ways.plan, settings_for(site, properties)):
        wait_for(lambda: ways.done() == 1)

    (letter,) = ways.letters()
    assert letter["id"] == "K\\xf6ln"
    assert "'records'" in letter["problem"]["detail"]


def test_of_records_those_that_are_refused_are_told_beside_the_answer(
    jetstream: NatsServer, site: Site, properties: Path
) -> None:
    ways = nats_ways(jetstream).planned(kind="records")
    document = SHIPMENT["documents"][0] | {"subject_id": ways.name}
    good = document | {"document_id": ways.name, "subject_kind": "shipment"}
    ways.send(json.dumps({"documents": [good, good | {"document_id": 7}]}).encode())

    with running(ways.plan, settings_for(site, properties)):
        wait_for(lambda: ways.done() == 1)

    ((headers, answer),) = ways.answers()
    (letter,) = ways.letters()
    assert (headers["tidegate-kind"], answer["accepted"]) == ("records", 1)
    assert letter["problem"]["errors"][0]["pointer"] == "/documents/1/document_id"


def test_a_message_may_say_what_it_is(kafka: KafkaCluster, site: Site, properties: Path) -> None:
    ways = kafka_ways(kafka)
    record = {"subject_kind": "shipment", "subject_id": f"{ways.name}-1", "document_id": ways.name}
    record |= {"kind": "invoice", "received_at": "2026-11-23T10:00:00Z"}
    records = json.dumps({"documents": [record]}).encode()
    ways.send(records, key="a", headers={"tidegate-kind": b"records"})
    ways.send(body(1, ways.name), key="a")

    with running(ways.plan, settings_for(site, properties)):
        wait_for(lambda: ways.done() == 2)

    kinds = [headers["tidegate-kind"] for headers, _ in ways.answers()]
    assert kinds == ["records", "submissions"]  # of one key in their order
    assert ways.answers()[0][1]["not_scored"] == ["/documents/0"]  # so it was there before


def test_messages_of_one_broker_may_be_answered_at_the_other(
    kafka: KafkaCluster, jetstream: NatsServer, site: Site, properties: Path
) -> None:
    came, goes = kafka_ways(kafka), nats_ways(jetstream)
    came.send(body(1, came.name))
    plan = came.planned(decisions_to=goes.plan.decisions_to).plan

    with running(plan, settings_for(site, properties)):
        wait_for(goes.answers)

    assert goes.answers()[0][1]["subject_id"] == f"{came.name}-1"


def test_a_key_without_the_scope_ends_the_stream_before_a_message_is_taken(
    ways: Ways, site: Site, properties: Path
) -> None:
    ways.send(body(1, ways.name))

    with (
        pytest.raises(TidegateError, match="lacks a scope such as score"),
        running(ways.plan, settings_for(site, properties, "explain")) as stream,
    ):
        stream.wait()
    assert ways.letters() == []


def test_a_message_that_this_key_may_not_send_is_a_dead_letter_and_the_stream_goes_on(
    jetstream: NatsServer, site: Site, properties: Path
) -> None:
    ways = nats_ways(jetstream)
    ways.send(body(1, ways.name, office_id="ES002100"))
    ways.send(b"{}", headers={"tidegate-kind": b"records"})
    ways.send(body(2, ways.name))

    with running(ways.plan, settings_for(site, properties, "score", offices=("DE004600",))):
        wait_for(lambda: ways.done() == 3)

    foreign, records = sorted(ways.letters(), key=lambda letter: letter["source"]["sequence"])
    assert foreign["problem"]["errors"][0]["code"] == "foreign_office"
    assert records["kind"] == "records"
    assert records["problem"]["detail"] == "this needs a key with the scope ingest"
    assert [document["subject_id"] for _, document in ways.answers()] == [f"{ways.name}-2"]


def test_a_key_that_is_revoked_meanwhile_ends_the_stream_and_loses_nothing(
    ways: Ways, site: Site, properties: Path
) -> None:
    settings = settings_for(site, properties)
    ways.send(body(1, ways.name))

    stream = Running(ways.plan, settings)
    wait_for(lambda: ways.done() == 1)
    newest = site.services.api_keys.all()[-1]
    site.services.api_keys.revoke(newest.name, NOW)
    ways.send(body(2, ways.name))
    with pytest.raises(TidegateError, match="does not know this key"):
        stream.wait()
    assert (ways.letters(), ways.done()) == ([], 1)

    with running(ways.plan, settings_for(site, properties)):
        wait_for(lambda: len(ways.answers()) == 2)
    assert ways.letters() == []


def test_a_format_that_the_service_does_not_know_ends_the_start(
    jetstream: NatsServer, site: Site, properties: Path
) -> None:
    ways = nats_ways(jetstream).planned(kind="messages", message_format="cargoxml")

    with (
        pytest.raises(TidegateError, match=r"--format .* 'cargo_xml'"),
        running(ways.plan, settings_for(site, properties)) as stream,
    ):
        stream.wait()


def test_a_service_that_is_not_there_ends_the_start(
    jetstream: NatsServer, site: Site, properties: Path
) -> None:
    ways = nats_ways(jetstream)
    settings = settings_for(site, properties).model_copy(update={"address": "http://127.0.0.1:9"})

    with pytest.raises(TidegateError, match="TIDEGATE_ADDRESS"), running(ways.plan, settings) as it:
        it.wait()
