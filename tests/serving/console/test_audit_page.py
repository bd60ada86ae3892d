"""The page of the audit log: auditors find who read what, by every filter."""

import csv
import io
import json

import pytest

from serving.access.actors import Actor
from serving.console import audit_events
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.audit_repository import AuditRepository
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["reviewed"]


def test_an_auditor_finds_who_read_a_decision(service: Service) -> None:
    caller = service.key("score")
    decision_id = service.score(shipment(), caller).json()["decision_id"]
    service.client.get(f"/v1/decisions/{decision_id}", headers=caller)
    sign_in_as(service, "auditor")

    found = service.client.get(f"/console/audit?object_kind=decision&object_id={decision_id}")
    nothing = service.client.get("/console/audit?actor=nobody")
    again = service.client.get("/console/audit?action=read&object_kind=audit_log")

    assert decision_id in found.text
    assert "caller-1" in found.text
    assert "Nothing of that kind is on record." in nothing.text
    assert "account:the auditor" in again.text
    assert "sha256" not in found.text


def test_older_events_are_a_page_further(service: Service) -> None:
    event = AuditEvent(NOW, Actor("key:a", "<b>a</b>"), "read", "decision", "d")
    AuditRepository(service.services.decisions._engine).append(*[event] * 80)
    sign_in_as(service, "auditor")

    first = service.client.get(
        "/console/audit?action=read&object_kind=decision&begins=2026-11-24T00:00"
    )
    address = first.text.partition('<a href="/console/audit?')[2].partition('"')[0]
    second = service.client.get("/console/audit?" + address.replace("&amp;", "&"))

    assert (
        first.text.count(">key:a</small>"),
        second.text.count(">key:a</small>"),
    ) == (50, 30)
    assert "<b>a</b>" not in first.text


def test_a_filter_that_can_be_none_is_refused_on_the_page(service: Service) -> None:
    sign_in_as(service, "auditor")

    for query in (
        "before=0",
        "before=99999999999999999999",
        "begins=x",
        f"actor={'a' * 300}",
    ):
        assert service.client.get(f"/console/audit?{query}").status_code == 422, query
    # What no database may store is turned away before any page asks what it is.
    assert service.client.get("/console/audit?actor=%00").status_code == 400


def test_a_file_has_every_event_that_was_asked_for_and_that_it_left_is_an_event(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_events, "CHUNK_SIZE", 7)
    read = [
        AuditEvent(NOW, Actor("key:a", "=1+1"), "read", "decision", f"d-{n}") for n in range(30)
    ]
    other = AuditEvent(NOW, Actor("key:b", "b"), "read", "decision", "other")
    AuditRepository(service.services.decisions._engine).append(*read, other)
    sign_in_as(service, "auditor")

    lines = service.client.get("/console/audit/events.ndjson?actor=key:a")
    table = service.client.get("/console/audit/events.csv?actor=key:a")

    expected = [f"d-{n}" for n in reversed(range(30))]
    assert [json.loads(line)["object_id"] for line in lines.text.splitlines()] == expected
    rows = [*csv.DictReader(io.StringIO(table.text))]
    assert [row["object_id"] for row in rows] == expected
    assert {row["actor_name"] for row in rows} == {"'=1+1"}
    for answer in (lines, table):
        assert "attachment" in answer.headers["content-disposition"]
    told = service.client.get("/console/audit/events.ndjson?action=export").text
    exports = [json.loads(line) for line in told.splitlines()]
    assert [each["actor"] for each in exports] == ["account:the auditor"] * 3
    assert [each["details"]["filters"] for each in exports] == [["action"], ["actor"], ["actor"]]


def test_nobody_but_auditors_takes_events_away(service: Service) -> None:
    for role in ("supervisor", "admin", "reviewer"):
        sign_in_as(service, role)  # type: ignore[arg-type]  # a role
        for ending in ("csv", "ndjson"):
            assert service.client.get(f"/console/audit/events.{ending}").status_code == 403


def test_the_page_says_how_far_the_log_is_sealed_and_witnessed(service: Service) -> None:
    sign_in_as(service, "auditor")
    service.services.log_writer.checkpoints.write_if_due(is_last=True)

    page = service.client.get("/console/audit").text

    assert "doubtful" not in page
    for words in ("holds, key", "is what it says", "Newest checkpoint"):
        assert words in page


def test_an_auditor_finds_who_read_a_case_by_any_id_that_search_accepts(reviewed: Service) -> None:
    boxed = {"container_number": "MSCU6639870"}
    case_id, other = open_case(reviewed, "S-00039942", **boxed), open_case(reviewed, "S-000399421")
    sign_in_as(reviewed, "reviewer")
    for each in (case_id, other):
        assert reviewed.client.get(f"/console/cases/{each}").status_code == 200
    sign_in_as(reviewed, "auditor")

    def readers(name: str) -> list[tuple[str, str]]:
        asked = {"object_id": name, "action": "read", "object_kind": "case"}
        lines = reviewed.client.get("/console/audit/events.ndjson", params=asked).text.splitlines()
        return [(one["actor_name"], one["object_id"]) for one in map(json.loads, lines)]

    own = ("the reviewer", case_id)
    for name in ("S-00039942", "s00039942", case_id, "MSCU6639870", "mscu 663987 0"):
        assert readers(name) == [own], name
    assert {*readers("c-0007")} == {own, ("the reviewer", other)}
    assert readers("S-0003994") == readers("nobody's") == []
    page = reviewed.client.get("/console/audit", params={"object_id": "S-00039942"}).text
    assert "What is recorded of this case:" in page
    assert "the reviewer" in page


def test_an_auditor_finds_who_read_a_decision_without_a_case_by_its_subject(
    reviewed: Service,
) -> None:
    caller = reviewed.key("score", "explain")
    answer = reviewed.score(shipment(shipment_id="S-released"), caller).json()
    reviewed.client.get(f"/v1/decisions/{answer['decision_id']}", headers=caller)
    sign_in_as(reviewed, "auditor")

    asked = {"object_id": "S-released", "object_kind": "decision"}
    lines = reviewed.client.get("/console/audit/events.ndjson", params=asked).text.splitlines()

    assert {json.loads(line)["object_id"] for line in lines} == {answer["decision_id"]}
