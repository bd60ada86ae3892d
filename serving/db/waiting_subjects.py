"""Let subjects wait to be scored again, in the transaction that stores what makes them wait.

A subject waits once, until the earliest instant that anybody asked for; whoever plans it then finds
anew what is to be done.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection, and_, case, select, tuple_

from serving.db.tables.scoring import decisions, due_rescorings


class SubjectToken(NamedTuple):
    """A subject by its kind and the token that stands for its id."""

    subject_kind: str
    token: str


def let_decided_wait(connection: Connection, subjects: Iterable[SubjectToken], at: str) -> None:
    """Let those of these subjects wait that there is a decision about."""
    among = tuple_(decisions.c.subject_kind, decisions.c.subject_id).in_([*subjects])
    query = select(decisions.c.subject_kind, decisions.c.subject_id).where(among).distinct()
    for subject_kind, token in connection.execute(query).all():
        let_wait(connection, SubjectToken(subject_kind, token), at)


def let_wait(connection: Connection, subject: SubjectToken, until: str) -> None:
    """Let a subject wait until an instant (ISO, UTC), or until an earlier one where it did."""
    is_it = and_(
        due_rescorings.c.subject_kind == subject.subject_kind,
        due_rescorings.c.subject_id == subject.token,
    )
    waits = due_rescorings.c.due_at
    again = due_rescorings.update().where(is_it)
    changed = connection.execute(
        again.values(
            arrivals=due_rescorings.c.arrivals + 1,
            due_at=case((waits < until, waits), else_=until),
        )
    )
    if not changed.rowcount:
        connection.execute(
            due_rescorings.insert().values(
                subject_kind=subject.subject_kind,
                subject_id=subject.token,
                due_at=until,
                arrivals=1,
            )
        )
