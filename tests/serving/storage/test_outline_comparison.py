"""An outline that says otherwise than its decision is found, whatever chain was made after it."""

import hashlib
import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from serving.app import create_app
from serving.cli.main import app
from serving.settings import Settings
from serving.storage.keys.data_keys import DataKeys
from serving.storage.verification.log_verification import LogProof, verify_decision_log
from serving.storage.verification.outline_comparison import OutlineComparison
from tests.serving.bodies import route, shipment
from tests.serving.conftest import NOW, Service
from tests.serving.databases import unguarded

COLUMNS = {"lane", "probability", "caller_id", "subject_id", "office_id"}


@pytest.fixture
def log(service: Service) -> Path:
    """The file of a log with some decisions."""
    caller = service.key("score")
    for number in range(3):
        service.score(route(journey_id=f"J-{number}"), caller)
        service.score(shipment(shipment_id=f"S-{number}"), caller)
    return service.home / "tidegate.db"


def proof(service: Service) -> LogProof:
    engine = service.services.decisions._engine
    return verify_decision_log(engine, (), OutlineComparison(DataKeys(engine)))


def rewrite(file: Path, seq: int, **changed: Any) -> None:
    """Write an outline anew, its columns too, and the chain of all that follow."""
    with unguarded(file) as connection:
        rows = connection.execute("SELECT seq, record FROM decisions ORDER BY seq").fetchall()
        link = bytes(32)
        for place, written in rows:
            record = json.dumps(json.loads(written) | changed) if place == seq else written
            link = hashlib.sha256(link + record.encode()).digest()
            put = "UPDATE decisions SET record = ?, chain = ? WHERE seq = ?"
            connection.execute(put, (record, link, place))
        for name in changed.keys() & COLUMNS:
            put = f"UPDATE decisions SET {name} = ? WHERE seq = ?"
            connection.execute(put, (changed[name], seq))
        if "caller_id" in changed:
            is_it = "decision_id = (SELECT decision_id FROM decisions WHERE seq = ?)"
            put = f"UPDATE answers SET caller_id = ? WHERE {is_it}"
            connection.execute(put, (changed["caller_id"], seq))


@pytest.mark.parametrize(
    "changed",
    [
        {"probability": 0.987},
        {"lane": "inspect"},
        {"subject_id": "0" * 32},
        {"caller_id": "another"},
        {"office_id": "elsewhere"},
        {"lane_reason": "rule"},
        {"selection_probability": 0.5},
        {"model": {"name": "tidegate-shipment", "version": "9"}},
        {"purpose": "other"},
    ],
)
def test_a_rewritten_outline_is_found_though_its_chain_was_made_anew(
    service: Service, log: Path, changed: dict[str, Any]
) -> None:
    assert proof(service).is_whole

    rewrite(log, 4, **changed)

    assert verify_decision_log(service.services.decisions._engine).is_whole
    found = proof(service)
    assert found.first_bad == 4
    (name,) = changed
    assert name in str(found.why)


def test_an_answer_that_was_taken_away_is_found(service: Service, log: Path) -> None:
    with closing(sqlite3.connect(log)) as connection:
        decision_id = "(SELECT decision_id FROM decisions WHERE seq = 2)"
        connection.execute(f"DELETE FROM answers WHERE decision_id = {decision_id}")
        connection.commit()

    assert (proof(service).first_bad, "answer" in str(proof(service).why)) == (2, True)


def verified(home: Path) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(app, ["verify-log", "--json", "--home", str(home)])
    return result.exit_code, json.loads(result.stdout)


def test_a_case_that_the_queue_was_made_to_pass_by_is_found(home: Path) -> None:
    """Whoever moves the place up to which cases were opened hides those before it."""
    shares = {"inspect_share": 1.0, "document_check_share": 0.0, "post_review_share": 0.0}
    served = create_app(Settings(home=home, **shares), clock=lambda: NOW)
    with TestClient(served) as client:
        service = Service(client, served.state.services, home)
        caller = service.key("score")
        for number in range(2):
            service.score(shipment(shipment_id=f"S-{number}"), caller)
        assert proof(service).is_whole
        with closing(sqlite3.connect(home / "tidegate.db")) as connection:
            connection.execute("REPLACE INTO log_positions (name, seq) VALUES ('cases', 2)")
            connection.commit()

        found = proof(service)

    assert found.first_bad == 1
    assert found.why == "its case was never opened, and the queue says that it was"


def test_the_command_says_table_key_column_and_event(service: Service, log: Path) -> None:
    exit_code, said = verified(service.home)
    assert (exit_code, said["whole"], said["outlines_compared"]) == (0, True, True)
    assert said["audit"]["rows"] > 0

    with closing(sqlite3.connect(log)) as connection:
        connection.execute("UPDATE api_keys SET offices = '[\"X\"]'")
        connection.commit()
    exit_code, said = verified(service.home)

    assert (exit_code, said["whole"]) == (1, False)
    (finding,) = said["audit"]["findings"]
    assert (finding["table"], finding["column"]) == ("api_keys", "offices")
    assert finding["seq"] > 0
