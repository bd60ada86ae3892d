"""As what a case names each thing that it shares: a party as its payer, a conveyance as a vessel.

Links of older cases have none, and are shown as the party, container or conveyance that they are.
"""

import sqlalchemy as sa
from alembic import op

revision = "case_link_roles"
down_revision = "approvals"


def upgrade() -> None:
    """Make the column."""
    columns = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("case_links")}
    if "roles" not in columns:
        op.add_column("case_links", sa.Column("roles", sa.Text))
