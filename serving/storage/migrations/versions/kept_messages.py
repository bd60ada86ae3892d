"""Standard messages, kept as evidence, and which subjects they are about."""

import sqlalchemy as sa
from alembic import op

revision = "kept_messages"
down_revision = "case_tags"


def upgrade() -> None:
    """Make the tables; no message was kept so far."""
    op.create_table(
        "kept_messages",
        sa.Column("message_id", sa.Text, primary_key=True),
        sa.Column("caller_id", sa.Text, nullable=False),
        sa.Column("idempotency_key", sa.Text, nullable=False),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.Column("format", sa.Text, nullable=False),
        sa.Column("key_day", sa.Text, nullable=False),
        sa.Column("encrypted", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index(
        "kept_messages_by_key",
        "kept_messages",
        ["caller_id", "idempotency_key"],
        unique=True,
        if_not_exists=True,
    )
    op.create_index("kept_messages_by_day", "kept_messages", ["key_day"], if_not_exists=True)
    op.create_table(
        "message_subjects",
        sa.Column(
            "message_id", sa.Text, sa.ForeignKey("kept_messages.message_id"), primary_key=True
        ),
        sa.Column("subject_kind", sa.Text, primary_key=True),
        sa.Column("subject_id", sa.Text, primary_key=True),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index(
        "message_subjects_by_subject",
        "message_subjects",
        ["subject_kind", "subject_id"],
        if_not_exists=True,
    )
