"""Cases have actions and results: a case waits until an instant, and its statuses are those of now.

What a case says is encrypted; `serving/review/cases/former_cases.py` reads what is there by now.
"""

import sqlalchemy as sa
from alembic import op

revision = "case_actions"
down_revision = "case_link_roles"

_STATUSES = {"claimed": "assigned", "snoozed": "waiting", "second_review": "result_in"}
_CASES = sa.table("cases", sa.column("status"))


def upgrade() -> None:
    """Name the column and the statuses as they are called now."""
    columns = {each["name"] for each in sa.inspect(op.get_bind()).get_columns("cases")}
    if "snoozed_until" in columns:
        op.execute("ALTER TABLE cases RENAME COLUMN snoozed_until TO waiting_until")
    for former, current in _STATUSES.items():
        of_former = _CASES.update().where(_CASES.c.status == former)
        op.execute(of_former.values(status=current))
