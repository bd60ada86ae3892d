"""Write `verification/schema.json`: what the migrations make on an empty database."""

import json
from collections.abc import Mapping

from sqlalchemy import create_engine
from sqlalchemy.engine import make_url

from serving.storage.migration import run_steps
from serving.storage.verification.schema_check import EXPECTED, digests


def made_by_migrations(url: str) -> Mapping[str, str]:
    """Take every step on an empty database; the digests of what it then has."""
    address = make_url(url)
    if address.get_backend_name() == "postgresql":
        address = address.set(drivername="postgresql+psycopg")
    engine = create_engine(address)
    try:
        with engine.begin() as connection:
            run_steps(connection)
            return digests(connection)
    finally:
        engine.dispose()


def as_json(found: Mapping[str, Mapping[str, str]]) -> str:
    """The content of the file."""
    return json.dumps(found, indent=1, sort_keys=True) + "\n"


if __name__ == "__main__":
    from tests.serving.postgres import postgresql

    with postgresql() as server:
        urls = {"sqlite": "sqlite://", "postgresql": server.new_database()}
        EXPECTED.write_text(as_json({name: made_by_migrations(url) for name, url in urls.items()}))
