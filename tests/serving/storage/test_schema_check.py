"""Triggers, tables and functions that no migration made are named, and nothing is served."""

from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from features.errors import TidegateError
from serving.storage.stores import Stores
from serving.storage.verification.schema_check import EXPECTED, schema_faults
from tests.serving.conftest import NOW
from tests.serving.databases import database, keys_of
from tests.serving.postgres import Server
from tests.serving.storage.make_schema import as_json, made_by_migrations

SQLITE = {
    "CREATE TRIGGER evil AFTER INSERT ON case_events BEGIN UPDATE notices SET read_at = '1'; END": (
        "trigger evil: it is none of this release"
    ),
    "CREATE TABLE extra (id TEXT)": "table extra: it is none of this release",
    "CREATE VIEW spying AS SELECT * FROM accounts": "view spying: it is none of this release",
    "CREATE INDEX odd ON accounts (upper(name))": "index odd: it is none of this release",
    "DROP TRIGGER decisions_refuse_update": "trigger decisions_refuse_update: it is missing",
    "ALTER TABLE accounts ADD COLUMN backdoor TEXT DEFAULT 'x'": "table accounts: it was changed",
    "DROP INDEX decisions_by_subject": "index decisions_by_subject: it is missing",
    "ALTER TABLE visits RENAME TO sights": "table sights: it is none of this release",
}
_FUNCTION = "CREATE FUNCTION evil() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';\n"
POSTGRESQL = {
    _FUNCTION
    + "CREATE TRIGGER evil AFTER INSERT ON case_events FOR EACH ROW EXECUTE FUNCTION evil()": (
        "trigger evil on case_events: it is none of this release"
    ),
    _FUNCTION: "function evil(): it is none of this release",
    "CREATE TABLE extra (id text)": "table extra: it is none of this release",
    "CREATE VIEW spying AS SELECT * FROM accounts": "view spying: it is none of this release",
    "CREATE MATERIALIZED VIEW spying AS SELECT * FROM accounts": (
        "materialized view spying: it is none of this release"
    ),
    "CREATE INDEX odd ON accounts (upper(name))": "index odd: it is none of this release",
    "CREATE RULE evil AS ON INSERT TO notices DO INSTEAD NOTHING": (
        "rule evil on notices: it is none of this release"
    ),
    "ALTER TABLE cases ENABLE ROW LEVEL SECURITY": "table cases: it was changed",
    "CREATE POLICY evil ON cases USING (lane <> 'rescue')": (
        "policy evil on cases: it is none of this release"
    ),
    "DROP TRIGGER decisions_refuse_update ON decisions": (
        "trigger decisions_refuse_update on decisions: it is missing"
    ),
    "ALTER TABLE decisions DISABLE TRIGGER decisions_refuse_update": (
        "trigger decisions_refuse_update on decisions: it was changed"
    ),
    "ALTER TABLE cases DISABLE TRIGGER ALL": (
        "trigger of a foreign key on cases: it is none of this release"
    ),
    "ALTER TABLE accounts ALTER COLUMN role SET DEFAULT 'admin'": (
        "column accounts.role: it was changed"
    ),
    "ALTER TABLE accounts ADD COLUMN backdoor text GENERATED ALWAYS AS (name) STORED": (
        "column accounts.backdoor: it is none of this release"
    ),
    "CREATE OR REPLACE FUNCTION decisions_refuse() RETURNS trigger LANGUAGE plpgsql AS "
    "'BEGIN RETURN NULL; END'": "function decisions_refuse(): it was changed",
    "ALTER TABLE accounts ADD CONSTRAINT odd CHECK (name <> 'ada')": (
        "constraint accounts.odd: it is none of this release"
    ),
    "CREATE FUNCTION watch() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';\n"
    "CREATE EVENT TRIGGER evil ON ddl_command_end EXECUTE FUNCTION watch()": (
        "event trigger evil: it is none of this release"
    ),
    "ALTER ROLE postgres IN DATABASE {name} SET session_replication_role = replica": (
        "setting session_replication_role: it is none of this release"
    ),
    "CREATE FOREIGN DATA WRAPPER abroad;\nCREATE SERVER away FOREIGN DATA WRAPPER abroad;\n"
    "CREATE FOREIGN TABLE far (id text) SERVER away": (
        "foreign table far: it is none of this release"
    ),
}


def changed(where: Path | str, statements: str) -> Engine:
    """A database of this release, changed by somebody who owns it, and opened anew."""
    engine = database(where)
    name = engine.url.database
    with engine.begin() as connection:
        for statement in statements.split(";\n"):
            if statement:
                connection.exec_driver_sql(statement.replace("{name}", f"{name}"))
    engine.dispose()
    return engine


def refused(where: Path | str) -> str:
    """Why a service does not start over a database."""
    with pytest.raises(TidegateError) as refusal:
        Stores.of_service(where, keys_of(where), lambda: NOW)
    return str(refusal.value)


def test_the_file_says_what_the_migrations_make(postgres: Server) -> None:
    urls = {"sqlite": "sqlite://", "postgresql": postgres.new_database()}
    made = {name: made_by_migrations(url) for name, url in urls.items()}

    assert EXPECTED.read_text() == as_json(made), "run python -m tests.serving.storage.make_schema"


def test_a_database_as_the_migrations_make_it_is_served(where: Path | str) -> None:
    assert schema_faults(database(where)) == []


@pytest.mark.parametrize(("statement", "says"), SQLITE.items())
def test_what_somebody_changed_in_a_file_is_named_and_nothing_is_served(
    tmp_path: Path, statement: str, says: str
) -> None:
    engine = changed(tmp_path / "tidegate.db", statement)

    assert says in map(str, schema_faults(engine))
    assert says in refused(tmp_path / "tidegate.db")


def test_what_somebody_changed_in_postgresql_is_named_and_nothing_is_served(
    postgres: Server,
) -> None:
    for statement, says in POSTGRESQL.items():
        where = postgres.new_database()
        engine = changed(where, statement)
        assert says in map(str, schema_faults(engine)), statement
        assert says in refused(where)


def test_every_trigger_that_keeps_rows_as_they_are_is_missed(where: Path | str) -> None:
    engine = database(where)
    is_file = engine.dialect.name == "sqlite"
    listed = text(
        "SELECT name, tbl_name FROM sqlite_master WHERE type = 'trigger'"
        if is_file
        else "SELECT tgname, tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
    )
    with engine.begin() as connection:
        triggers = connection.execute(listed).all()
        for name, table in triggers:
            connection.exec_driver_sql(f"DROP TRIGGER {name}{'' if is_file else f' ON {table}'}")

    assert len([each for each in schema_faults(engine) if each.why == "it is missing"]) == len(
        triggers
    )
    assert "more" in refused(where)


def test_what_a_maintained_server_adds_by_itself_is_no_fault(postgres: Server) -> None:
    where = postgres.new_database()
    engine = changed(
        where,
        "CREATE SCHEMA monitoring;\nCREATE TABLE monitoring.figures (id text);\n"
        "CREATE FUNCTION monitoring.watch() RETURNS event_trigger LANGUAGE plpgsql "
        "AS 'BEGIN END';\n"
        "CREATE EVENT TRIGGER managed ON ddl_command_end EXECUTE FUNCTION monitoring.watch();\n"
        "ANALYZE",
    )

    assert schema_faults(engine) == []


def test_statistics_of_a_file_are_no_fault(tmp_path: Path) -> None:
    assert schema_faults(changed(tmp_path / "tidegate.db", "ANALYZE")) == []
