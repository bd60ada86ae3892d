"""Which database this is, the fingerprints of the keys that belong to it, and uses of API keys."""

import sqlalchemy as sa
from alembic import op

revision = "installation"
down_revision = "chain_checkpoints"

_ADDED = (("api_keys", "holder_id"), ("api_keys", "superseded_at"))
_ONE_CURRENT_KEY = "revoked_at IS NULL AND superseded_at IS NULL"


def upgrade() -> None:
    """Make the tables, and let a name have a key that is on its way out beside its current one."""
    op.create_table(
        "installation",
        sa.Column("database_id", sa.Text, primary_key=True),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("moving_to", sa.Text),
        sa.Column("moved_at", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_table(
        "installation_keys",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("fingerprint", sa.Text, primary_key=True),
        sa.Column("public_key", sa.Text, nullable=False),
        sa.Column("adopted_at", sa.Text, nullable=False),
        sa.Column("retires_at", sa.Text),
        sa.Column("adopted_by", sa.Text),
        sa.Column("adoption", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_table(
        "api_key_uses",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("last_used_at", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    found = sa.inspect(op.get_bind())
    for table, column in _ADDED:
        if column not in {each["name"] for each in found.get_columns(table)}:
            op.add_column(table, sa.Column(column, sa.Text))
    op.drop_index("one_live_key_per_name", "api_keys", if_exists=True)
    op.create_index(
        "one_current_key_per_name",
        "api_keys",
        ["name"],
        unique=True,
        sqlite_where=sa.text(_ONE_CURRENT_KEY),
        postgresql_where=sa.text(_ONE_CURRENT_KEY),
        if_not_exists=True,
    )
