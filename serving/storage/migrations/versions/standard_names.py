"""Shadow scores and encrypted links under the names that the code has for them."""

import sqlalchemy as sa
from alembic import op

revision = "standard_names"
down_revision = "subjects"


def upgrade() -> None:
    """Rename a table and a column; where both names are there, steps taken again made the old."""
    found = sa.inspect(op.get_bind())
    if not found.has_table("shadow_scores"):
        op.rename_table("second_opinions", "shadow_scores")
    else:
        op.drop_table("second_opinions", if_exists=True)
    columns = {column["name"] for column in found.get_columns("case_links")}
    if "encrypted_value" not in columns:
        op.execute("ALTER TABLE case_links RENAME COLUMN told TO encrypted_value")
    elif "told" in columns:
        op.drop_column("case_links", "told")
