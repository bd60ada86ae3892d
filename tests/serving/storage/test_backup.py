"""A backup of a served home, and the home that is made of it."""

import errno
import shutil
import tarfile
from collections.abc import Callable
from datetime import timedelta
from io import BytesIO
from pathlib import Path

import pytest
from sqlalchemy import Engine, create_engine, select
from typer.testing import CliRunner

from features.errors import TidegateError
from features.home_keys import LOG, private_key
from serving.access.accounts import Account
from serving.access.actors import Actor
from serving.access.api_keys import new_key
from serving.access.sessions import Session
from serving.cli.main import app as tidegate
from serving.errors import LogUnavailable
from serving.integrity.audit_log import AuditEvent
from serving.integrity.checkpoints import public_keys_of
from serving.integrity.log_check import LogCheck, check_log
from serving.integrity.witnesses import witnesses_of
from serving.outbox.witness_channel import WitnessChannel
from serving.settings import Settings
from serving.storage.backup.archive import MANIFEST
from serving.storage.backup.backup_writer import write_backup
from serving.storage.backup.full_disk import full_disk_named
from serving.storage.backup.home_restore import Restored, RestoreRequest, restore_home
from serving.storage.engine import cause_of, database_errors_as_503, open_database
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.receiver_repository import ReceiverRepository
from serving.storage.repositories.session_repository import SessionRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log
from tests.kills import is_killed_at
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.postgres import Server
from tests.serving.review.rescue.test_distress_alerts import AT_SEA, hear_calls_at_sea

BY = Actor("cli:1000@host", "ada")


def restored(archive: Path, home: Path, former: Settings | None = None) -> Restored:
    return restore_home(archive, Settings(home=home), RestoreRequest(BY, "a drill", NOW, former))


def contents(home: Path) -> dict[str, bytes]:
    files = (each for each in home.rglob("*") if each.is_file())
    return {str(each.relative_to(home)): each.read_bytes() for each in files}


def leftovers(folder: Path) -> list[str]:
    return [each.name for each in folder.iterdir() if each.name.startswith(".")]


def require_whole(home: Path, decisions: int, database: str | None = None) -> None:
    engine = open_database(database or home / "tidegate.db", is_service=False, keys=home / "keys")
    proof, audit = verify_decision_log(engine), verify_audit_log(engine)
    assert (proof.is_whole, audit.is_whole, proof.mark.size) == (True, True, decisions)
    store = CheckpointRepository(engine)
    hand_over(engine, Settings(home=home))
    keys = public_keys_of(home / "keys")
    assert check_log(store, witnesses_of(Settings(home=home)), keys, by_newest=False).why is None
    engine.dispose()


@pytest.fixture
def archive(service: Service, tmp_path: Path) -> Path:
    """A backup, while it was served, of a home with two decisions."""
    caller = service.key("score")
    for _ in range(2):
        assert service.score(shipment(), caller).status_code == 200
    write_backup(Settings(home=service.home), tmp_path / "backup.tgz", BY, NOW)
    return tmp_path / "backup.tgz"


@pytest.fixture
def small_home(tmp_path: Path) -> Path:
    """A home with keys, a database and a key of a caller; nothing serves it."""
    home = tmp_path / "home"
    engine = open_database(home / "tidegate.db", is_service=False)
    ApiKeyRepository(engine).add_key(new_key("caller", ("score",), (), NOW)[0])
    engine.dispose()
    return home


def test_a_served_home_is_restored_with_log_keys_models_and_records(
    service: Service, archive: Path, tmp_path: Path
) -> None:
    service.score(shipment(), service.key("score"))

    found = restored(archive, tmp_path / "new")

    require_whole(tmp_path / "new", decisions=2)
    before, after = contents(service.home), contents(tmp_path / "new")
    same = [name for name in before if name.startswith(("keys/", "models/", "records/"))]
    assert same
    assert all(after[name] == before[name] for name in same)
    assert found.epoch == 2
    assert len(found.live_keys) == 1
    assert not any(name.startswith("state/") for name in after)


def test_nobody_else_can_read_a_backup_or_what_is_made_of_it(archive: Path, tmp_path: Path) -> None:
    restored(archive, tmp_path / "new")

    places = [archive, *(each for each in (tmp_path / "new").rglob("*") if each.is_file())]
    assert {oct(each.stat().st_mode & 0o077) for each in places} == {"0o0"}
    assert (tmp_path / "new").stat().st_mode & 0o077 == 0
    assert leftovers(tmp_path) == []


def test_a_key_that_was_revoked_since_stays_so(
    service: Service, archive: Path, tmp_path: Path
) -> None:
    register = service.services.api_keys
    (name,) = [each.name for each in register.all()]
    register.revoke(name, NOW)
    service.client.__exit__(None, None, None)

    found = restored(archive, tmp_path / "new", Settings(home=service.home))

    assert (found.revoked, found.live_keys) == ((f"key:{name}",), ())
    engine = open_database(tmp_path / "new" / "tidegate.db", is_service=False)
    assert all(each.revoked_at for each in ApiKeyRepository(engine).all())


def test_accounts_that_ended_since_stay_so_and_no_session_is_open(
    small_home: Path, tmp_path: Path
) -> None:
    engine = open_database(small_home / "tidegate.db", is_service=False)
    accounts = AccountRepository(engine)
    accounts.add_account(Account("maria", "", "reviewer", (), NOW))
    accounts.add_account(Account("nour", "", "reviewer", (), NOW))
    for name in ("maria", "nour"):
        session, _ = Session.begin(f"account:{name}", NOW, timedelta(hours=1), timedelta(hours=9))
        SessionRepository(engine).add_session(session, NOW)
    write_backup(Settings(home=small_home), tmp_path / "backup.tgz", BY, NOW)
    accounts.disable("maria", NOW)
    engine.dispose()

    found = restored(tmp_path / "backup.tgz", tmp_path / "new", Settings(home=small_home))

    assert found.revoked == ("account:maria",)
    engine = open_database(tmp_path / "new" / "tidegate.db", is_service=False)
    ended = {each.name: each.disabled_at for each in AccountRepository(engine).all()}
    assert (ended["maria"], ended["nour"]) == (NOW, None)
    for name in ("maria", "nour"):
        assert SessionRepository(engine).of_holder(f"account:{name}", NOW) == []


def of_ships(where: Path | str, home: Path) -> list[list[str]]:
    """What is noted and told of ships."""
    engine = open_database(where, is_service=False, keys=home / "keys")
    with engine.connect() as connection:
        found = [connection.execute(select(table)).all() for table in AT_SEA]
    engine.dispose()
    return [sorted(map(repr, rows)) for rows in found]


def test_a_backup_goes_to_postgresql_and_one_of_postgresql_into_a_file(
    service: Service, postgres: Server, tmp_path: Path
) -> None:
    url, request = postgres.new_database(), RestoreRequest(BY, "a drill", NOW)
    there, back, archive = tmp_path / "there", tmp_path / "back", tmp_path / "first.tgz"
    service.score(shipment(), service.key("score"))
    hear_calls_at_sea(service)
    write_backup(Settings(home=service.home), archive, BY, NOW)
    noted = of_ships(service.home / "tidegate.db", service.home)
    assert [*map(len, noted)] == [1, 1]

    restore_home(archive, Settings(home=there, database_url=url), request)
    write_backup(Settings(home=there, database_url=url), tmp_path / "second.tgz", BY, NOW)
    restored(tmp_path / "second.tgz", back)

    assert not list(there.glob("tidegate.db*"))
    require_whole(there, decisions=2, database=url)
    require_whole(back, decisions=2)
    assert of_ships(url, there) == of_ships(back / "tidegate.db", back) == noted


def test_a_database_in_use_is_never_taken_for_the_one_to_be_restored(
    archive: Path, postgres: Server, tmp_path: Path
) -> None:
    url, request = postgres.new_database(), RestoreRequest(BY, "a drill", NOW)
    restore_home(archive, Settings(home=tmp_path / "there", database_url=url), request)

    with pytest.raises(TidegateError, match="is not empty: name a new database"):
        restore_home(archive, Settings(home=tmp_path / "again", database_url=url), request)

    assert not (tmp_path / "again").exists()


def test_what_a_witness_has_of_later_is_named_as_lost_and_contradicts_nothing(
    service: Service, archive: Path, tmp_path: Path
) -> None:
    service.score(shipment(), service.key("score"))
    service.services.log_writer.checkpoints.write_if_due(is_last=True)
    service.services.witnesses.deliver_all()
    witness = str(service.home / "checkpoints.ndjson")
    settings = Settings(home=tmp_path / "new", witness=witness)

    restore_home(archive, settings, RestoreRequest(BY, "a drill", NOW))

    engine = open_database(tmp_path / "new" / "tidegate.db", is_service=False)
    keys = public_keys_of(tmp_path / "new" / "keys")
    store = CheckpointRepository(engine)
    check = check_log(store, witnesses_of(settings), keys, by_newest=False)
    lost = check.verdict.beginnings[2].begun.lost
    assert check.why is None
    assert lost["decisions"] == (3, 3)


def test_a_backup_is_restored_again_and_drills_leave_witnesses_as_they_were(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    witness = tmp_path / "elsewhere"
    monkeypatch.setenv("TIDEGATE_WITNESS", str(witness))

    def restore(name: str, *given: str) -> None:
        line = ["restore", str(archive), "--home", str(tmp_path / name), *given]
        done = CliRunner().invoke(tidegate, line)
        assert done.exit_code == 0, done.output

    restore("drill", "--drill")
    assert not witness.exists()
    restore("first")
    of_first = witness.read_bytes()
    restore("second drill", "--drill")
    assert witness.read_bytes() == of_first
    restore("second")

    found = held_to_its_witness(Settings(home=tmp_path / "second", witness=str(witness)))
    assert (found.why, found.verdict.epoch, [*found.verdict.beginnings]) == (None, 3, [3])
    former = held_to_its_witness(Settings(home=tmp_path / "first", witness=str(witness)))
    assert "knows of epoch 3, and this database of 2" in str(former.why)


def test_a_log_whose_witness_was_told_of_a_copy_goes_on_under_an_epoch_of_its_own(
    small_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIDEGATE_WITNESS", witness := str(tmp_path / "elsewhere"))
    settings, copy = (
        Settings(home=home, witness=witness) for home in (small_home, tmp_path / "copy")
    )
    goes_on(settings, 2)
    write_backup(settings, tmp_path / "backup.tgz", BY, NOW)
    line = ["restore", str(tmp_path / "backup.tgz"), "--home", str(copy.home)]
    assert CliRunner().invoke(tidegate, line).exit_code == 0
    for each in (settings, copy, settings):
        goes_on(each, 3)
    assert "it is an older copy" in str(held_to_its_witness(settings).why)

    line = ["verify-log", "--begin-epoch", "--because", "a drill", "--home", str(small_home)]
    assert CliRunner().invoke(tidegate, line).exit_code == 0
    assert held_to_its_witness(settings).why is None
    goes_on(settings, 1)

    assert held_to_its_witness(settings).why is None
    assert "knows of epoch 3, and this database of 2" in str(held_to_its_witness(copy).why)


def goes_on(settings: Settings, events: int) -> None:
    """Let a log grow, seal it, and hand that to its witness."""
    engine = open_database(settings.home / "tidegate.db", is_service=False)
    for _ in range(events):
        AuditRepository(engine).append(AuditEvent(NOW, BY, "read", "queue", "all"))
    store = CheckpointRepository(engine)
    assert store.seal(private_key(settings.keys, LOG), NOW) is not None
    hand_over(engine, settings)
    engine.dispose()


def hand_over(engine: Engine, settings: Settings) -> None:
    store, progress = CheckpointRepository(engine), ReceiverRepository(engine)
    channel = WitnessChannel(witnesses_of(settings), store, progress, lambda: NOW)
    assert not channel.deliver_all()


def held_to_its_witness(settings: Settings) -> LogCheck:
    store = CheckpointRepository(open_database(settings.home / "tidegate.db", is_service=False))
    keys = public_keys_of(settings.keys)
    return check_log(store, witnesses_of(settings), keys, by_newest=False)


@pytest.mark.parametrize("events", [0, 1, 2, 20])
def test_a_restore_names_every_event_that_is_lost_and_none_that_it_wrote(
    small_home: Path, tmp_path: Path, events: int
) -> None:
    witness = str(tmp_path / "another-machine.ndjson")
    before = Settings(home=small_home, witness=witness)
    goes_on(before, events=2)
    archive = tmp_path / "backup.tgz"
    manifest = write_backup(before, archive, BY, NOW)
    kept = manifest.chains["audit_events"].size
    goes_on(before, events)

    after = Settings(home=tmp_path / "new", witness=witness)
    restore_home(archive, after, RestoreRequest(BY, "a drill", NOW, former=before))

    check = held_to_its_witness(after)
    begun = check.verdict.beginnings[2].begun
    assert begun is not None
    assert begun.lost == ({"audit_events": (kept + 1, kept + events)} if events else {})
    assert check.why is None


def test_a_host_is_lost_and_its_log_goes_on_elsewhere_beyond_what_the_witness_has(
    small_home: Path, tmp_path: Path
) -> None:
    witness = str(tmp_path / "another-machine.ndjson")
    lost = Settings(home=small_home, witness=witness)
    goes_on(lost, events=2)
    write_backup(lost, tmp_path / "backup.tgz", BY, NOW)
    silent = Settings(home=Path(shutil.copytree(small_home, tmp_path / "old")), witness=witness)
    goes_on(lost, events=3)
    shutil.rmtree(small_home)

    elsewhere = Settings(home=tmp_path / "new", witness=witness)
    restore_home(tmp_path / "backup.tgz", elsewhere, RestoreRequest(BY, "the host", NOW))
    goes_on(elsewhere, events=1)
    goes_on(elsewhere, events=1)

    check = held_to_its_witness(elsewhere)
    assert check.why is None
    assert "audit_events" in check.verdict.beginnings[2].begun.lost
    engine = open_database(elsewhere.home / "tidegate.db", is_service=False)
    assert verify_audit_log(engine).is_whole
    # A copy that somebody starts beside it, or instead of it, is not what the witness knows.
    assert held_to_its_witness(silent).why is not None


def test_neither_a_file_nor_a_home_that_is_there_is_overwritten(
    service: Service, archive: Path, tmp_path: Path
) -> None:
    before = contents(service.home)

    with pytest.raises(TidegateError, match="is there already"):
        write_backup(Settings(home=service.home), archive, BY, NOW)
    with pytest.raises(TidegateError, match="in the home itself"):
        write_backup(Settings(home=service.home), service.home / "b.tgz", BY, NOW)
    with pytest.raises(TidegateError, match="is not empty"):
        restored(archive, service.home)

    assert contents(service.home).keys() == before.keys()


def _with_a_byte_changed(content: bytes) -> bytes:
    return content[:-1] + bytes([content[-1] ^ 1])


@pytest.mark.parametrize("damage", ["cut", "changed", "left out", "more", "outside"])
def test_a_damaged_backup_is_refused_and_leaves_nothing(
    archive: Path, tmp_path: Path, damage: str
) -> None:
    damaged = tmp_path / "damaged.tgz"
    if damage == "cut":
        damaged.write_bytes(archive.read_bytes()[:-2000])
    else:
        with tarfile.open(archive) as source, tarfile.open(damaged, "w:gz") as target:
            members = {each.name: source.extractfile(each).read() for each in source}  # type: ignore[union-attr]  # all are files
            manifest = members.pop(MANIFEST)
            if damage == "changed":
                members["keys/log.pub"] = _with_a_byte_changed(members["keys/log.pub"])
            elif damage == "left out":
                del members[
                    "checkpoints.ndjson" if "checkpoints.ndjson" in members else "keys/log.pub"
                ]
            else:
                members["more" if damage == "more" else "../outside"] = b"more"
            for name, content in [*members.items(), (MANIFEST, manifest)]:
                info = tarfile.TarInfo(name)
                info.size = len(content)
                target.addfile(info, BytesIO(content))

    with pytest.raises(TidegateError):
        restored(damaged, tmp_path / "new")

    assert not (tmp_path / "new").exists()
    assert not (tmp_path / "outside").exists()
    assert leftovers(tmp_path) == []


def test_a_backup_that_is_not_there_is_said_so_with_those_that_are(
    archive: Path, tmp_path: Path
) -> None:
    with pytest.raises(TidegateError, match=r"there is no backup .*/backpu\.tgz: .* backup\.tgz"):
        restored(tmp_path / "backpu.tgz", tmp_path / "new")
    with pytest.raises(TidegateError, match="cannot be read: Is a directory"):
        restored(tmp_path, tmp_path / "new")

    assert not (tmp_path / "new").exists()
    assert leftovers(tmp_path) == []


def test_a_disk_that_is_full_is_not_taken_for_a_damaged_backup(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("serving.storage.backup.archive.os.open", full)
    with pytest.raises(OSError, match="No space left") as refused:
        restored(archive, tmp_path / "new")

    assert refused.value.filename == str(tmp_path / "new")
    assert not (tmp_path / "new").exists()


def test_a_database_that_finds_no_room_is_named(tmp_path: Path) -> None:
    with create_engine(f"sqlite:///{tmp_path / 'a.db'}").connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1")
        with (
            pytest.raises(LogUnavailable, match="place cannot be written") as refused,
            full_disk_named(Path("place")),
            database_errors_as_503(),
        ):
            connection.exec_driver_sql("CREATE TABLE a (b)")

    assert "full" in cause_of(refused.value)


def test_a_champion_that_is_promoted_meanwhile_is_in_the_backup_with_its_version(
    service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from serving.storage.backup import backup_writer

    models = service.home / "models" / "tidegate-shipment"
    pointer, write_snapshot = models / "champion.json", backup_writer.write_snapshot
    promoted = pointer.read_bytes() + b"\n"
    calls = []

    def with_a_promotion_first(engine: object, file: Path) -> None:
        calls.append(file)
        if len(calls) == 1:
            shutil.copytree(models / "1", models / "2")
            pointer.write_bytes(promoted)
        write_snapshot(engine, file)  # type: ignore[arg-type]  # as it was given

    monkeypatch.setattr(backup_writer, "write_snapshot", with_a_promotion_first)
    write_backup(Settings(home=service.home), tmp_path / "backup.tgz", BY, NOW)

    with tarfile.open(tmp_path / "backup.tgz") as tar:
        assert tar.extractfile("models/tidegate-shipment/champion.json").read() == promoted  # type: ignore[union-attr]  # a file
        assert "models/tidegate-shipment/2/manifest.json" in tar.getnames()
    assert len(calls) == 2


def killed_at_every_step(act: Callable[[], object], after: Callable[[], object]) -> int:
    """Kill an act before each of some of its calls, look after each; how often."""
    number = times = 1
    while is_killed_at(number, act):
        after()
        number += max(1, number // 4)
        times += 1
    return times


def test_a_backup_that_is_killed_leaves_no_half_file_and_the_next_one_sweeps(
    small_home: Path, tmp_path: Path
) -> None:
    out, kills = tmp_path / "backup.tgz", 0

    def act() -> None:
        write_backup(Settings(home=small_home), out, BY, NOW)

    def look() -> None:
        if out.exists():
            restored(out, tmp_path / "looked_at")
            shutil.rmtree(tmp_path / "looked_at")
            out.unlink()

    kills = killed_at_every_step(act, look)

    assert kills > 5
    assert leftovers(tmp_path) == []
    restored(out, tmp_path / "new")


def test_a_restore_that_is_killed_leaves_no_home_and_goes_when_it_is_run_again(
    small_home: Path, tmp_path: Path
) -> None:
    archive, new = tmp_path / "backup.tgz", tmp_path / "new"
    write_backup(Settings(home=small_home), archive, BY, NOW)

    def look() -> None:
        if new.exists():
            require_whole(new, decisions=0)
            shutil.rmtree(new)

    kills = killed_at_every_step(lambda: restored(archive, new), look)

    assert kills > 5
    assert leftovers(tmp_path) == []
    require_whole(new, decisions=0)
