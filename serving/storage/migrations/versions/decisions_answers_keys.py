"""The decision log, the answers given, and the API keys."""

import sqlalchemy as sa
from alembic import op

revision = "decisions_answers_keys"
down_revision = None

_NEVER = "decisions are appended and never changed"


def upgrade() -> None:
    """Make the tables, and let the database refuse any change of a decision."""
    _make_decisions()
    _make_answers()
    _make_api_keys()
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_in_postgresql()
    else:
        _refuse_changes_in_sqlite()


def _make_decisions() -> None:
    op.create_table(
        "decisions",
        sa.Column(
            "seq",
            sa.BigInteger().with_variant(sa.Integer(), "sqlite"),
            primary_key=True,
            autoincrement=False,
        ),
        sa.Column("decision_id", sa.Text, nullable=False, unique=True),
        sa.Column("scored_at", sa.Text, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("office_id", sa.Text),
        sa.Column("caller_id", sa.Text, nullable=False),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("probability", sa.Float(53).with_variant(sa.REAL(), "sqlite"), nullable=False),
        sa.Column("record", sa.Text, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    by_subject = ["subject_kind", "subject_id"]
    op.create_index("decisions_by_subject", "decisions", by_subject, if_not_exists=True)
    op.create_index("decisions_by_office", "decisions", ["office_id", "seq"], if_not_exists=True)


def _make_answers() -> None:
    decision = sa.ForeignKey("decisions.decision_id")
    op.create_table(
        "answers",
        sa.Column("caller_id", sa.Text, primary_key=True),
        sa.Column("idempotency_key", sa.Text, primary_key=True),
        sa.Column("request_digest", sa.Text, nullable=False),
        sa.Column("decision_id", sa.Text, decision, nullable=False),
        sa.Column("answered_at", sa.Text, nullable=False),
        sa.Column("body", sa.LargeBinary, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )


def _make_api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key_id", sa.Text, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("secret_sha256", sa.Text, nullable=False),
        sa.Column("scopes", sa.Text, nullable=False),
        sa.Column("offices", sa.Text, nullable=False),
        sa.Column("created_at", sa.Text, nullable=False),
        sa.Column("expires_at", sa.Text),
        sa.Column("revoked_at", sa.Text),
        sqlite_strict=True,
        if_not_exists=True,
    )
    is_live = sa.text("revoked_at IS NULL")
    op.create_index(
        "one_live_key_per_name",
        "api_keys",
        ["name"],
        unique=True,
        if_not_exists=True,
        sqlite_where=is_live,
        postgresql_where=is_live,
    )


def _refuse_changes_in_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS decisions_refuse_{change.lower()} "
            f"BEFORE {change} ON decisions BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION decisions_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER decisions_refuse_{change.lower()} BEFORE {change} "
            "ON decisions FOR EACH STATEMENT EXECUTE FUNCTION decisions_refuse()"
        )
