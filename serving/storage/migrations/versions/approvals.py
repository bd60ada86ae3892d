"""Approvals: keys that persons hold, acts that wait, who agreed, and what was used."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

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
    for table in _TABLES:
        refuse_changes(table, _NEVER)


def _type_of(column: str) -> type[sa.Text | sa.Integer]:
    return sa.Integer if column.startswith("is_") else sa.Text
