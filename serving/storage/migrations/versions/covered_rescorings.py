"""The audit chain covers who waits to be scored again: rows that are there are told once.

Nothing changes but that: whoever takes a subject out of those who wait is found.
"""

revision = "covered_rescorings"
down_revision = "state_statistics"


def upgrade() -> None:
    """Change no table; what is covered anew is told after the steps."""
