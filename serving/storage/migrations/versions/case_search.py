"""By what cases are found; older cases get their terms from the service, which has the keys.

PostgreSQL keeps no statistics of codes: what `ANALYZE` sampled would outlive the erasure of it.
"""

import sqlalchemy as sa
from alembic import op

revision = "case_search"
down_revision = "published_events"

_INDEXES = {
    "case_terms_by_code": ["is_rescue", "code", "minus_seq"],
    "case_terms_by_office": ["is_rescue", "office_id", "code", "minus_seq"],
}


def upgrade() -> None:
    """Make the tables; say from which place on cases have terms, where there are any before."""
    op.create_table(
        "case_terms",
        sa.Column("case_id", sa.Text, sa.ForeignKey("cases.case_id"), primary_key=True),
        sa.Column("code", sa.LargeBinary, primary_key=True),
        sa.Column("minus_seq", _PLACE, nullable=False),
        sa.Column("is_rescue", sa.Integer, nullable=False),
        sa.Column("office_id", sa.Text),
        sa.Column("names", sa.Text, nullable=False),
        sa.Column("encrypted_value", sa.Text, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    for name, columns in _INDEXES.items():
        op.create_index(name, "case_terms", columns, if_not_exists=True)
    op.create_table(
        "case_terms_from",
        sa.Column("seq", _PLACE, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    op.execute(
        "INSERT INTO case_terms_from (seq) SELECT max(seq) + 1 FROM cases "
        "WHERE NOT EXISTS (SELECT 1 FROM case_terms_from) HAVING max(seq) IS NOT NULL"
    )
    if op.get_bind().dialect.name == "postgresql":
        op.execute("ALTER TABLE case_terms ALTER COLUMN code SET STATISTICS 0")


_PLACE = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
