"""Switches of models, and decisions that no model was asked for."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

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
    else:
        _let_a_probability_be_absent_in_sqlite()
    refuse_changes("switches", _NEVER)


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
