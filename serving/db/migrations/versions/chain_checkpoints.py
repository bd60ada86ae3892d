"""Checkpoints of all chains, and how far each witness has them."""

import sqlalchemy as sa
from alembic import op

revision = "chain_checkpoints"
down_revision = "signing_in"

_NEVER = "what was appended is never changed"
_NUMBER = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and let the database refuse any change of a checkpoint."""
    op.create_table(
        "chain_checkpoints",
        sa.Column("number", _NUMBER, primary_key=True, autoincrement=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("line", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_table(
        "witness_progress",
        sa.Column("witness", sa.Text, primary_key=True),
        sa.Column("number", _NUMBER, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_in_postgresql()
    else:
        _refuse_changes_in_sqlite()


def _refuse_changes_in_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS chain_checkpoints_refuse_{change.lower()} "
            f"BEFORE {change} ON chain_checkpoints BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION chain_checkpoints_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER chain_checkpoints_refuse_{change.lower()} BEFORE {change} "
            "ON chain_checkpoints FOR EACH STATEMENT EXECUTE FUNCTION chain_checkpoints_refuse()"
        )
