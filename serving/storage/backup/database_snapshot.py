"""A whole database as one SQLite file, at one instant, while others write to it."""

import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy import Engine, delete

from serving.storage.backup.database_move import copy_rows
from serving.storage.engine import connected, database_errors_as_503
from serving.storage.tables.scoring import state
from serving.storage.write_lock import write_transaction


def write_snapshot(engine: Engine, file: Path) -> None:
    """Write everything committed at one instant to a new SQLite file, from either engine.

    The online feature store is left out, as it can be rebuilt. Raises LogUnavailable.
    """
    with database_errors_as_503():
        if engine.dialect.name == "sqlite":
            _vacuum_into(engine, file)
        else:
            _copy(engine, file)


def copy_sqlite_file(source: Path, target: Path) -> None:
    """Copy a SQLite file at one instant while others may write to it."""
    with (
        database_errors_as_503(sqlite3.Error),
        closing(sqlite3.connect(f"{source.absolute().as_uri()}?mode=ro", uri=True)) as reader,
        closing(sqlite3.connect(target)) as writer,
    ):
        reader.backup(writer)


def _vacuum_into(engine: Engine, file: Path) -> None:
    """Write a compacted copy, which unlike a copy of pages contains no deleted rows."""
    with engine.connect() as connection:
        # VACUUM cannot run inside a transaction.
        bare = connection.execution_options(is_transaction=False)
        bare.exec_driver_sql("VACUUM INTO ?", (str(file),))


def _copy(engine: Engine, file: Path) -> None:
    # REPEATABLE READ gives all queries one snapshot, so tables agree with each other.
    snapshots = engine.execution_options(isolation_level="REPEATABLE READ")
    target = connected(file, is_service=True)
    try:
        with snapshots.connect() as reader, write_transaction(target) as writer:
            reader.exec_driver_sql("SET LOCAL statement_timeout = 0")
            copy_rows(reader, writer, lambda done, total: None)
            writer.execute(delete(state))
    finally:
        target.dispose()
