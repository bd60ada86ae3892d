"""Calls to rescuers wait for a person: who acknowledged, when they go on, and every step."""

import sqlalchemy as sa
from alembic import op

revision = "rescue_acknowledgements"
down_revision = "standard_names"

_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_ADDED = (
    sa.Column("step", sa.Integer, nullable=False, server_default="0"),
    sa.Column("goes_on_at", sa.Text),
    sa.Column("acknowledged_at", sa.Text),
    sa.Column("acknowledged_by", sa.Text),
)
_NAMES = ("delivered_at", "acknowledged_at", "acknowledged_by")
_BEFORE = "delivered before calls were acknowledged"


def upgrade() -> None:
    """Add the columns and the table; what was delivered until now counts as acknowledged."""
    found = {column["name"] for column in sa.inspect(op.get_bind()).get_columns("rescue_calls")}
    for column in _ADDED:
        if column.name not in found:
            op.add_column("rescue_calls", column)
    calls = sa.table("rescue_calls", *map(sa.column, _NAMES))
    taken = calls.update().where(
        calls.c.delivered_at.is_not(None), calls.c.acknowledged_at.is_(None)
    )
    op.execute(taken.values(acknowledged_at=calls.c.delivered_at, acknowledged_by=_BEFORE))
    op.drop_index("rescue_calls_to_make", "rescue_calls", if_exists=True)
    op.create_index(
        "rescue_calls_to_make",
        "rescue_calls",
        ["next_at"],
        sqlite_where=sa.text("acknowledged_at IS NULL"),
        postgresql_where=sa.text("acknowledged_at IS NULL"),
    )
    op.create_table(
        "rescue_call_events",
        sa.Column("seq", _PLACE, primary_key=True, autoincrement=False),
        sa.Column("decision_id", sa.Text, sa.ForeignKey("decisions.decision_id"), nullable=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in ("at", "actor", "action")),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.create_index(
        "rescue_call_events_by_call",
        "rescue_call_events",
        ["decision_id", "seq"],
        if_not_exists=True,
    )
