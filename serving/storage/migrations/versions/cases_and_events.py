"""Cases for reviewers, and everything that happens to them."""

import sqlalchemy as sa
from alembic import op

revision = "cases_and_events"
down_revision = "checkpoints_records_opinions"

_NEVER = "what was appended is never changed"
_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make the tables, and let the database refuse any change of an event."""
    _make_cases()
    _make_case_events()
    if op.get_context().dialect.name == "postgresql":
        _refuse_changes_in_postgresql()
    else:
        _refuse_changes_in_sqlite()


def _make_cases() -> None:
    decision = sa.ForeignKey("decisions.decision_id")
    op.create_table(
        "cases",
        sa.Column("case_id", sa.Text, decision, primary_key=True),
        sa.Column("seq", _PLACE, nullable=False),
        sa.Column("subject_kind", sa.Text, nullable=False),
        sa.Column("subject_id", sa.Text, nullable=False),
        sa.Column("office_id", sa.Text),
        sa.Column("lane", sa.Text, nullable=False),
        sa.Column("mode", sa.Text),
        sa.Column("rank", sa.Integer, nullable=False),
        sa.Column("due_at", sa.Text, nullable=False),
        sa.Column("opened_at", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("owner", sa.Text),
        sa.Column("snoozed_until", sa.Text),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("state", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    by_urgency = ["rank", "due_at", "case_id"]
    op.create_index("cases_by_urgency", "cases", by_urgency, if_not_exists=True)
    op.create_index("cases_by_lane", "cases", ["lane", "status"], if_not_exists=True)
    op.create_table(
        "case_links",
        sa.Column("case_id", sa.Text, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("value", sa.Text, primary_key=True),
        sa.Column("seq", _PLACE, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    by_value = ["kind", "value", "seq"]
    op.create_index("case_links_by_value", "case_links", by_value, if_not_exists=True)
    op.create_table(
        "cases_opened_to",
        sa.Column("seq", _PLACE, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )


def _make_case_events() -> None:
    case = sa.ForeignKey("cases.case_id")
    op.create_table(
        "case_events",
        sa.Column("seq", _PLACE, primary_key=True, autoincrement=False),
        sa.Column("case_id", sa.Text, case, nullable=False),
        sa.Column("at", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("changed", sa.Text, nullable=False),
        sa.Column("text", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index("case_events_by_case", "case_events", ["case_id", "seq"], if_not_exists=True)


def _refuse_changes_in_sqlite() -> None:
    for change in ("UPDATE", "DELETE"):
        op.execute(
            f"CREATE TRIGGER IF NOT EXISTS case_events_refuse_{change.lower()} "
            f"BEFORE {change} ON case_events BEGIN SELECT RAISE(ABORT, '{_NEVER}'); END"
        )


def _refuse_changes_in_postgresql() -> None:
    op.execute(
        "CREATE OR REPLACE FUNCTION case_events_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$$ BEGIN RAISE EXCEPTION '{_NEVER}' USING ERRCODE = 'restrict_violation'; END $$"
    )
    for change in ("UPDATE", "DELETE", "TRUNCATE"):
        op.execute(
            f"CREATE OR REPLACE TRIGGER case_events_refuse_{change.lower()} BEFORE {change} "
            "ON case_events FOR EACH STATEMENT EXECUTE FUNCTION case_events_refuse()"
        )
