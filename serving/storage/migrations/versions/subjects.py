"""Only routes and shipments are decided about: the database takes nothing else."""

import sqlalchemy as sa
from alembic import op

revision = "subjects"
down_revision = "purposes"

_NAME = "decisions_are_about_routes_and_shipments"
_KINDS = "('route', 'shipment')"


def upgrade() -> None:
    """Let the database refuse a decision about anything else."""
    if op.get_context().dialect.name == "postgresql":
        found = sa.inspect(op.get_bind()).get_check_constraints("decisions")
        if _NAME not in {each["name"] for each in found}:
            op.execute(
                f"ALTER TABLE decisions ADD CONSTRAINT {_NAME} "
                f"CHECK (subject_kind IN {_KINDS}) NOT VALID"
            )
        return
    op.execute(
        f"CREATE TRIGGER IF NOT EXISTS {_NAME} BEFORE INSERT ON decisions "
        f"WHEN NEW.subject_kind NOT IN {_KINDS} BEGIN "
        "SELECT RAISE(ABORT, 'only routes and shipments are decided about'); END"
    )
