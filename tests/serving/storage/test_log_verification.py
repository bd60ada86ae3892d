"""The log's proof: every way to tamper with it is found, and located."""

import hashlib
import json
import random
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from features.home_keys import LOG, private_key
from serving.cli.verify_log import verify_log
from serving.integrity.checkpoints import Checkpoint
from serving.integrity.witness_lines import framed, read_witness_lines
from serving.storage.engine import open_database
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.verification.log_verification import LogProof, ProvenHead, verify_decision_log
from tests.counts import count
from tests.serving.bodies import route, shipment
from tests.serving.conftest import Service
from tests.serving.databases import unguarded

RECORDS = 12


@pytest.fixture
def log(service: Service) -> Path:
    """The file of a log with some decisions."""
    caller = service.key("score")
    for number in range(RECORDS):
        is_route = number % 3 == 0
        body = route(journey_id=f"J-{number}") if is_route else shipment(shipment_id=f"S-{number}")
        assert service.score(body, caller).status_code == 200
    return service.home / "tidegate.db"


def proof(file: Path, *earlier: ProvenHead) -> LogProof:
    return verify_decision_log(open_database(file, is_service=False), earlier)


def change(file: Path, *statements: str) -> None:
    with unguarded(file) as connection:
        for statement in statements:
            connection.execute(statement)


def test_an_untouched_log_is_whole(log: Path) -> None:
    found = proof(log)

    assert found.is_whole
    assert found.mark.size == RECORDS


def test_an_empty_log_is_whole(tmp_path: Path) -> None:
    assert proof(tmp_path / "new.db").mark == ProvenHead(0, "00" * 32)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("decision_id", "'another'"),
        ("scored_at", "'2020-01-01T00:00:00+00:00'"),
        ("subject_kind", "'ship'"),
        ("subject_id", "'S-x'"),
        ("office_id", "'elsewhere'"),
        ("caller_id", "'nobody'"),
        ("lane", "'inspect'"),
        ("probability", "0.5"),
        ("chain", "zeroblob(32)"),
        ("record", "record || ' '"),
        ("encrypted", "zeroblob(length(encrypted))"),
        ("encrypted", "(SELECT encrypted FROM decisions WHERE seq = 4)"),
        ("encrypted", "NULL"),
        ("rescores", "'another'"),
        ("lane_before", "'release'"),
        ("seq", "70"),
    ],
)
def test_a_changed_column_is_found_where_it_is(log: Path, column: str, value: str) -> None:
    change(log, f"UPDATE decisions SET {column} = {value} WHERE seq = 5")

    found = proof(log)

    assert (found.is_whole, found.first_bad) == (False, 5)


@pytest.mark.faults
def test_every_changed_byte_of_a_record_is_found(log: Path) -> None:
    lots = random.Random(11)
    with unguarded(log) as connection:
        for _ in range(count(30, 1_000)):
            seq = lots.randrange(1, RECORDS + 1)
            (record,) = connection.execute(
                "SELECT record FROM decisions WHERE seq = ?", (seq,)
            ).fetchone()
            at = lots.randrange(len(record))
            changed = record[:at] + chr(ord(record[at]) ^ 1) + record[at + 1 :]
            put = "UPDATE decisions SET record = ? WHERE seq = ?"
            with connection:
                connection.execute(put, (changed, seq))
            assert proof(log).first_bad == seq
            with connection:
                connection.execute(put, (record, seq))
    assert proof(log).is_whole


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("body", "zeroblob(length(body))"),
        ("body", "substr(body, 2)"),
        ("caller_id", "'another'"),
        ("request_digest", "'sha256:' || hex(zeroblob(32))"),
        ("idempotency_key", "'another'"),
        ("answered_at", "'2026-11-01T00:00:00+00:00'"),
        ("decision_id", "(SELECT decision_id FROM decisions WHERE seq = 2)"),
    ],
)
def test_a_changed_answer_is_found_where_it_is(log: Path, column: str, value: str) -> None:
    of_five = "decision_id = (SELECT decision_id FROM decisions WHERE seq = 5)"
    change(log, f"UPDATE answers SET {column} = {value} WHERE {of_five}")

    found = proof(log)

    assert not found.is_whole
    assert found.first_bad in ({2, 3} if column == "decision_id" else {5})


def test_an_answer_may_be_forgotten(log: Path) -> None:
    change(log, "DELETE FROM answers WHERE idempotency_key = 'request-3'")

    assert proof(log).is_whole


@pytest.mark.parametrize("seq", [1, 5, RECORDS - 1])
def test_a_deleted_record_is_found(log: Path, seq: int) -> None:
    change(log, f"DELETE FROM decisions WHERE seq = {seq}")

    assert proof(log).first_bad == seq


def test_a_deleted_record_is_found_though_the_rest_moved_up(log: Path) -> None:
    change(
        log,
        "DELETE FROM decisions WHERE seq = 5",
        *(f"UPDATE decisions SET seq = {n - 1} WHERE seq = {n}" for n in range(6, RECORDS + 1)),
    )

    assert proof(log).first_bad == 5


def test_two_exchanged_records_are_found(log: Path) -> None:
    change(
        log,
        "UPDATE decisions SET seq = 99 WHERE seq = 4",
        "UPDATE decisions SET seq = 4 WHERE seq = 7",
        "UPDATE decisions SET seq = 7 WHERE seq = 99",
    )

    assert proof(log).first_bad == 4


def test_an_inserted_record_is_found(log: Path) -> None:
    change(
        log,
        *(f"UPDATE decisions SET seq = {n + 1} WHERE seq = {n}" for n in range(RECORDS, 5, -1)),
        "INSERT INTO decisions SELECT 6, 'forged', scored_at, subject_kind, subject_id, office_id,"
        " caller_id, lane, probability, record, chain, encrypted, rescores,"
        " lane_before, logged_at FROM decisions WHERE seq = 5",
    )

    assert proof(log).first_bad == 6


def test_a_cut_off_end_is_found_with_an_earlier_mark_only(log: Path) -> None:
    mark = proof(log).mark
    change(log, f"DELETE FROM decisions WHERE seq > {RECORDS - 2}")

    assert proof(log).is_whole
    assert proof(log, mark).first_bad == RECORDS - 1


def test_a_log_written_anew_is_found_with_an_earlier_mark(log: Path) -> None:
    mark = proof(log).mark
    records = list(DecisionRepository(open_database(log, is_service=False)).records())
    change(log, f"DELETE FROM decisions WHERE seq = {RECORDS}")
    other = ProvenHead(mark.size - 1, mark.head)

    assert len(records) == RECORDS
    assert proof(log, other).first_bad == RECORDS - 1


def test_a_mark_holds_while_the_log_grows(log: Path, service: Service) -> None:
    mark = proof(log).mark
    service.score(shipment(shipment_id="S-later"), service.key("score"))

    assert proof(log, mark).is_whole
    assert proof(log).mark.size == RECORDS + 1


def sealed(service: Service) -> list[Checkpoint]:
    """Checkpoints of the log as it is, the last one signed now; its witnesses have them all."""
    service.services.log_writer.checkpoints.write_if_due(is_last=True)
    assert service.services.witnesses.deliver_all() == []
    return CheckpointRepository(service.services.decisions._engine).after(-1, 1_000)


def command(service: Service, *arguments: Any) -> tuple[int, Any]:
    app = typer.Typer()
    app.command()(verify_log)
    result = CliRunner().invoke(app, ["--home", str(service.home), "--json", *arguments])
    return result.exit_code, json.loads(result.stdout) if result.stdout else None


def test_a_checkpoint_shows_that_the_end_was_cut_off(log: Path, service: Service) -> None:
    assert sealed(service)[-1].size == RECORDS
    change(log, f"DELETE FROM decisions WHERE seq > {RECORDS - 2}")

    code, found = command(service)

    assert (code, found["first_bad"]) == (1, RECORDS - 1)
    assert f"decisions: the log ends here; it had {RECORDS} records" in found["why"]


def test_an_old_copy_put_in_place_is_found_by_the_witness(log: Path, service: Service) -> None:
    sealed(service)
    old = log.with_name("old.db")
    with closing(sqlite3.connect(log)) as now, closing(sqlite3.connect(old)) as copy:
        now.backup(copy)
    service.score(shipment(shipment_id="S-later"), service.key("score"))
    sealed(service)
    service.services.log_writer.stop()
    service.services.decisions.close()
    for beside in ("-wal", "-shm"):
        log.with_name(f"{log.name}{beside}").unlink(missing_ok=True)
    old.replace(log)

    code, found = command(service)
    blind = command(service, "--witness", str(service.home / "none"))

    assert (code, found["first_bad"]) == (1, RECORDS + 1)
    assert blind[0] == 0


def test_a_log_written_anew_from_the_first_record_on_is_found(log: Path, service: Service) -> None:
    """Even where what is written agrees with the encrypted decisions."""
    sealed(service)
    head, forged = bytes(32), []
    with unguarded(log) as connection:
        for seq, record in connection.execute("SELECT seq, record FROM decisions ORDER BY seq"):
            altered = json.dumps(json.loads(record) | {"forged": True}) if seq == 8 else record
            head = hashlib.sha256(head + altered.encode()).digest()
            forged.append((altered, head, seq))
        connection.executemany("UPDATE decisions SET record=?, chain=? WHERE seq=?", forged)

    assert proof(log).is_whole  # without a checkpoint nobody could tell
    code, found = command(service)
    assert (code, found["whole"]) == (1, False)
    assert "the log was another" in found["why"]


@pytest.mark.parametrize(
    "changed",
    [
        ('"number":2', '"number":3'),
        ('"epoch":1', '"epoch":2'),
        (f'"decisions":[{RECORDS},"', f'"decisions":[{RECORDS - 1},"'),
        ('"audit_events":[', '"audit_event":['),
        ('"database_id":"', '"database_id":"0'),
        ('"signed_at":"2026', '"signed_at":"2025'),
        ('"signature":"', '"signature":"00'),
        ('"key_id":"', '"key_id":"0'),
        ('"begun":null', '"begun":false'),
        (",", ", "),
    ],
)
def test_a_changed_checkpoint_is_found(
    log: Path, service: Service, changed: tuple[str, str]
) -> None:
    kept = sealed(service)[-1].as_json()
    witness = service.home / "witness"
    assert changed[0] in kept
    witness.write_bytes(framed(kept.replace(*changed, 1)))

    code, found = command(service, "--witness", str(witness))

    assert (code, found["first_bad"]) == (1, None)
    says = "line 1 was not signed by this log's key, or was changed"
    assert found["why"] == f"the witness {witness}: {says}"


def test_processes_that_begin_together_share_one_key(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda n: private_key(tmp_path / str(n // 8), LOG), range(64)))

    assert len({key.private_bytes_raw() for key in made}) == 8
    assert (tmp_path / "0" / "log.key").stat().st_mode & 0o077 == 0


def test_checkpoints_are_handed_to_a_witness(log: Path, service: Service) -> None:
    kept, out = sealed(service), service.home / "out.ndjson"
    app = typer.Typer()
    app.command()(verify_log)

    result = CliRunner().invoke(app, ["--home", str(service.home), "--checkpoints", str(out)])

    assert result.exit_code == 0
    handed = read_witness_lines(out.read_bytes())
    assert [*map(Checkpoint.from_json, handed.lines)] == kept
    assert out.read_bytes() == (service.home / "checkpoints.ndjson").read_bytes()


def test_the_command_says_what_is_wrong_and_fails(log: Path, service: Service) -> None:
    whole_code, whole = command(service)
    change(log, "UPDATE decisions SET lane = 'inspect' WHERE seq = 3")
    mark = ("--size", str(whole["size"]), "--head", whole["head"])
    broken_code, broken = command(service, *mark)

    assert (whole_code, whole["whole"], whole["size"]) == (0, True, RECORDS)
    assert (broken_code, broken["whole"], broken["first_bad"]) == (1, False, 3)
    assert command(service, "--size", "3")[0] == 2
