"""Databases of either engine, opened with keys of their own."""

from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.engine import make_url

from serving.db.engine import open_database


def database(where: Path | str, *, is_service: bool = False) -> Engine:
    """The database; its keys are beside the file, or in a folder of the server's."""
    if isinstance(where, Path):
        return open_database(where, is_service=is_service)
    address = make_url(where)
    keys = Path(str(address.query["host"])) / f"keys-of-{address.database}"
    return open_database(where, is_service=is_service, keys=keys)
