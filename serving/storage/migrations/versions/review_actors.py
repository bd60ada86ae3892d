"""Who acted, by an identity, with the name beside it; and proposals to switch models on.

What was written before has a name alone, and keeps it: nobody can say by now whose it was. Owners
of cases are looked up, since they go on.
"""

import sqlalchemy as sa
from alembic import op

from serving.storage.migrations.append_only import refuse_changes

revision = "review_actors"
down_revision = "installation"

_NEVER = "what was proposed stays on record"
_NAMES = {
    "cases": "owner_name",
    "case_events": "actor_name",
    "case_files": "attached_by_name",
    "rescue_call_events": "actor_name",
    "switches": "switched_by_name",
}

NAMED_OWNERS = (
    "UPDATE cases SET owner_name = owner, owner = 'account:' || owner "
    "WHERE owner_name IS NULL AND owner IN (SELECT name FROM accounts)",
    "UPDATE cases SET owner_name = owner, owner = 'key:' || (SELECT k.key_id FROM api_keys k "
    "WHERE k.name = cases.owner AND k.revoked_at IS NULL) WHERE owner_name IS NULL AND EXISTS "
    "(SELECT 1 FROM api_keys k WHERE k.name = cases.owner AND k.revoked_at IS NULL)",
)
"""How whoever holds a case is named by an account or, else, a key of that name."""


def upgrade() -> None:
    """Make the columns, and name the owners of cases by their accounts or keys."""
    inspector = sa.inspect(op.get_bind())
    for table, column in _NAMES.items():
        if column not in {each["name"] for each in inspector.get_columns(table)}:
            op.add_column(table, sa.Column(column, sa.Text))
    _make_proposals()
    for statement in NAMED_OWNERS:
        op.execute(statement)


def _make_proposals() -> None:
    number = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    texts = ("subject_kind", "step", "at", "actor", "actor_name", "person", "because")
    op.create_table(
        "switch_proposals",
        sa.Column("seq", number, primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.Text, nullable=False) for name in texts),
        sa.Column("after_seq", number, nullable=False),
        sqlite_strict=True,
        if_not_exists=True,
    )
    refuse_changes("switch_proposals", _NEVER)
