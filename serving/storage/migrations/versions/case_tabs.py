"""Indexes by which the tabs of the list of cases are counted and shown, however many cases wait."""

import sqlalchemy as sa
from alembic import op

revision = "case_tabs"
down_revision = "webhooks"

COUNTED = ["due_at", "status", "owner", "lane", "office_id", "mode", "waiting_until"]
INDEXES: dict[str, tuple[list[str], str | None]] = {
    "cases_by_seq": (["seq", "case_id"], None),
    "cases_by_owner": (["owner", "status"], "owner IS NOT NULL"),
    "cases_begun": (["status", "seq"], "status <> 'open'"),
    "cases_to_count": (COUNTED, "status <> 'closed'"),
}


def upgrade() -> None:
    """Make the indexes; those of a tab have its cases alone."""
    for name, (columns, only) in INDEXES.items():
        where = sa.text(only) if only else None
        op.create_index(
            name,
            "cases",
            columns,
            if_not_exists=True,
            sqlite_where=where,
            postgresql_where=where,
        )
