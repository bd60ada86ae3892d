"""The page of the audit log: auditors find who read what, by every filter."""

from serving.access.actors import Actor
from serving.audit.audit_log import AuditEvent
from serving.db.repositories.audit_repository import AuditRepository
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.review.test_supervision_served import sign_in_as


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
    AuditRepository(service.services.decisions._engine).append(*[event] * 150)
    sign_in_as(service, "auditor")

    first = service.client.get(
        "/console/audit?action=read&object_kind=decision&begins=2026-11-24T00:00"
    )
    address = first.text.partition('<a href="/console/audit?')[2].partition('"')[0]
    second = service.client.get("/console/audit?" + address.replace("&amp;", "&"))

    assert (
        first.text.count("<small>key:a</small>"),
        second.text.count("<small>key:a</small>"),
    ) == (100, 50)
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
