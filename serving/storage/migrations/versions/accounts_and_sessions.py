"""Accounts of people, and the sessions of the console."""

import sqlalchemy as sa
from alembic import op

revision = "accounts_and_sessions"
down_revision = "cases_and_events"


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "accounts",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("password_hash", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("offices", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("disabled_at", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_table(
        "sessions",
        sa.Column("cookie_sha256", sa.Text, primary_key=True),
        sa.Column("holder", sa.Text, nullable=False),
        sa.Column("form_token", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
