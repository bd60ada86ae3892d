"""What came for one purpose is used for no other; who tries is refused, and it is written down."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from typer.testing import CliRunner

from features.errors import TidegateError
from serving.access.api_keys import new_key
from serving.access.callers import Caller
from serving.access.roles import Scope
from serving.app import create_app
from serving.audit.decision import Decision
from serving.audit.purpose import PurposeGuard, RefusedUse
from serving.cli.main import app as tidegate
from serving.errors import Forbidden
from serving.settings import Settings
from serving.storage.repositories.purpose_repository import PurposeRepository
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.databases import database

OWN, OTHER = "risk_assessment", "tax_collection"


def key(service: Service, *scopes: Scope, purposes: tuple[str, ...]) -> dict[str, str]:
    service.posted += 1
    name = f"caller-{service.posted}"
    kept, shown = new_key(name, scopes, (), NOW, purposes=purposes)
    service.services.api_keys.add_key(kept)
    return {"Authorization": f"Bearer {shown}", "X-Id": kept.key_id}


DOCUMENT = {
    "document_id": "D-7",
    "subject_kind": "shipment",
    "subject_id": "S-1",
    "kind": "permit",
    "received_at": "2026-11-24T11:00:00Z",
}


def called(service: Service, caller: dict[str, str]) -> dict[str, Any]:
    """What the calls that bring or read data answer."""
    decision_id = service.score(shipment(), service.key("score")).json()["decision_id"]
    client, read = service.client, f"/v1/decisions/{decision_id}"
    return {
        "POST /v1/records": client.post(
            "/v1/records", json={"documents": [DOCUMENT]}, headers=caller
        ),
        "POST /v1/scores": service.score(shipment(shipment_id="S-other"), caller),
        "GET /v1/decisions/{decision_id}": client.get(read, headers=caller),
        "GET /v1/decisions/{decision_id}/explanation": client.get(
            f"{read}/explanation", headers=caller
        ),
        "GET /v1/queue": client.get("/v1/queue", headers=caller),
    }


ALL: tuple[Scope, ...] = ("score", "explain", "ingest", "review")


def test_a_key_for_another_purpose_brings_and_reads_nothing_and_that_is_written_down(
    service: Service,
) -> None:
    caller = key(service, *ALL, purposes=(OTHER,))

    answers = called(service, caller)

    assert {answer.status_code for answer in answers.values()} == {403}
    assert all(OWN in answer.json()["detail"] for answer in answers.values())
    refused = service.services.purpose.refused_uses.refused()
    assert [(each.caller_id, each.purpose, each.use) for each in refused] == [
        (caller["X-Id"], OTHER, use) for use in answers
    ]
    assert service.services.decisions.size() == 1  # of another key
    assert list(service.services.records.all()) == []


def test_a_key_for_two_purposes_acts_for_one_at_a_time(service: Service) -> None:
    caller = key(service, *ALL, purposes=(OTHER, OWN))

    unnamed = called(service, caller)
    for_own = called(service, caller | {"Tidegate-Purpose": OWN})
    for_other = called(service, caller | {"Tidegate-Purpose": OTHER})

    assert {answer.status_code for answer in unnamed.values()} == {200}
    assert {answer.status_code for answer in for_own.values()} == {200}
    assert {answer.status_code for answer in for_other.values()} == {403}


def test_a_key_that_names_no_purpose_is_for_that_of_the_installation(service: Service) -> None:
    caller = service.key(*ALL)

    assert {answer.status_code for answer in called(service, caller).values()} == {200}
    for_other = called(service, caller | {"Tidegate-Purpose": OTHER})
    assert {answer.status_code for answer in for_other.values()} == {403}


def test_records_and_decisions_carry_their_purpose_and_their_source(service: Service) -> None:
    caller = key(service, *ALL, purposes=(OWN,))
    service.client.post("/v1/records", json={"documents": [DOCUMENT]}, headers=caller)
    decision_id = service.score(shipment(), caller).json()["decision_id"]

    (record,) = service.services.records.all()
    decision = Decision.model_validate_json(service.services.decisions.record(decision_id) or "")
    with service.services.decisions._engine.connect() as connection:
        outline = json.loads(connection.scalar(text("SELECT record FROM decisions")) or "")

    assert (record.purpose, record.caller_id) == (OWN, caller["X-Id"])
    assert (decision.purpose, decision.caller_id) == (OWN, caller["X-Id"])
    assert (outline["purpose"], outline["caller_id"]) == (OWN, caller["X-Id"])


def test_a_database_stays_with_the_purpose_it_was_first_served_for(home: Path) -> None:
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)):
        pass

    with pytest.raises(TidegateError, match=f"came for {OWN}, and is not used for {OTHER}"):
        create_app(Settings(home=home, purpose=OTHER), clock=lambda: NOW)


def test_a_refusal_is_written_down_once_an_hour_and_never_changed(where: Path | str) -> None:
    register, now = PurposeRepository(database(where)), [NOW]
    uses = PurposeGuard(OWN, register, lambda: now[0])
    other = Caller("k", "k", frozenset(), frozenset(), frozenset({OTHER}))

    for minutes in (0, 1, 59, 61):
        now[0] = NOW + timedelta(minutes=minutes)
        with pytest.raises(Forbidden, match="written down"):
            uses.require(other, None, "GET /v1/queue")

    later = NOW + timedelta(minutes=61)
    assert register.refused() == [
        RefusedUse(at, "k", OTHER, "GET /v1/queue") for at in (NOW, later)
    ]
    with pytest.raises(DatabaseError), database(where).begin() as connection:
        connection.execute(text("DELETE FROM refused_uses"))


def test_the_commands_make_bound_keys_and_tell_refusals(home: Path) -> None:
    def told(*arguments: str) -> Any:
        result = CliRunner().invoke(tidegate, [*arguments, "--home", str(home), "--json"])
        return json.loads(result.stdout) if result.exit_code == 0 else result.exit_code

    told("keys", "create", "own", "--scope", "score")
    told("keys", "create", "other", "--scope", "score", "--purpose", OTHER)
    register = PurposeRepository(database(home / "tidegate.db"))
    register.append(RefusedUse(NOW, "k", OTHER, "GET /v1/queue"))

    assert {each["name"]: each["purposes"] for each in told("keys", "list")} == {
        "own": [OWN],
        "other": [OTHER],
    }
    assert told("keys", "create", "bad", "--scope", "score", "--purpose", "Any thing") == 2
    (refused,) = told("audit", "--refused-uses")
    assert (refused["caller_id"], refused["purpose"]) == ("k", OTHER)
