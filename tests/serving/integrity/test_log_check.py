"""A log is held to the newest checkpoint that anybody has; a lawful restore begins an epoch."""

import hashlib
import json
import shutil
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from typer.testing import CliRunner

from features.errors import TidegateError
from features.home_keys import LOG, private_key
from serving.access.actors import SERVICE, Actor
from serving.app import create_app
from serving.cli.main import app as commands
from serving.doctor.all_checks import run_checks
from serving.integrity.audit_log import AuditEvent
from serving.integrity.checkpoints import Checkpoint, public_keys_of
from serving.integrity.hash_chain import LogHead
from serving.integrity.log_check import EpochRequest, LogCheck, begin_epoch, check_log
from serving.integrity.witness_lines import framed, read_witness_lines
from serving.integrity.witnesses import FileWitness
from serving.outbox.witness_channel import WitnessChannel
from serving.settings import Settings
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.decision_repository import DecisionRepository
from serving.storage.repositories.receiver_repository import ReceiverRepository
from serving.storage.verification.log_verification import verify_decision_log
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.databases import database, keys_of
from tests.serving.postgres import Server
from tests.serving.storage.test_decision_log import entry

EVENT = AuditEvent(NOW, SERVICE, "read", "case", "C-1")
RESTORED = EpochRequest(Actor("cli:1@host", "alpha"), "the disk failed", NOW)
APPENDED = ("decisions", "audit_events", "chain_checkpoints")


class Log:
    """A database, a witness outside of it, and the keys that an attacker may have too."""

    def __init__(self, where: Path | str, folder: Path):
        self.engine: Engine = database(where)
        self.keys = keys_of(where)
        self.signer = private_key(self.keys, LOG)
        self.store = CheckpointRepository(self.engine)
        self.witness = FileWitness(folder / "outside")
        self._decided = 0
        self.begun_with = 0
        """The audit events of making the database, its keys and that of the first decision."""

    def decide(self, many: int) -> None:
        for _ in range(many):
            self._decided += 1
            row, answer = entry(self._decided)
            DecisionRepository(self.engine).append([(row, answer)])
            if not self.begun_with:
                self.begun_with = AuditRepository(self.engine).head().size

    def seal(self) -> None:
        self.store.seal(self.signer, NOW)
        progress = ReceiverRepository(self.engine)
        channel = WitnessChannel([self.witness], self.store, progress, lambda: NOW)
        assert not channel.deliver_all()

    def sealed(self, *sizes: int) -> "Log":
        for size in sizes:
            self.decide(size)
            AuditRepository(self.engine).append(EVENT)
            self.seal()
        return self

    def check(self, *, by_newest: bool = False) -> LogCheck:
        keys = public_keys_of(self.keys)
        return check_log(self.store, [self.witness], keys, by_newest=by_newest)

    def why(self) -> str:
        """What is wrong, as a start and as `verify-log` find it: both or neither find something."""
        found, at_start = self.check().why, self.check(by_newest=True).why
        assert (found is None) == (at_start is None), (found, at_start)
        return found or ""

    def change(self, *statements: str) -> None:
        """Change what is never changed: whoever owns the database can."""
        with self.engine.begin() as connection:
            for table in APPENDED:
                if self.engine.dialect.name == "postgresql":
                    connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER ALL"))
                    connection.execute(text("SET session_replication_role = replica"))
                else:
                    for change in ("update", "delete"):
                        connection.execute(text(f"DROP TRIGGER IF EXISTS {table}_refuse_{change}"))
            if self.engine.dialect.name == "sqlite":
                connection.execute(text("DELETE FROM answers"))
            for statement in statements:
                connection.execute(text(statement))

    def roll_back(self, decisions: int, events: int, checkpoints: int) -> None:
        """Put an older copy in place, as far as this database can tell."""
        self.change(
            "DELETE FROM answers",
            f"DELETE FROM decisions WHERE seq > {decisions}",
            f"DELETE FROM audit_events WHERE seq > {self.begun_with + events}",
            f"DELETE FROM chain_checkpoints WHERE number > {checkpoints}",
            f"UPDATE receivers SET reached = '{checkpoints}' WHERE channel = 'witness'",
        )


@pytest.fixture
def log(where: Path | str, tmp_path: Path) -> Log:
    return Log(where, tmp_path)


def test_a_log_that_grew_is_what_its_checkpoints_say(log: Log) -> None:
    log.sealed(3, 2)
    log.decide(1)

    assert log.why() == ""
    assert log.check().verdict.checked == 2


def test_a_checkpoint_is_written_where_audit_events_alone_grew(log: Log) -> None:
    log.sealed(2)
    before = log.store.after(0, 10)
    assert log.store.seal(log.signer, NOW) is None
    AuditRepository(log.engine).append(EVENT)

    sealed = log.store.seal(log.signer, NOW)

    assert sealed is not None
    assert sealed.heads["audit_events"].size == before[-1].heads["audit_events"].size + 1
    assert sealed.heads["decisions"] == before[-1].heads["decisions"]
    assert sealed.number == 2


@pytest.mark.parametrize(
    ("rolled_back", "chain"),
    [((3, 2, 1), "decisions"), ((5, 1, 1), "audit events"), ((5, 2, 1), "")],
)
def test_a_shortened_chain_is_found_by_a_witness(
    log: Log, rolled_back: tuple[int, int, int], chain: str
) -> None:
    log.sealed(3, 2)
    log.roll_back(*rolled_back)

    says = f"the last checkpoint is number 1, and the witness {log.witness.path} has number 2"
    assert says in [each.why for each in log.check().verdict.contradictions]
    assert log.why()
    found = [each.why for each in log.check().verdict.contradictions if each.chain]
    assert [why.split(":")[0] for why in found] == ([chain] if chain else [])


def test_fewer_checkpoints_than_were_handed_over_are_found(log: Log) -> None:
    log.sealed(3, 2)
    log.witness.path.unlink()
    log.change("DELETE FROM chain_checkpoints WHERE number > 1")

    assert "the last checkpoint is number 1, and a witness has number 2" in log.why()


def test_a_deleted_checkpoint_in_the_middle_is_found(log: Log) -> None:
    log.sealed(1, 1, 1)
    log.change("DELETE FROM chain_checkpoints WHERE number = 2")

    assert log.why() == "checkpoints 2 to 2 are missing"


def test_all_checkpoints_deleted_everywhere_are_missed(log: Log) -> None:
    log.sealed(3)
    log.witness.path.unlink()
    log.change("DELETE FROM chain_checkpoints", "DELETE FROM receivers WHERE channel = 'witness'")

    assert log.why() == "there are decisions, and no checkpoint is left of any"


def forge(log: Log, seq: int) -> None:
    """Rewrite a decision's probability with the home's own keys: chain and checkpoints remade."""
    with log.engine.connect() as connection:
        rows = connection.execute(text("SELECT seq, record FROM decisions ORDER BY seq")).all()
        lines = log.store.after(0, 100)
    link, links = bytes(32), {0: "00" * 32}
    changes = []
    for row in rows:
        told = json.loads(row.record)
        record = json.dumps(told | {"probability": 0.999}) if row.seq == seq else row.record
        link = hashlib.sha256(link + record.encode()).digest()
        links[row.seq] = link.hex()
        changes.append({"seq": row.seq, "record": record, "chain": link})
    log.change()
    with log.engine.begin() as connection:
        if log.engine.dialect.name == "postgresql":
            connection.execute(text("SET session_replication_role = replica"))
        put = text("UPDATE decisions SET record = :record, chain = :chain WHERE seq = :seq")
        connection.execute(put, changes)
        connection.execute(
            text("UPDATE decisions SET probability = 0.999 WHERE seq = :seq"), {"seq": seq}
        )
        for each in lines:
            size = each.size
            heads = dict(each.heads) | {"decisions": LogHead(size, links[size])}
            new = Checkpoint(**(vars(each) | {"heads": heads})).signed(log.signer)
            connection.execute(
                text("UPDATE chain_checkpoints SET line = :line WHERE number = :number"),
                {"line": new.as_json(), "number": each.number},
            )


def test_a_log_signed_again_with_the_home_s_own_keys_is_found_by_an_outside_witness(
    log: Log,
) -> None:
    log.sealed(3, 3)
    inside = log.check()
    forge(log, 2)

    assert inside.why is None
    blind = check_log(log.store, [], public_keys_of(log.keys), by_newest=False)
    assert blind.why is None  # without a witness outside nobody could tell
    found = [each for each in log.check().verdict.contradictions if each.chain == "decisions"]
    assert [(each.record, "something after record 0" in each.why) for each in found] == [(1, True)]
    assert log.why()


def test_a_restore_begins_an_epoch_that_names_what_is_lost(log: Log) -> None:
    log.sealed(3, 2)
    log.roll_back(3, 1, 1)

    begun = begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.seal()

    assert (begun.epoch, begun.number) == (2, 3)
    assert begun.begun is not None
    second = log.begun_with + 2
    assert begun.begun.lost == {"decisions": (4, 5), "audit_events": (second, second)}
    assert (begun.begun.by, begun.begun.because) == ("cli:1@host", "the disk failed")
    assert log.why() == ""
    assert log.check().verdict.explained == 2
    with log.engine.connect() as connection:
        event = connection.execute(text("SELECT * FROM audit_events ORDER BY seq DESC")).first()
    assert event is not None
    assert (event.action, event.actor, event.object_id) == ("begin_epoch", "cli:1@host", "2")
    assert json.loads(event.details)["lost"]["decisions"] == [4, 5]


def test_after_a_restore_the_log_goes_on_and_is_held_to_new_marks(log: Log) -> None:
    log.sealed(3, 2)
    log.roll_back(3, 1, 1)
    begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.sealed(4)
    assert log.why() == ""

    log.roll_back(6, 3, 4)
    assert "decisions: the log ends here; it had 7 records" in log.why()


def test_two_restores_follow_each_other(log: Log) -> None:
    log.sealed(3, 2)
    log.roll_back(3, 1, 1)
    begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.sealed(4)
    log.roll_back(5, 2, 3)

    begun = begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.seal()

    assert begun.epoch == 3
    assert begun.begun is not None
    assert begun.begun.lost["decisions"] == (6, 7)
    assert log.why() == ""
    assert sorted(log.check().verdict.beginnings) == [2, 3]


def test_a_second_restore_of_one_backup_passes_over_the_epoch_of_the_first(log: Log) -> None:
    log.sealed(3, 2)
    log.roll_back(3, 1, 1)
    begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.sealed(4)
    log.roll_back(3, 1, 1)
    log._decided += 10  # other decisions under the same numbers

    begun = begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.sealed(2)

    assert (begun.epoch, sorted(log.check().verdict.beginnings)) == (3, [3])
    assert log.why() == ""
    log.roll_back(3, 1, 1)
    assert "knows of epoch 3, and this database of 1: it is an older copy" in log.why()


def test_the_beginning_of_an_epoch_that_a_later_restore_kept_may_not_go(log: Log) -> None:
    log.sealed(3, 2)
    log.roll_back(3, 1, 1)
    first = begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.sealed(4, 2)
    log.roll_back(7, 2, first.number + 1)
    begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.seal()
    assert log.why() == ""

    log.change(f"DELETE FROM chain_checkpoints WHERE number = {first.number}")

    found = [each.why for each in log.check().verdict.contradictions]
    assert "the checkpoint that began epoch 2 is missing" in found


def test_records_written_after_an_unnoticed_rollback_are_told_apart(log: Log) -> None:
    log.sealed(3, 2)
    log.roll_back(3, 1, 1)
    log._decided += 10  # other decisions under the same numbers
    log.decide(4)
    assert log.why()

    begun = begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.seal()

    assert begun.begun is not None
    assert (begun.begun.kept["decisions"], begun.begun.lost["decisions"]) == (3, (4, 5))
    assert log.why() == ""


def test_a_witness_that_knows_of_more_than_a_restore_said_was_lost_is_heard(log: Log) -> None:
    log.sealed(3, 2)
    known = log.witness.path.read_bytes()
    log.roll_back(3, 1, 1)
    log.witness.path.unlink()
    log.change("UPDATE receivers SET reached = '1' WHERE channel = 'witness'")
    begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.seal()
    assert log.why() == ""

    log.witness.path.write_bytes(known)

    assert "a restore said that 3 records were known, and it had 5" in "".join(
        each.why for each in log.check().verdict.contradictions
    )


def test_an_older_epoch_in_the_place_of_a_newer_one_is_found(log: Log) -> None:
    log.sealed(3, 2)
    log.roll_back(3, 1, 1)
    begin_epoch(log.store, log.check(), log.signer, RESTORED)
    log.seal()
    log.roll_back(3, 1, 1)

    assert "knows of epoch 2, and this database of 1: it is an older copy" in log.why()


def test_a_checkpoint_of_another_database_says_nothing_of_this_one(
    log: Log, tmp_path: Path
) -> None:
    log.sealed(3)
    other = Checkpoint(9, 1, {"decisions": LogHead(99, "ff" * 32)}, "another", NOW.isoformat(), "")
    witness = tmp_path / "outside"
    witness.write_bytes(witness.read_bytes() + framed(other.signed(log.signer).as_json()))

    assert log.why() == ""
    assert log.check().verdict.foreign == 1


def test_a_database_keeps_the_marks_of_every_identity_that_it_had(log: Log) -> None:
    """Taking the identity away does not turn its marks into those of another database."""
    log.change("UPDATE installation SET database_id = 'of this one'")
    log.sealed(3, 2)
    assert log.check().verdict.own[0].checkpoint.database_id == "of this one"
    log.roll_back(3, 1, 1)
    log.change("UPDATE installation SET database_id = 'another'")

    assert "decisions: the log ends here; it had 5 records" in log.why()
    assert log.check().verdict.foreign == 0


def test_a_start_waits_for_a_witness_that_hangs_for_a_moment_and_hears_the_others(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("serving.integrity.log_check.WAITED_S", 0.1)
    log.sealed(3, 2)
    log.roll_back(3, 2, 1)
    is_over, keys = threading.Event(), public_keys_of(log.keys)
    hanging = Mock(newest=lambda: is_over.wait(9) and None)

    begun_s = time.monotonic()
    check = check_log(log.store, [hanging, hanging, log.witness], keys, by_newest=True)
    took_s = time.monotonic() - begun_s
    is_over.set()

    assert took_s < 5
    unheard = "did not answer within 0.1 seconds"
    assert [each.failure for each in check.witnesses] == [unheard, unheard, ""]
    assert check.why


def test_a_torn_line_of_a_witness_is_no_attack(log: Log) -> None:
    log.sealed(3)
    whole = log.witness.path.read_bytes()
    log.witness.path.write_bytes(whole + whole[:70])

    assert log.why() == ""
    assert log.check().witnesses[0].torn == 1


def test_several_workers_are_not_begun_over_a_log_that_each_would_refuse(
    postgres: Server, tmp_path: Path
) -> None:
    where = postgres.new_database()
    log = Log(where, tmp_path).sealed(3, 2)
    log.roll_back(3, 1, 1)
    home = tmp_path / "home"
    shutil.copytree(log.keys, home / "keys")
    words = ["serve", "--workers", "2", "--port", "1", "--database-url", where, "--home", str(home)]

    done = CliRunner().invoke(commands, words, env={"TIDEGATE_WITNESS": str(log.witness.path)})

    assert isinstance(done.exception, TidegateError)
    assert "the log is not what its checkpoints say" in str(done.exception)


# Served


def run(home: Path, *arguments: str) -> Any:
    return CliRunner().invoke(commands, [*arguments, "--home", str(home)])


def test_a_rolled_back_log_is_not_served(trained_home: Path, tmp_path: Path) -> None:
    home = Path(shutil.copytree(trained_home, tmp_path / "home"))
    with TestClient(create_app(Settings(home=home), clock=lambda: NOW)) as client:
        service = Service(client, client.app.state.services, home)  # type: ignore[attr-defined]  # an application
        service.score(shipment(shipment_id="S-1"), service.key("score"))
        writer = service.services.log_writer.checkpoints
        writer.write_if_due(is_last=True)
        file, old = home / "tidegate.db", home / "old.db"
        with closing(sqlite3.connect(file)) as now, closing(sqlite3.connect(old)) as copy:
            now.backup(copy)
        service.score(shipment(shipment_id="S-2"), service.key("score"))
    for beside in ("-wal", "-shm"):
        file.with_name(f"{file.name}{beside}").unlink(missing_ok=True)
    old.replace(file)

    with pytest.raises(TidegateError, match="Find the newer copy") as refusal:
        create_app(Settings(home=home), clock=lambda: NOW)

    assert "tidegate verify-log --begin-epoch --because WHY" in str(refusal.value)
    found = {each.what: each for each in run_checks(Settings(home=home))}
    assert found["log"].grade == "wrong"
    assert run(home, "verify-log").exit_code == 1
    begun = run(home, "verify-log", "--begin-epoch", "--because", "a copy was restored")
    assert begun.exit_code == 0, begun.output
    told = json.loads(run(home, "verify-log", "--json").stdout)
    assert (told["whole"], told["epoch"]) == (True, 2)
    assert told["epochs"][0]["lost"]["decisions"] == [2, 2]
    assert run(home, "verify-log", "--begin-epoch", "--because", "again").exit_code == 1
    assert read_witness_lines((home / "checkpoints.ndjson").read_bytes()).damaged == []
    # The online feature store followed the decision that is lost, and says so.
    assert "tidegate state rebuild" in found["online feature store"].says
    assert verify_decision_log(database(file)).is_whole
