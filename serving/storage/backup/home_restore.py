"""Makes a home from a backup: the next epoch of its log, without reviving what was revoked."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine, inspect

from features.atomic_dir import written_whole
from features.errors import TidegateError
from features.home_keys import LOG, private_key
from serving.access.actors import Actor
from serving.integrity.audit_log import AuditEvent
from serving.integrity.checkpoint_check import check_by_checkpoints
from serving.integrity.log_check import EpochRequest, LogCheck, begin_epoch
from serving.integrity.witnesses import witnesses_of
from serving.settings import Settings
from serving.storage.backup.archive import BackupManifest, extract
from serving.storage.backup.database_move import DatabaseMove
from serving.storage.backup.ended_since import EndedAgain, end_again
from serving.storage.backup.full_disk import full_disk_named
from serving.storage.binding import HomeBinding, home_location
from serving.storage.engine import connected, database_errors_as_503, open_database
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.approval_repository import ApprovalRepository
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.database_identity import InstallationRepository
from serving.storage.repositories.session_repository import SessionRepository
from serving.storage.verification.audit_verification import verify_audit_log
from serving.storage.verification.log_verification import verify_decision_log

DATABASE_FILES = "tidegate.db*"


@dataclass(frozen=True)
class RestoreRequest:
    """The restorer of a backup, the reason and the time; `former` is the old home, if known."""

    actor: Actor
    because: str
    at: datetime
    former: Settings | None = None


@dataclass(frozen=True)
class Restored:
    """The result of a restore: the new epoch, what was revoked again, and the keys that are live.

    `ended` lists what the former database had ended since the backup and this one ended again.
    """

    manifest: BackupManifest
    epoch: int
    revoked: tuple[str, ...]
    live_keys: tuple[str, ...]
    ended: EndedAgain


def restore_home(archive: Path, settings: Settings, request: RestoreRequest) -> Restored:
    """Make the home and the database of `settings` from a backup, completely or not at all.

    Both must be empty. Raises TidegateError, also for a damaged backup or one of another release.
    Witnesses do not have the new checkpoints yet, and the online
    feature store is not rebuilt yet.
    """
    home = settings.home
    _require_empty(home)
    if isinstance(settings.database, str):
        _require_empty_database(settings.database)
    with full_disk_named(home), written_whole(home) as partial:
        partial.chmod(0o700)
        manifest = extract(archive, partial)
        engine = open_database(
            partial / "tidegate.db", is_service=False, keys=partial / "keys", may_create=False
        )
        try:
            _require_whole(engine, manifest)
            # Before anything is written: new rows would look like entries that were kept, and could
            # hide as many that were lost.
            check = _checked(engine, settings, partial, request)
            with _former_database(engine, request) as former:
                revoked = _revoke_again(engine, former, request)
                ended = _end_again(engine, former, partial, request)
            # Sessions of the backup may have been ended since, and nothing here would know it.
            SessionRepository(engine).end_everybodys(request.at, request.actor)
            live = _live_keys(engine, request.at)
            epoch = _begin_epoch(engine, check, partial, request)
        finally:
            engine.dispose()
        _put_database(partial, settings, manifest, request)
    home.chmod(0o700)
    return Restored(manifest, epoch, revoked, live, ended)


def _require_empty(home: Path) -> None:
    if home.exists() and (not home.is_dir() or any(home.iterdir())):
        raise TidegateError(
            f"{home} is not empty: a backup becomes a home of its own. Name a new folder, or "
            "delete this one yourself if nothing in it is needed"
        )


def _require_empty_database(url: str) -> None:
    engine = connected(url, is_service=False)
    try:
        with database_errors_as_503(), engine.connect() as connection:
            is_empty = not inspect(connection).get_table_names()
    finally:
        engine.dispose()
    if not is_empty:
        raise TidegateError(
            f"{home_location(url)} is not empty: name a new database. What a killed restore "
            "left there is of no use: drop it yourself"
        )


def _require_whole(engine: Engine, manifest: BackupManifest) -> None:
    # The manifest states where the chains ended when the backup was written.
    heads = CheckpointRepository(engine).heads()
    found = {chain: (head.size, head.head) for chain, head in heads.items()}
    if found != {chain: (end.size, end.head) for chain, end in manifest.chains.items()}:
        raise TidegateError("the chains of the backup do not end where its manifest says")
    proof, audit = verify_decision_log(engine), verify_audit_log(engine)
    if not (proof.is_whole and audit.is_whole):
        raise TidegateError(f"the log in the backup is not whole: {proof.why or audit.findings[0]}")


@contextmanager
def _former_database(engine: Engine, request: RestoreRequest) -> Iterator[Engine | None]:
    """Open the database of the former home; yield None if there is no former home."""
    if request.former is None:
        yield None
        return
    former = open_database(
        request.former.database, is_service=False, keys=request.former.keys, may_create=False
    )
    try:
        if InstallationRepository(former).database_id != InstallationRepository(engine).database_id:
            raise TidegateError("the former home is that of another database")
        yield former
    finally:
        former.dispose()


def _revoke_again(
    engine: Engine, former: Engine | None, request: RestoreRequest
) -> tuple[str, ...]:
    """Revoke and disable what the former database shows as ended since the backup."""
    if former is None:
        return ()
    return (
        *_revoke_keys(engine, former, request),
        *_disable_accounts(engine, former, request),
        *_revoke_approval_keys(engine, former, request),
    )


def _end_again(
    engine: Engine, former: Engine | None, home: Path, request: RestoreRequest
) -> EndedAgain:
    """Erase, mask and hold again what was erased, masked and held since the backup."""
    if former is None:
        return EndedAgain()
    return end_again(former, engine, home, request.actor, request.at.isoformat())


def _revoke_keys(engine: Engine, former: Engine, request: RestoreRequest) -> Sequence[str]:
    register = ApiKeyRepository(engine)
    over = {each.key_id for each in ApiKeyRepository(former).all() if each.revoked_at}
    names = {each.name for each in register.all() if each.key_id in over and not each.revoked_at}
    for name in sorted(names):
        register.revoke(name, request.at)
    return [f"key:{name}" for name in sorted(names)]


def _disable_accounts(engine: Engine, former: Engine, request: RestoreRequest) -> Sequence[str]:
    register = AccountRepository(engine)
    over = {each.name for each in AccountRepository(former).all() if each.disabled_at}
    names = [each.name for each in register.all() if each.name in over and not each.disabled_at]
    for name in names:
        register.disable(name, request.at, request.actor)
    return [f"account:{name}" for name in names]


def _revoke_approval_keys(engine: Engine, former: Engine, request: RestoreRequest) -> Sequence[str]:
    register = ApprovalRepository(engine)
    known, known_before = register.keys(), ApprovalRepository(former).keys()
    over = {each.key_id for each in known_before if each.revoked_at}
    holders = [each.account for each in known if each.key_id in over and not each.revoked_at]
    for account in holders:
        register.revoke_key(account, request.actor, request.at)
    return [f"approval key of {account}" for account in holders]


def _live_keys(engine: Engine, at: datetime) -> tuple[str, ...]:
    keys = ApiKeyRepository(engine).all()
    return tuple(each.name for each in keys if each.is_live(at))


def _checked(
    engine: Engine, settings: Settings, partial: Path, request: RestoreRequest
) -> LogCheck:
    """Check the log against every witness, those of the former home included."""
    here = settings.model_copy(update={"home": partial})
    former = [] if request.former is None else witnesses_of(request.former)
    return check_by_checkpoints(CheckpointRepository(engine), here, by_newest=False, also=former)


def _begin_epoch(engine: Engine, check: LogCheck, partial: Path, request: RestoreRequest) -> int:
    # Above every known epoch, so that checkpoints of the lost entries cannot be taken for newer.
    told = {"epoch": 1 + max((each.checkpoint.epoch for each in check.verdict.own), default=1)}
    database_id = InstallationRepository(engine).database_id
    event = AuditEvent(request.at, request.actor, "restore", "database", database_id, told)
    AuditRepository(engine).append(event)
    asked = EpochRequest(request.actor, request.because, request.at)
    key = private_key(partial / "keys", LOG)
    return begin_epoch(CheckpointRepository(engine), check, key, asked).epoch


def _put_database(
    partial: Path, settings: Settings, manifest: BackupManifest, request: RestoreRequest
) -> None:
    """Leave the file in place, or carry it over to the database of the settings."""
    keys = partial / "keys"
    if isinstance(settings.database, Path):
        place = home_location(settings.database)
        HomeBinding(manifest.database_id, place).write(keys)
        return
    DatabaseMove(partial / "tidegate.db", settings.database, keys).run(request.actor, request.at)
    # The home now belongs to PostgreSQL; a file left behind would look like its database.
    for file in partial.glob(DATABASE_FILES):
        file.unlink()
