"""Who read what through any door is on record before the answer leaves, with who was refused."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from starlette.routing import Route
from structlog.testing import capture_logs

from serving.access.actors import Actor
from serving.access.api_keys import new_key
from serving.audit.audit_writer import AuditWriter
from serving.errors import LogUnavailable
from serving.integrity.audit_log import AuditEvent
from serving.storage.tables.audit import audit_events
from serving.web.audited_reads import NOT_READINGS, READINGS, WITH_CASE_EVENTS
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service, routes_of
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import sign_in_as

__all__ = ["reviewed"]


def events_of(service: Service, *actions: str) -> list[Any]:
    """The audit events of these actions, oldest first."""
    query = select(audit_events).where(audit_events.c.action.in_(actions))
    with service.services.decisions._engine.connect() as connection:
        return [*connection.execute(query.order_by(audit_events.c.seq))]


def who_did_what(event: Any) -> tuple[str, str, str, str]:
    return event.actor.partition(":")[0], event.action, event.object_kind, event.object_id


def calls_of(route: Any) -> Iterator[str]:
    """Every call that a route answers, or those of a router that was included."""
    if isinstance(route, Route):
        yield from (f"{method} {route.path}" for method in route.methods or ())
    elif hasattr(route, "original_router"):
        for inner in route.original_router.routes:
            yield from calls_of(inner)


def test_every_route_that_is_read_is_a_reading_or_says_why_it_is_none(service: Service) -> None:
    calls = {call for route in routes_of(service.client) for call in calls_of(route)}
    stated = READINGS.keys() | WITH_CASE_EVENTS | NOT_READINGS.keys()

    assert {call for call in calls if call.startswith("GET ")} - stated == set()
    assert stated - calls == set()
    assert len(stated) == len(READINGS) + len(WITH_CASE_EVENTS) + len(NOT_READINGS)


def test_a_decision_that_a_key_reads_is_on_record_with_the_key(service: Service) -> None:
    caller = service.key("score", "explain")
    decision_id = service.score(shipment(), caller).json()["decision_id"]

    service.client.get(f"/v1/decisions/{decision_id}", headers=caller)
    service.client.get(f"/v1/decisions/{decision_id}/explanation", headers=caller)
    service.client.get("/v1/decisions/of-nobody", headers=caller)

    read, explained = events_of(service, "read", "read_explanation")
    assert who_did_what(read) == ("key", "read", "decision", decision_id)
    assert who_did_what(explained) == ("key", "read_explanation", "decision", decision_id)
    assert (read.actor_name, read.at) == ("caller-1", NOW)


CONSOLE = {
    "/console/queue": ("queue", "auditor"),
    "/console/decisions": ("decisions", "auditor"),
    "/console/decisions/{case}": ("decision", "auditor"),
    "/console/monitor": ("monitoring", "data_scientist"),
    "/console/supervision": ("supervision", "supervisor"),
    "/console/switches": ("switches", "supervisor"),
    "/console/accounts": ("accounts", "admin"),
}


@pytest.mark.parametrize("path", CONSOLE)
def test_a_page_that_a_person_reads_is_on_record_with_their_account(
    reviewed: Service, path: str
) -> None:
    object_kind, role = CONSOLE[path]
    case_id = open_case(reviewed)
    sign_in_as(reviewed, role)  # type: ignore[arg-type]  # the roles above

    answer = reviewed.client.get(path.replace("{case}", case_id))

    assert answer.status_code == 200
    event = events_of(reviewed, "read")[-1]
    assert (event.actor, event.object_kind) == (f"account:the {role}", object_kind)
    assert event.object_id in ("", case_id)


def test_of_a_list_every_case_and_decision_that_was_shown_is_on_record(reviewed: Service) -> None:
    case_ids = {open_case(reviewed, f"S-{number}") for number in range(3)}
    sign_in_as(reviewed, "auditor")

    reviewed.client.get("/console/queue")
    reviewed.client.get("/console/decisions")

    queue, decisions = events_of(reviewed, "read")[-2:]
    assert set(queue.details["cases"]) == case_ids
    assert set(decisions.details["decisions"]) == case_ids


def test_a_case_that_is_read_and_ended_is_on_record_with_identities(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    sign_in_as(reviewed, "reviewer")

    reviewed.client.get(f"/console/cases/{case_id}")

    read = events_of(reviewed, "read")[-1]
    assert (read.actor, read.object_kind, read.object_id) == (
        "account:the reviewer",
        "case",
        case_id,
    )


def test_a_reading_that_cannot_be_written_down_is_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    caller = service.key("score")
    decision_id = service.score(shipment(), caller).json()["decision_id"]

    def unwritable(*_: AuditEvent) -> None:
        raise LogUnavailable("the disk is full")

    monkeypatch.setattr(service.services.audit_log._events, "append", unwritable)
    answer = service.client.get(f"/v1/decisions/{decision_id}", headers=caller)

    assert answer.status_code == 503
    assert "probability" not in answer.text
    assert service.client.get("/v1/models", headers=caller).status_code == 200


def test_known_callers_who_are_refused_are_on_record_and_strangers_are_not(
    service: Service,
) -> None:
    service.client.get("/v1/queue", headers={"Authorization": f"Bearer tg_{'a' * 12}.{'b' * 43}"})
    service.client.get("/v1/queue")
    assert events_of(service, "refuse") == []

    service.client.get("/v1/queue", headers=service.key("score"))
    over = service.key("score")
    service.services.api_keys.revoke(f"caller-{service.posted}", NOW)
    service.client.get("/v1/queue", headers=over)
    sign_in_as(service, "reviewer")
    service.client.get("/console/accounts")

    refused = events_of(service, "refuse")
    assert [(event.details["status"], event.object_id) for event in refused] == [
        (403, "GET /v1/queue"),
        (401, "GET /v1/queue"),
        (403, "GET /console/accounts"),
    ]
    assert refused[0].actor.startswith("key:")
    assert refused[1].actor.startswith("key:")
    assert refused[2].actor == "account:the reviewer"


def test_the_line_of_an_answer_names_its_caller(service: Service) -> None:
    caller = service.key("score")
    with capture_logs() as lines:
        service.client.get("/v1/models", headers=caller)
        service.client.get("/health/live")

    known, unknown = (line["caller"] for line in lines if line["event"] == "answered")
    assert known.startswith("key:")
    assert unknown is None


def test_keys_switches_and_records_are_on_record_with_who_made_them(service: Service) -> None:
    sign_in_as(service, "admin")
    kept, _ = new_key("a", ("score",), (), NOW, NOW + timedelta(days=1))
    service.services.api_keys.add_key(kept)
    service.services.api_keys.revoke("a", NOW)

    made, ended = events_of(service, "make_key", "revoke_key")[-2:]
    assert {made.object_id, ended.object_id} == {kept.key_id}
    assert made.details["scopes"] == ["score"]
    assert "api_keys" in made.details["written"]


class CountedLog:
    """A log that takes its time, and counts its commits."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.begun, self.may_go_on = threading.Event(), threading.Event()

    def append(self, *events: AuditEvent) -> None:
        self.begun.set()
        assert self.may_go_on.wait(10)
        if any(event.action == "impossible" for event in events):
            raise ValueError("no such event")
        self.groups.append(len(events))


def event_of(action: str = "read") -> AuditEvent:
    return AuditEvent(NOW, Actor("key:a", "a"), action, "decision", "d")


def test_those_who_wait_share_a_commit_and_one_at_fault_keeps_nobody_back() -> None:
    log = CountedLog()
    writer = AuditWriter(log, 100)
    writer.start()
    first = writer.submit(event_of())
    assert log.begun.wait(10)
    waiting = [writer.submit(event_of()) for _ in range(20)]
    log.may_go_on.set()
    for future in [first, *waiting]:
        future.result(10)
    assert log.groups == [1, 20]

    log.may_go_on.clear()
    log.begun.clear()
    first = writer.submit(event_of())
    assert log.begun.wait(10)
    good, bad = writer.submit(event_of()), writer.submit(event_of("impossible"))
    log.may_go_on.set()
    assert good.result(10) is None
    with pytest.raises(LogUnavailable):
        bad.result(10)
    writer.stop()
    with pytest.raises(LogUnavailable):
        writer.submit(event_of())


def test_many_who_read_at_once_are_all_on_record(service: Service) -> None:
    caller = service.key("score")
    decision_id = service.score(shipment(), caller).json()["decision_id"]

    def read(_: int) -> int:
        return service.client.get(f"/v1/decisions/{decision_id}", headers=caller).status_code

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(read, range(40))) == {200}

    assert len(events_of(service, "read")) == 40
