"""Databases of either engine, opened with keys of their own."""

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from serving.db.engine import open_database, upgrade_database


def database(where: Path | str, *, is_service: bool = False) -> Engine:
    """The database; its keys are beside the file, or in a folder of the server's."""
    return open_database(where, is_service=is_service, keys=keys_of(where))


def upgraded(where: Path | str) -> Engine:
    """The database of an older release, brought to this one."""
    upgrade_database(where, keys_of(where))
    return database(where)


def keys_of(where: Path | str) -> Path:
    """The folder of its home's keys."""
    if isinstance(where, Path):
        return where.parent / "keys"
    address = make_url(where)
    return Path(str(address.query["host"])) / f"home-of-{address.database}" / "keys"
