"""Switches of models, and decisions that no model was asked for."""

import sqlalchemy as sa
from alembic import op

revision = "switches"
down_revision = "encryption"

_NEVER = "what was switched stays on record"


def upgrade() -> None:
    """Make the table, let the database refuse any change, and let a probability be absent."""
    op.create_table(
        "switches",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("is_on", sa.Integer, nullable=False),
        sa.Column("switched_at", sa.Text, nullable=False),
        sa.Column("switched_by", sa.Text, nullable=False),
        sa.Column("because", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    if op.get_context().dialect.name == "postgresql":
        op.alter_column("decisions", "probability", nullable=True)
        _refuse_changes_in_postgresql()
    else:
        _let_a_probability_be_absent_in_sqlite()
        _refuse_changes_in_sqlite()


def _let_a_probability_be_absent_in_sqlite() -> None:
    """By the way that SQLite describes for taking NOT NULL away: no row is touched.

    Making the table anew would copy the whole log (sqlite.org/lang_altertable.html, section 7).
    """
    database = op.get_bind()
    version = database.exec_driver_sql("PRAGMA schema_version").scalar_one()
    database.exec_driver_sql("PRAGMA writable_schema = ON")
    try:
        database.exec_driver_sql(
            "UPDATE sqlite_schema SET sql = replace(sql, 'probability REAL NOT NULL', "
            "'probability REAL') WHERE type = 'table' AND name = 'decisions'"
        )
        database.exec_driver_sql(f"PRAGMA schema_version = {version + 1}")
    finally:
        database.exec_driver_sql("PRAGMA writable_schema = OFF")


def _refuse_changes_in_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS switches_refuse_{change.lower()} "
            f"BEFORE {change} ON switches BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION switches_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER switches_refuse_{change.lower()} BEFORE {change} "
            "ON switches FOR EACH STATEMENT EXECUTE FUNCTION switches_refuse()"
        )
