"""Files of cases, calls to rescuers, and accounts that are known elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "files_calls_subjects"
down_revision = "online_state"

_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and the column for those who sign in elsewhere."""
    _make_case_files()
    _make_rescue_calls()
    _add_subject()


def _add_subject() -> None:
    columns = sa.inspect(op.get_bind()).get_columns("accounts")
    if "subject" not in {column["name"] for column in columns}:
        op.add_column("accounts", sa.Column("subject", sa.Text))
    op.create_index(
        "one_account_per_subject", "accounts", ["subject"], unique=True, if_not_exists=True
    )


def _make_case_files() -> None:
    op.create_table(
        "contents",
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_table(
        "case_files",
        sa.Column("case_id", sa.Text, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("sha256", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("media_type", sa.Text, nullable=False),
        sa.Column("size_bytes", sa.Integer, nullable=False),
        sa.Column("attached_at", sa.Text, nullable=False),
        sa.Column("attached_by", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )


def _make_rescue_calls() -> None:
    decision = sa.ForeignKey("decisions.decision_id")
    op.create_table(
        "rescue_calls",
        sa.Column("decision_id", sa.Text, decision, primary_key=True),
        sa.Column("seq", _PLACE, nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("next_at", sa.Text, nullable=False),
        sa.Column("delivered_at", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index(
        "rescue_calls_to_make",
        "rescue_calls",
        ["next_at"],
        sqlite_where=sa.text("delivered_at IS NULL"),
        postgresql_where=sa.text("delivered_at IS NULL"),
        if_not_exists=True,
    )
    op.create_table(
        "rescue_calls_found_to",
        sa.Column("seq", _PLACE, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
