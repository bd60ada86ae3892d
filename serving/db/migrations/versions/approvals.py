"""Approvals: keys that persons hold, acts that wait, who agreed, and what was used."""

import sqlalchemy as sa
from alembic import op

revision = "approvals"
down_revision = "review_actors"

_NEVER = "what was appended is never changed"
_TABLES = {
    "approval_keys": ("key_id", "account", "public_key", "registered_at", "registered_by"),
    "revoked_approval_keys": ("key_id", "revoked_at", "revoked_by"),
    "proposed_acts": ("act_id", "act", "evidence", "proposed_at", "proposed_by"),
    "approvals": ("approval_id", "act_id", "account", "part", "is_agreed", "given_at", "document"),
    "used_approvals": ("approval_id", "used_at", "used_by"),
}
_OF_OTHERS = {
    "revoked_approval_keys": "approval_keys.key_id",
    "used_approvals": "approvals.approval_id",
}


def upgrade() -> None:
    """Make the tables, and let the database refuse any change of what was done."""
    for table, (key, *texts) in _TABLES.items():
        first = [sa.ForeignKey(_OF_OTHERS[table])] if table in _OF_OTHERS else []
        op.create_table(
            table,
            sa.Column(key, sa.Text, *first, primary_key=True),
            *(sa.Column(name, _type_of(name), nullable=False) for name in texts),
            sqlite_strict=True,
            if_not_exists=True,
        )
    op.create_index("approval_keys_by_account", "approval_keys", ["account"], if_not_exists=True)
    op.create_index("approvals_by_act", "approvals", ["act_id"], if_not_exists=True)
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_in_postgresql()
    else:
        _refuse_changes_in_sqlite()


def _type_of(column: str) -> type[sa.Text | sa.Integer]:
    return sa.Integer if column.startswith("is_") else sa.Text


def _refuse_changes_in_sqlite() -> None:
    for table in _TABLES:
        for change in ("UPDATE", "DELETE"):
            op.execute(
                f"CREATE TRIGGER IF NOT EXISTS {table}_refuse_{change.lower()} "
                f"BEFORE {change} ON {table} BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
            )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION approvals_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for table in _TABLES:
        for change in ("UPDATE", "DELETE", "TRUNCATE"):
            op.execute(
                f"CREATE OR REPLACE TRIGGER {table}_refuse_{change.lower()} BEFORE {change} "
                f"ON {table} FOR EACH STATEMENT EXECUTE FUNCTION approvals_refuse()"
            )
