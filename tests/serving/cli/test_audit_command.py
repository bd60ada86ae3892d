"""`tidegate audit`, and what commands that read leave behind."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from serving.cli.main import app
from serving.storage.engine import open_database
from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.bodies import shipment
from tests.serving.conftest import Service


def run(*arguments: str, home: Path) -> Any:
    return CliRunner().invoke(app, [*arguments, "--home", str(home)])


def events(home: Path, *filters: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("audit", "--json", *filters, home=home).stdout)
    return found


READ_BY: dict[tuple[str, ...], tuple[str, str, str]] = {
    ("keys", "list"): ("list", "keys", ""),
    ("audit", "--refused-uses"): ("read", "refused_uses", ""),
    ("accounts", "list"): ("list", "accounts", ""),
    ("retention", "due", "--acts"): ("read", "retention_acts", ""),
    ("switch", "show"): ("read", "switches", ""),
    ("incident", "show"): ("list", "incidents", ""),
    ("webhooks", "list"): ("list", "webhooks", ""),
}


@pytest.mark.parametrize("command", READ_BY)
def test_a_command_that_reads_is_on_record_with_whoever_ran_it(
    tmp_path: Path, command: tuple[str, ...]
) -> None:
    run("keys", "create", "a", "--scope", "score", home=tmp_path)

    answer = run(*command, home=tmp_path)

    assert answer.exit_code == 0, answer.output
    by_us = [e for e in events(tmp_path, "--actor", this_user()) if e["object_kind"] != "table"]
    _, read, made = by_us[:3]
    assert made["action"] == "make_key"
    assert (read["action"], read["object_kind"], read["object_id"]) == READ_BY[command]


def this_user() -> str:
    from serving.access.actors import Actor

    identity = Actor.from_command_line().identity
    assert identity.startswith(f"cli:{os.getuid()}@")
    return identity


def test_events_are_found_by_actor_object_action_and_time(service: Service) -> None:
    caller = service.key("score")
    decision_id = service.score(shipment(), caller).json()["decision_id"]
    service.client.get(f"/v1/decisions/{decision_id}", headers=caller)
    home = service.home

    (read,) = events(home, "--object", f"decision:{decision_id}")
    assert (read["action"], read["actor_name"]) == ("read", "caller-1")
    assert events(home, "--actor", read["actor"]) == [read]
    assert events(home, "--actor", "caller-1", "--action", "read", "--object", "decision") == [read]
    assert events(home, "--actor", "caller-1", "--until", "2026-11-24") == []
    assert events(home, "--actor", "caller-1", "--from", "2026-11-24") == [read]
    assert decision_id in run("audit", home=home).output


def test_replaying_a_decision_is_on_record(service: Service) -> None:
    decision_id = service.score(shipment(), service.key("score")).json()["decision_id"]

    run("replay", decision_id, home=service.home)

    (event,) = events(service.home, "--action", "replay")
    assert (event["object_id"], event["actor"]) == (decision_id, this_user())
    engine = open_database(service.home / "tidegate.db", is_service=False)
    assert verify_audit_log(engine).is_whole
