"""Signed checkpoints of the log, records that came by themselves, and second opinions."""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

revision = "checkpoints_records_opinions"
down_revision = "decisions_answers_keys"

_NEVER = "what was appended is never changed"
_FIGURE = sa.Float(53).with_variant(sa.REAL(), "sqlite")


def upgrade() -> None:
    """Make the tables, and let the database refuse any change of a checkpoint or a record."""
    _make_checkpoints()
    _make_records()
    _make_second_opinions()
    for table in ("checkpoints", "records"):
        refuse_changes(table, _NEVER)


def _make_checkpoints() -> None:
    size = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.create_table(
        "checkpoints",
        sa.Column("size", size, primary_key=True, autoincrement=False),
        sa.Column("head", sa.Text, nullable=False),
        sa.Column("signed_at", sa.Text, nullable=False),
        sa.Column("key_id", sa.Text, nullable=False),
        sa.Column("signature", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )


def _make_records() -> None:
    op.create_table(
        "records",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("received_at", sa.Text, nullable=False),
        sa.Column("caller_id", sa.Text, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    by_subject = ["subject_kind", "subject_id"]
    op.create_index("records_by_subject", "records", by_subject, if_not_exists=True)
    op.create_index("records_by_arrival", "records", ["received_at"], if_not_exists=True)


def _make_second_opinions() -> None:
    decision = sa.ForeignKey("decisions.decision_id")
    op.create_table(
        "second_opinions",
        sa.Column("decision_id", sa.Text, decision, primary_key=True),
        sa.Column("role", sa.Text, primary_key=True),
        sa.Column("model", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False),
        sa.Column("log_odds", _FIGURE, nullable=False),
        sa.Column("probability", _FIGURE, nullable=False),
        sa.Column("percentile", _FIGURE, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
