"""`POST /v1/messages/{format}` as callers see it, and what is kept of a message."""

import asyncio
import hashlib
import json
import os
import signal
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import reduce
from operator import xor
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select
from structlog.testing import capture_logs

from features.messages.conversion import GIVEN
from features.messages.formats import FORMATS, convert_message
from features.messages.options import Options
from serving.api.messages import MessageQuery
from serving.app import create_app
from serving.errors import LogUnavailable
from serving.scoring.message_readers import ReaderProcess
from serving.settings import Settings
from serving.storage.tables.audit import audit_events
from serving.storage.tables.scoring import decisions, kept_messages, message_subjects, records
from tests.conformance.trial_of_samples import AnyReference
from tests.features.messages.worst_inputs import sentences
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service, app_of

SAMPLES = Path(__file__).parents[2] / "conformance" / "samples"
SENT = {
    "ais": ("ships.txt", {"positions": 4}),
    "cargo_xml": ("xfwb.xml", {"documents": 1, "goods_items": 1, "shipments": 1}),
    "dcsa": ("ebl.json", {"documents": 1, "goods_items": 1}),
    "edifact": ("iftmin.edi", {"goods_items": 1, "shipments": 1}),
    "iso20022": ("pacs.008.xml", {"transactions": 1}),
    "ubl": ("waybill.xml", {"documents": 1, "goods_items": 2, "shipments": 1}),
}
"""A sample of each format, and what it makes."""
PLAN = """
[[watched]]
kind = "container"
value = "MSKU9070323"
list = "asked for by another office"
reason = "see their message"
"""


def sample(format: str, name: str = "") -> bytes:
    """The sample of a format, or another one of it."""
    return (SAMPLES / format / (name or SENT[format][0])).read_bytes()


WAYBILL = sample("ubl")


@pytest.fixture
def watched(home: Path) -> Iterator[Service]:
    """A service that sends the shipment of the waybill to inspection, whatever its score."""
    (home / "lanes.toml").write_text(PLAN)
    app = create_app(Settings(home=home), clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)


def send(
    service: Service,
    caller: dict[str, str],
    body: bytes = WAYBILL,
    format: str = "ubl",
    key: str = "m-1",
    **query: str,
) -> Any:
    """Post a message."""
    headers = {**caller, "Idempotency-Key": key}
    return service.client.post(
        f"/v1/messages/{format}", content=body, params=query, headers=headers
    )


def stored(service: Service) -> list[int]:
    """How many messages, subjects of them, records and decisions are stored."""
    tables = (kept_messages, message_subjects, records, decisions)
    with service.services.decisions._engine.connect() as connection:
        return [connection.scalar(select(func.count()).select_from(t)) or 0 for t in tables]


def events_of(service: Service, action: str) -> list[Any]:
    """The audit events of an action."""
    query = select(audit_events).where(audit_events.c.action == action)
    with service.services.decisions._engine.connect() as connection:
        return [*connection.execute(query)]


def bytes_of(home: Path) -> bytes:
    """Every byte of a home."""
    return b"".join(file.read_bytes() for file in sorted(home.rglob("*")) if file.is_file())


def withheld_in(format: str, body: bytes) -> set[str]:
    """The texts of a message that its conversion withholds, but for those too short to look for."""
    options = Options(key=bytes(32), received_at=NOW, shipment_pattern=AnyReference("any"))
    withheld = {each.place for each in convert_message(format, body, options).withheld}
    located = FORMATS[format].locate(body, options.bounds)
    texts = {located.text_in(each.span) for each in located.elements if each.place in withheld}
    return {text.strip('"') for text in texts if len(text) > 6}


def test_a_message_of_each_format_is_kept_with_its_records_and_without_its_persons(
    service: Service,
) -> None:
    sender, reader = service.key("ingest", "score"), service.key("review")
    before = bytes_of(service.home)
    persons: set[str] = set()
    for format, (_, made) in SENT.items():
        body = sample(format)
        pattern = {"shipment_pattern": "AC{digits}"} if format == "iso20022" else {}
        answer = send(service, sender, body, format, key=format, **pattern)

        assert answer.status_code == 200, answer.text
        told = answer.json()
        again = send(service, sender, body, format, key=format, **pattern)
        assert again.content == answer.content
        assert told["records"] == made
        assert told["sha256"] == hashlib.sha256(body).hexdigest()
        assert len(told["decisions"]) == made.get("shipments", 0)
        kept = service.client.get(f"/v1/stored_messages/{told['message_id']}", headers=reader)
        text = kept.json()["text"]
        assert text.count("\n") == body.count(b"\n")
        persons |= withheld_in(format, body)
        assert [each for each in withheld_in(format, body) if each in kept.text] == []
        for each in kept.json()["made"]:
            for field, where in each["fields"].items():
                assert where["line"] or where["place"] == GIVEN, field
    assert len(persons) > 20
    after = bytes_of(service.home)
    assert [
        each for each in persons if each.encode() in after and each.encode() not in before
    ] == []


def test_a_shipment_of_a_message_is_decided_with_all_that_belongs_to_it(watched: Service) -> None:
    told = send(watched, watched.key("ingest", "score")).json()

    (decided,) = told["decisions"]
    assert (decided["subject_id"], decided["lane"]) == ("AC4711", "inspect")
    assert decided["case_id"] == decided["decision_id"]
    record = watched.services.decisions.record(decided["decision_id"])
    submission = json.loads(json.loads(record or "")["request"])
    assert len(submission["shipment"]["items"]) == 2
    assert [each["number"] for each in submission["documents"]] == ["WB-1"]
    received_at = submission["documents"][0]["received_at"]
    assert datetime.fromisoformat(submission["as_of"]) > datetime.fromisoformat(received_at)
    assert stored(watched) == [1, 1, 1, 1]
    (event,) = events_of(watched, "send_message")
    assert (event.actor_name, event.object_id) == ("caller-1", told["message_id"])
    case = watched.client.get(f"/v1/cases/{decided['case_id']}", headers=watched.key("review"))
    assert case.json()["subject_id"] == "AC4711"


def test_a_reader_of_its_case_reads_the_message_which_is_written_down(watched: Service) -> None:
    told = send(watched, watched.key("ingest", "score")).json()
    address = f"/v1/stored_messages/{told['message_id']}"

    whole = watched.client.get(address, headers=watched.key("review")).json()

    assert "<cbc:ID>AC4711</cbc:ID>" in whole["text"]
    (shipment,) = (each for each in whole["made"] if each["record_type"] == "shipments")
    line = shipment["fields"]["gross_mass_kg"]["line"]
    assert '<cbc:GrossWeightMeasure unitCode="KGM">4210<' in whole["text"].split("\n")[line - 1]
    read = [each for each in events_of(watched, "read") if each.object_kind == "message"]
    assert [each.object_id for each in read] == [told["message_id"]]
    rescuer, other = watched.key("rescue"), watched.key("review", offices=("elsewhere",))
    assert watched.client.get(address, headers=rescuer).status_code == 404
    assert watched.client.get(address, headers=other).status_code == 404
    assert watched.client.get(address, headers=watched.key("score")).status_code == 403


def test_a_retry_gets_the_same_bytes_and_another_message_is_refused(service: Service) -> None:
    sender = service.key("ingest", "score")
    first = send(service, sender)

    again = send(service, sender)

    assert (again.status_code, again.content) == (200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    for other in (send(service, sender, WAYBILL + b"\n"), send(service, sender, zone="Asia/Tokyo")):
        assert (other.status_code, other.json()["type"]) == (
            422,
            "/problems/idempotency-key-reused",
        )
    assert stored(service) == [1, 1, 1, 1]


def test_a_message_that_made_nothing_to_decide_is_replayed_wherever_its_subject_went_since(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender, other = service.key("ingest", offices=("DE1",)), service.key("score", offices=("DE2",))
    first = send(service, sender, sample("dcsa"), "dcsa")
    service.score(shipment(shipment_id="AC4711", office_id="DE2"), other)
    told: list[Any] = []
    monkeypatch.setattr(
        service.services.history, "ingest_records", lambda records, _: told.extend(records)
    )

    again = send(service, sender, sample("dcsa"), "dcsa")

    assert (first.json()["decisions"], again.status_code) == ([], 200), again.text
    assert again.content == first.content
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(told) == sum(first.json()["records"].values())


def test_the_same_message_under_another_key_keeps_its_records_once(service: Service) -> None:
    sender = service.key("ingest", "score")
    send(service, sender)
    amended = WAYBILL.replace(b">4210<", b">4100<")

    assert send(service, sender, key="m-2").status_code == 200
    assert stored(service)[2] == 1
    assert send(service, sender, amended, key="m-3").status_code == 200
    versions = [
        row.body
        for row in service.services.records.about([("shipment", "AC4711")])["shipment", "AC4711"]
    ]
    assert [json.loads(body)["version"] for body in versions] == [1, 2]


def test_of_positions_of_a_ship_at_one_instant_the_first_counts(service: Service) -> None:
    sender, heard_at = service.key("ingest"), "2026-11-24T10:00:00Z"
    tagged = [each for each in sample("ais").splitlines() if each.startswith(b"\\")]
    first, second = (each.rpartition(b"\\")[2] for each in tagged)

    both = send(service, sender, first + b"\n" + second, "ais", "both", heard_at=heard_at).json()
    later = send(service, sender, second, "ais", "later", heard_at=heard_at)

    assert both["records"] == {"positions": 1}
    assert [each["place"] for each in both["not_made"]] == ["line 2"]
    assert later.status_code == 200
    assert stored(service)[2] == 1


def test_a_call_for_help_is_kept_beside_a_plain_position_of_the_same_instant(
    service: Service,
) -> None:
    sender, heard_at = service.key("ingest"), "2026-11-24T10:00:00Z"
    tagged = next(each for each in sample("ais").splitlines() if each.startswith(b"\\"))
    plain = tagged.rpartition(b"\\")[2]
    call = as_call_for_help(plain)

    both = send(service, sender, plain + b"\n" + call, "ais", "both", heard_at=heard_at).json()
    again = send(service, sender, call, "ais", "again", heard_at=heard_at)

    assert (both["records"], again.status_code) == ({"positions": 2}, 200)
    assert both["not_made"] == []
    assert stored(service)[2] == 2


def as_call_for_help(sentence: bytes) -> bytes:
    """A sentence of AIS whose navigational status is that of an AIS-SART."""
    *fields, payload, padding = sentence.strip(b"!").partition(b"*")[0].split(b",")
    value = payload[6] - (48 if payload[6] < 96 else 56)
    status = (value & 0b110000) | 14
    payload = payload[:6] + bytes([status + (48 if status < 40 else 56)]) + payload[7:]
    body = b",".join([*fields, payload, padding])
    return b"!%s*%02X" % (body, reduce(xor, body))


def test_what_could_not_be_decided_is_decided_under_the_same_key(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender = service.key("ingest", "score")
    with monkeypatch.context() as broken:
        broken.setattr(service.services.batcher.writer, "submit", _refuse)
        failed = send(service, sender)
    assert (failed.status_code, stored(service)) == (503, [1, 1, 1, 0])

    answer = send(service, sender)

    assert answer.status_code == 200
    assert len(answer.json()["decisions"]) == 1
    assert send(service, sender).content == answer.content
    assert stored(service) == [1, 1, 1, 1]


def _refuse(*_: Any) -> None:
    raise LogUnavailable("the log is away")


def test_a_message_that_breaks_its_standard_stores_nothing_and_says_the_place(
    service: Service,
) -> None:
    wrong = WAYBILL.replace(b'currencyID="EUR">30000.00', b'currencyID="EUR">much')

    broken = send(service, service.key("ingest", "score"), wrong)

    assert (broken.status_code, broken.json()["type"]) == (422, "/problems/message-unreadable")
    (fault,) = broken.json()["errors"]
    assert fault["pointer"] == "line 24, /Waybill/Shipment/GoodsItem[1]/ValueAmount"
    assert fault["code"] == "standard"
    assert "much" not in broken.text
    assert stored(service) == [0, 0, 0, 0]


def test_a_half_good_message_stores_nothing_and_says_the_place(service: Service) -> None:
    sender = service.key("ingest")
    one = sample("iso20022")
    transfer = one[one.index(b"<CdtTrfTxInf>") : one.index(b"</FIToFICstmrCdtTrf>")]
    another = transfer.replace(b"7a562c67", b"8b673d78")
    otherwise = transfer.replace(b"15700.00", b"99.00")
    two = one.replace(transfer, another + transfer + otherwise)
    pattern = {"shipment_pattern": "AC{digits}"}
    assert send(service, sender, one, "iso20022", **pattern).json()["records"]
    before = stored(service)

    refused = send(service, sender, two, "iso20022", key="m-2", **pattern)

    assert refused.status_code == 422
    (fault,) = refused.json()["errors"]
    assert fault["code"] == "record_differs"
    assert fault["pointer"].startswith("/Envelope/Document/FIToFICstmrCdtTrf/CdtTrfTxInf[3]/")
    assert stored(service) == before


def test_what_a_later_message_states_otherwise_is_a_later_version(service: Service) -> None:
    sender, one = service.key("ingest"), sample("iso20022")
    pattern = {"shipment_pattern": "AC{digits}"}
    send(service, sender, one, "iso20022", **pattern)

    corrected = one.replace(b"15700.00", b"99.00")
    assert send(service, sender, corrected, "iso20022", key="m-2", **pattern).status_code == 200
    again = send(service, sender, corrected, "iso20022", key="m-3", **pattern)

    assert again.status_code == 200
    bodies = [json.loads(row.body) for row in service.services.records.all()]
    paid = {(b["version"], b["amount"]) for b in bodies if "transaction_id" in b}
    assert paid == {(1, 15700.0), (2, 99.0)}


def test_who_may_not_score_sends_nothing_that_would_be_scored(service: Service) -> None:
    only_records = service.key("ingest")

    assert send(service, only_records).status_code == 403
    assert stored(service) == [0, 0, 0, 0]
    assert send(service, only_records, sample("ais"), "ais").status_code == 200
    assert send(service, service.key("score"), key="m-2").status_code == 403


def test_no_message_has_the_time_zones_of_this_machine_listed_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    MessageQuery(zone="Asia/Tokyo")
    monkeypatch.setattr(os, "walk", None)

    assert MessageQuery(zone="Europe/Berlin").read_as.zone == ZoneInfo("Europe/Berlin")


def test_what_is_no_message_is_refused_before_it_is_read(home: Path) -> None:
    settings = Settings(home=home, max_message_bytes=1_024)
    app = create_app(settings, clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        service = Service(client, app.state.services, home)
        sender = service.key("ingest", "score")
        compressed = {**sender, "Idempotency-Key": "k", "Content-Encoding": "gzip"}
        statuses = [
            send(service, sender).status_code,
            client.post("/v1/messages/ubl", content=b"x", headers=compressed).status_code,
            client.post("/v1/messages/ubl", content=b"<a/>", headers=sender).status_code,
            send(service, sender, b" ").status_code,
            send(service, sender, b"<a/>", "fax").status_code,
            send(service, sender, b"<a/>", zone="Mars").status_code,
            send(service, sender, b"<a/>", shipment_pattern="AC{digits:0}").status_code,
            send(service, sender, b"<a/>", heard_at="noon").status_code,
            send(service, sender, b"<a/>", colour="red").status_code,
        ]

        assert statuses == [413, 415, 400, 400, 422, 422, 422, 422, 422]
        assert stored(service) == [0, 0, 0, 0]


@pytest.mark.parametrize("option", ["shipment_pattern", "journey_pattern"])
def test_a_regular_expression_is_refused_and_the_form_of_a_template_shown(
    service: Service, option: str
) -> None:
    pattern = "a?" * 40 + "a" * 40
    refused = send(
        service, service.key("ingest"), sample("iso20022"), "iso20022", **{option: pattern}
    )

    assert refused.status_code == 422
    assert "AC{digits:6}" in refused.text
    assert pattern not in refused.text


def test_long_lists_and_texts_come_in_pages_that_are_whole_together(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.api.messages.PAGE_ENTRIES", 10)
    monkeypatch.setattr("serving.api.messages.PAGE_CHARACTERS", 100)
    monkeypatch.setattr("features.messages.encoded_message.MAX_LISTED", 30)
    body = b"".join(b"%d. %s" % (n, sentences(1, heard=False)) for n in range(25))
    body += b"what nobody hears\n" + sentences(2, heard=True)

    told = send(service, service.key("ingest"), body, "ais").json()

    assert (told["records"], told["counts"]["not_made"]) == ({"positions": 2}, 25)
    assert (len(told["not_made"]), told["next"]) == (10, "1")
    reader, address = service.key("review"), f"/v1/stored_messages/{told['message_id']}"
    pages = [service.client.get(address, headers=reader).json()]
    while pages[-1]["next"]:
        query = {"after": pages[-1]["next"]}
        pages.append(service.client.get(address, headers=reader, params=query).json())
    assert pages[0]["not_made"] == told["not_made"]
    places = [each["place"] for page in pages for each in page["not_made"]]
    assert places == [f"line {number}" for number in range(1, 26)]
    assert sum(len(page["made"]) for page in pages) == 2
    text = "".join(page["text"] for page in pages)
    assert text.count("\n") == body.count(b"\n")
    assert max(len(page["text"]) for page in pages) == 100
    for wrong in ("-1", "x", "10000", "01"):
        assert (
            service.client.get(address, headers=reader, params={"after": wrong}).status_code == 422
        )


@pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")
def test_while_a_message_is_read_others_are_answered_and_a_sender_who_leaves_ends_it(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    readers, start = service.services.message_readers, ReaderProcess.start
    stopped: list[ReaderProcess] = []

    def start_stopped() -> ReaderProcess:
        stopped.append(start())
        os.kill(stopped[0]._process.pid, signal.SIGSTOP)
        return stopped[0]

    monkeypatch.setattr(ReaderProcess, "start", start_stopped)
    caller = service.key("ingest", "score")
    scoring = service.key("score")

    async def play() -> int:
        leaves = asyncio.Event()
        parts: list[Any] = [{"type": "http.request", "body": WAYBILL, "more_body": False}]
        heard: list[Any] = []

        async def receive() -> Any:
            if parts:
                return parts.pop()
            await leaves.wait()
            return {"type": "http.disconnect"}

        async def hear(message: Any) -> None:
            heard.append(message)

        scope: Any = {
            "type": "http",
            "method": "POST",
            "path": "/v1/messages/ubl",
            "query_string": b"",
            "scheme": "http",
            "server": ("testserver", 80),
            "headers": [
                (name.lower().encode(), value.encode())
                for name, value in {**caller, "Idempotency-Key": "m", "Host": "testserver"}.items()
            ],
        }
        application = app_of(service.client)
        sending = asyncio.create_task(application(scope, receive, hear))
        while not stopped:
            await asyncio.sleep(0.01)
        scored = await asyncio.to_thread(service.score, shipment(), scoring)
        assert not sending.done()
        leaves.set()
        await asyncio.wait_for(sending, 60)
        return int(scored.status_code)

    with capture_logs() as lines:
        status = asyncio.run(play())

    assert status == 200
    assert [each["status"] for each in lines if each["event"] == "answered"] == [200, 499]
    assert (readers._busy, readers._reading, readers._free) == (set(), set(), 2)
    assert stopped[0].ended_with() == -signal.SIGKILL
    assert stored(service)[0] == 0
    monkeypatch.setattr(ReaderProcess, "start", start)
    assert send(service, caller).status_code == 200
