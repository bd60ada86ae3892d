"""What data may be used for: of a database, of its keys and records; and what was refused."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

revision = "purposes"
down_revision = "retention"

_NEVER = "what was appended is never changed"
_ADDED = (("api_keys", "purposes"), ("records", "purpose"))


def upgrade() -> None:
    """Make the tables and columns, and let the database refuse any change of what was refused."""
    op.create_table(
        "bound_purpose",
        sa.Column("purpose", sa.Text, primary_key=True),
        sqlite_strict=True,
        if_not_exists=True,
    )
    texts = (sa.Column(name, sa.Text, nullable=False) for name in ("at", "caller_id", "purpose"))
    op.create_table(
        "refused_uses",
        sa.Column("number", sa.Integer, primary_key=True, autoincrement=False),
        *texts,
        sa.Column("use", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    found = sa.inspect(op.get_bind())
    for table, column in _ADDED:
        if column not in {each["name"] for each in found.get_columns(table)}:
            op.add_column(table, sa.Column(column, sa.Text))
    refuse_changes("refused_uses", _NEVER)
