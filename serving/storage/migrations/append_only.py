"""Tables that are appended to: the database itself refuses any change of a row."""

from alembic import op


def refuse_changes(table: str, words: str) -> None:
    """Let the database refuse to update, delete or truncate rows of a table, in these words."""
    if op.get_context().dialect.name == "postgresql":
        _refuse_in_postgresql(table, words)
    else:
        _refuse_in_sqlite(table, words)


def _refuse_in_sqlite(table: str, words: str) -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS {table}_refuse_{change.lower()} "
            f"BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, '{words}'); END"
        )


def _refuse_in_postgresql(table: str, words: str) -> None:
    op.execute(
        f"CREATE OR REPLACE FUNCTION {table}_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{words}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} "
            f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION {table}_refuse()"
        )
