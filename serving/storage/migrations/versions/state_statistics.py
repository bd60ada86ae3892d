"""PostgreSQL keeps no statistics of the online feature store: they hold keys, which name parties.

What `ANALYZE` sampled would outlive the erasure of what it sampled. Lookups are by primary key and
need none. A change of type, to the same one, drops what was sampled before.
"""

from alembic import op

revision = "state_statistics"
down_revision = "case_risk"


def upgrade() -> None:
    """Sample these columns no more."""
    if op.get_bind().dialect.name == "postgresql":
        for column in ("key", "value"):
            op.execute(f"ALTER TABLE state ALTER COLUMN {column} TYPE bytea")
            op.execute(f"ALTER TABLE state ALTER COLUMN {column} SET STATISTICS 0")
