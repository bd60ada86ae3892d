"""Fixed statements put to the driver itself, in both databases."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from serving.db.raw_sql import DriverConnection, InsertStatement
from serving.db.tables import contents
from serving.db.write_lock import writing_directly
from tests.serving.databases import database
from tests.serving.postgres import Server

CONTENTS = "SELECT sha256, content FROM contents WHERE sha256 <> ? ORDER BY sha256"
INTO_CONTENTS = InsertStatement(contents)


def test_what_was_committed_is_there_and_nothing_else(where: Path | str) -> None:
    engine = database(where, is_service=True)
    names = ("one", "another", "x")

    with writing_directly(engine) as writing:
        INTO_CONTENTS.execute([{"content": b"?", "sha256": name} for name in names], writing)
    with pytest.raises(KeyError), writing_directly(engine) as writing:
        INTO_CONTENTS.execute(
            [{"content": b"", "sha256": "undone"}, {"sha256": "halfway"}], writing
        )

    with DriverConnection(engine) as direct:
        assert direct.rows(CONTENTS, ["x"]) == [("another", b"?"), ("one", b"?")]


def test_what_the_database_refuses_is_raised_as_usual_and_ends_the_turn(where: Path | str) -> None:
    engine = database(where, is_service=True)
    same = {"content": b"", "sha256": "same"}

    with pytest.raises(IntegrityError), writing_directly(engine) as writing:
        INTO_CONTENTS.execute([same, same], writing)

    with writing_directly(engine) as writing:
        INTO_CONTENTS.execute([same], writing)
        assert writing.rows(CONTENTS, [""]) == [("same", b"")]


def test_a_connection_that_broke_is_thrown_away_at_once(
    postgres: Server, caplog: pytest.LogCaptureFixture
) -> None:
    engine = database(postgres.new_database())
    with engine.connect() as other, DriverConnection(engine) as direct:
        ((own,),) = direct.rows("SELECT pg_backend_pid()")
        other.execute(text("SELECT pg_terminate_backend(:own)"), {"own": own})
        with pytest.raises(OperationalError):
            direct.rows("SELECT 1")

    assert not caplog.records  # the pool was not given it, or it would tell of that at length
    with DriverConnection(engine) as direct:
        assert direct.rows("SELECT 1") == [(1,)]
