"""The deployer's scanner: what it does not let pass is not kept."""

import hashlib
import shlex
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from serving.app import create_app
from serving.review.acts.attachment_scan import require_clean
from serving.review.errors import FileNotClean
from serving.settings import Settings
from serving.storage.engine import open_database
from serving.storage.tables.audit import audit_events
from tests.serving.conftest import NOW, Service
from tests.serving.review.acts.test_attachments_served import PDF, attach
from tests.serving.review.cases.test_cases_served import PLAN, open_case
from tests.serving.review.supervision.test_supervision_served import sign_in_as


def python(script: str) -> str:
    """The command line of a scanner that is a script."""
    return shlex.join([sys.executable, "-c", script])


SAYS_VIRUS = python("import sys; sys.exit(b'EICAR' in sys.stdin.buffer.read())")


def test_a_file_is_on_the_scanners_input_whole() -> None:
    content = bytes(range(256)) * 40_000
    digest = hashlib.sha256(content).hexdigest()
    script = (
        "import hashlib, sys;"
        f"sys.exit(hashlib.sha256(sys.stdin.buffer.read()).hexdigest() != {digest!r})"
    )

    require_clean(content, python(script), 30)


@pytest.mark.parametrize(
    ("command", "cause"),
    [
        (SAYS_VIRUS, "exit 1"),
        (python("raise SystemExit(2)"), "exit 2"),
        (python("import os, signal; os.kill(os.getpid(), signal.SIGKILL)"), "exit -9"),
        ("/nowhere/clamdscan -", "FileNotFoundError"),
        ("", "IndexError"),
        ("'unclosed", "ValueError"),
    ],
)
def test_whatever_ends_otherwise_than_with_0_lets_nothing_pass(command: str, cause: str) -> None:
    with pytest.raises(FileNotClean) as refusal:
        require_clean(b"EICAR", command, 30)
    assert refusal.value.cause == cause


def test_no_shell_reads_the_command(tmp_path: Path) -> None:
    with pytest.raises(FileNotClean):
        require_clean(b"x", f"false; touch {tmp_path}/made", 30)
    assert not (tmp_path / "made").exists()


def test_a_scanner_that_looks_at_nothing_may_let_pass() -> None:
    require_clean(b"x" * 10_000_000, "true", 30)


def test_a_scanner_that_takes_too_long_is_ended_with_all_that_it_began(tmp_path: Path) -> None:
    began = time.monotonic()
    script = f"(sleep 3; touch {tmp_path}/late) & sleep 60"
    with pytest.raises(FileNotClean) as refusal:
        require_clean(b"x", shlex.join(["sh", "-c", script]), 0.5)

    assert refusal.value.cause == "timeout"
    assert time.monotonic() - began < 20
    time.sleep(3.5)
    assert not (tmp_path / "late").exists()


def test_a_scanner_learns_none_of_our_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_DATABASE_URL", "postgresql://a:secret@host/b")

    require_clean(
        b"", python("import os, sys; sys.exit(any('TIDEGATE' in name for name in os.environ))"), 30
    )


@pytest.fixture
def scanned(home: Path) -> Iterator[Service]:
    (home / "lanes.toml").write_text(PLAN)
    settings = Settings(home=home, attachment_scanner=SAYS_VIRUS)
    app = create_app(settings, clock=lambda: NOW)
    with TestClient(app, raise_server_exceptions=False) as client:
        yield Service(client, app.state.services, home)


def audited(service: Service) -> Iterator[tuple[str, str, str, str]]:
    """Who was refused what, and why, as the audit log tells it."""
    engine = open_database(service.services.settings.database, is_service=False)
    with engine.connect() as connection:
        for row in connection.execute(select(audit_events).order_by("seq")):
            if row.action == "refuse" and row.object_kind == "attachment":
                cause = row.details["cause"]
                yield row.actor, row.action, row.object_kind, cause


def test_what_the_scanner_refuses_is_said_in_words_and_not_kept(scanned: Service) -> None:
    case_id = open_case(scanned)
    token = sign_in_as(scanned, "reviewer")

    refused = attach(scanned, case_id, token, PDF + b"EICAR")
    kept = attach(scanned, case_id, token, PDF)

    assert refused.status_code == 422
    assert "did not let this file pass" in refused.text
    assert kept.status_code == 200
    assert list(audited(scanned)) == [("account:the reviewer", "refuse", "attachment", "exit 1")]
    assert [each.size_bytes for each in scanned.services.cases.files.of_case(case_id)] == [len(PDF)]
