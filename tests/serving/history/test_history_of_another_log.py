"""An online feature store that followed another log than there is learns nothing in silence."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner

from features.errors import TidegateError
from serving.access.api_keys import new_key
from serving.app import create_app
from serving.cli.main import app as commands
from serving.settings import Settings
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, services_of


def served(home: Path, *subjects: str) -> None:
    """Serve a home without witnesses that could tell of another log, and decide."""
    (home / "checkpoints.ndjson").unlink(missing_ok=True)
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        for number, subject in enumerate(subjects):
            kept, shown = new_key(f"key-of-{subject}", ("score",), (), NOW)
            services_of(client).api_keys.add_key(kept)
            headers = {"Authorization": f"Bearer {shown}", "Idempotency-Key": f"{subject}{number}"}
            body = shipment(shipment_id=subject)
            assert client.post("/v1/scores", json=body, headers=headers).status_code == 200


def put_back(home: Path, copy: Path) -> None:
    """Put an older copy of the database in place."""
    (home / "checkpoints.ndjson").unlink(missing_ok=True)
    file = home / "tidegate.db"
    for beside in ("-wal", "-shm"):
        file.with_name(f"{file.name}{beside}").unlink(missing_ok=True)
    file.write_bytes(copy.read_bytes())


def copied(home: Path) -> Path:
    """A whole copy of the database."""
    copy = home / "copy.db"
    with (
        closing(sqlite3.connect(home / "tidegate.db")) as now,
        closing(sqlite3.connect(copy)) as out,
    ):
        now.backup(out)
    return copy


def test_a_store_ahead_of_its_log_is_refused_with_the_way_on(home: Path) -> None:
    served(home, "S-1")
    copy = copied(home)
    served(home, "S-2", "S-3")
    put_back(home, copy)

    with pytest.raises(TidegateError, match=r"followed 3 decisions, .* fewer") as refused:
        create_app(Settings(home=home), clock=lambda: NOW)
    assert refused.tb is not None, "what failed is still alive, and holds nothing"

    assert CliRunner().invoke(commands, ["state", "rebuild", "--home", str(home)]).exit_code == 0
    served(home, "S-4")


def test_a_store_that_followed_other_decisions_of_the_same_number_is_refused(home: Path) -> None:
    served(home, "S-1")
    copy = copied(home)
    served(home, "S-2")
    state = home / "state"
    state.rename(home / "kept")
    put_back(home, copy)
    served(home, "S-5", "S-6")
    state.rename(home / "other")
    (home / "kept").rename(state)

    with pytest.raises(TidegateError, match="followed another decision 2 than the log has"):
        create_app(Settings(home=home), clock=lambda: NOW)
