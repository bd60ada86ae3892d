"""Writes a backup while the home is served: the database first, then the files its rows name.

Model versions are only added, so every version that the log names still exists when the files are
copied. Pointers to models and keys change together with rows: they are read before and after the
snapshot, until both readings are equal.
"""

import os
import tarfile
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import version
from pathlib import Path

from sqlalchemy import Engine

from features.atomic_dir import file_written_whole
from features.errors import TidegateError
from serving.access.actors import Actor
from serving.integrity.audit_log import AuditEvent
from serving.settings import Settings
from serving.storage.backup.archive import MANIFEST, BackupArchive, BackupManifest, ChainEnd
from serving.storage.backup.database_snapshot import copy_sqlite_file, write_snapshot
from serving.storage.backup.full_disk import full_disk_named
from serving.storage.engine import connected, open_database
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.checkpoint_repository import CheckpointRepository
from serving.storage.repositories.database_identity import InstallationRepository
from serving.storage.write_lock import write_transaction

DATABASE = "tidegate.db"
TRACKING = "mlflow.db"
ATTEMPTS = 10

# Folders of a home that can be rebuilt from the rest.
_MADE_ANEW = {"state"}


def write_backup(settings: Settings, out: Path, actor: Actor, at: datetime) -> BackupManifest:
    """Write a home and its database into one new file, completely or not at all.

    Raises TidegateError for an unsuitable place, or if the home changes too fast.
    """
    _require_place(settings.home, out)
    engine = open_database(
        settings.database, is_service=False, keys=settings.keys, may_create=False
    )
    try:
        database_id = InstallationRepository(engine).database_id
        with file_written_whole(out) as folder:
            event = AuditEvent(at, actor, "backup", "database", database_id)
            bound = _settled(engine, settings.home, folder / DATABASE, event)
            if (settings.home / TRACKING).exists():
                copy_sqlite_file(settings.home / TRACKING, folder / TRACKING)
            with full_disk_named(out):
                return _archive(settings.home, folder, out.name, bound, at)
    except (FileNotFoundError, tarfile.TarError) as failure:
        raise TidegateError(
            f"a part of the home was replaced meanwhile ({failure}); run it again"
        ) from None
    finally:
        engine.dispose()


def _require_place(home: Path, out: Path) -> None:
    if out.exists():
        raise TidegateError(f"{out} is there already; name another file")
    if not out.parent.is_dir():
        raise TidegateError(f"{out.parent} is no folder")
    if out.resolve().is_relative_to(home.resolve()):
        raise TidegateError(f"{out} is in the home itself; name a file elsewhere")


def _settled(engine: Engine, home: Path, file: Path, event: AuditEvent) -> dict[str, bytes]:
    """Write the snapshot; return the keys and pointers that belong to it."""
    for _ in range(ATTEMPTS):
        file.unlink(missing_ok=True)
        # Code that moves a pointer holds the write lock too, so this reading is consistent.
        with write_transaction(engine) as connection:
            append_audit_events(connection, [event])
            before = _bound_to_rows(home)
        with full_disk_named(file):
            write_snapshot(engine, file)
        if _bound_to_rows(home) == before:
            return before
    raise TidegateError("keys or pointers to models change all the time; run it again later")


def _bound_to_rows(home: Path) -> dict[str, bytes]:
    """Return the content of the files that change together with database rows, by name."""
    files = (*home.glob("keys/**/*"), *home.glob("models/*/*.json"), home / "database.json")
    return {
        str(file.relative_to(home)): file.read_bytes()
        for file in sorted(files)
        if file.is_file() and not file.name.startswith(".")
    }


def _archive(
    home: Path, folder: Path, name: str, bound: dict[str, bytes], at: datetime
) -> BackupManifest:
    with BackupArchive.written_to(folder / name) as archive:
        for member, content in bound.items():
            archive.add_bytes(member, content)
        for file in (folder / DATABASE, folder / TRACKING):
            if file.exists():
                archive.add_file(file.name, file)
        for member, file in _files(home):
            if member not in archive.members:
                archive.add_file(member, file)
        manifest = _manifest(folder / DATABASE, archive.members, at)
        archive.add_bytes(MANIFEST, manifest.model_dump_json(indent=1).encode())
    return manifest


# Last, because it lists the digests of all other members.


def _manifest(snapshot: Path, members: dict[str, str], at: datetime) -> BackupManifest:
    engine = connected(snapshot, is_service=False)
    try:
        heads = CheckpointRepository(engine).heads()
        return BackupManifest(
            release=version("tidegate"),
            made_at=at.isoformat(),
            database_id=InstallationRepository(engine).database_id,
            chains={
                chain: ChainEnd(size=head.size, head=head.head) for chain, head in heads.items()
            },
            members=dict(members),
        )
    finally:
        engine.dispose()


def _files(home: Path) -> Iterator[tuple[str, Path]]:
    """Yield every file of a home except databases, rebuilt folders and files being written."""
    for inside, folders, names in os.walk(home, followlinks=True):
        place = Path(inside)
        is_top = place == home
        folders[:] = sorted(
            each
            for each in folders
            if not each.startswith(".") and not (is_top and each in _MADE_ANEW)
        )
        for name in sorted(names):
            is_database = is_top and name.startswith((DATABASE, TRACKING))
            if not name.startswith(".") and not is_database:
                yield str((place / name).relative_to(home)), place / name
