"""Databases of either engine, opened with keys of their own."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from serving.storage.engine import open_database


def database(where: Path | str, *, is_service: bool = False) -> Engine:
    """The database; its keys are beside the file, or in a folder of the server's."""
    return open_database(where, is_service=is_service, keys=keys_of(where))


def keys_of(where: Path | str) -> Path:
    """The folder of its home's keys."""
    if isinstance(where, Path):
        return where.parent / "keys"
    address = make_url(where)
    return Path(str(address.query["host"])) / f"home-of-{address.database}" / "keys"


@contextmanager
def unguarded(file: Path) -> Iterator[sqlite3.Connection]:
    """A connection to a SQLite file whose triggers are away meanwhile."""
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("PRAGMA foreign_keys = OFF")
        guards = connection.execute("SELECT name, sql FROM sqlite_master WHERE type = 'trigger'")
        made = guards.fetchall()
        for name, _ in made:
            connection.execute(f"DROP TRIGGER {name}")
        yield connection
        for _, sql in made:
            connection.execute(sql)
        connection.commit()
