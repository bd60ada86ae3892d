"""Queues subjects to be scored again, in the transaction that stores the reason.

A subject waits once, until the earliest requested instant; the scheduler then determines what is to
be done. A sign of danger to life puts it before all others.
"""

from collections.abc import Container, Iterable
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, and_, case, literal, select, tuple_

from serving.storage.tables.column_types import INSTANT
from serving.storage.tables.scoring import decisions, due_rescorings


class SubjectToken(NamedTuple):
    """A subject by its kind and the token of its id."""

    subject_kind: str
    token: str


def queue_rescoring_of_decided(
    connection: Connection,
    subjects: Iterable[SubjectToken],
    at: datetime,
    in_danger: Container[SubjectToken] = (),
) -> None:
    """Queue those of these subjects that have a decision."""
    among = tuple_(decisions.c.subject_kind, decisions.c.subject_id).in_([*subjects])
    query = select(decisions.c.subject_kind, decisions.c.subject_id).where(among).distinct()
    for subject_kind, token in connection.execute(query).all():
        subject = SubjectToken(subject_kind, token)
        queue_rescoring(connection, subject, at, is_danger=subject in in_danger)


def queue_rescoring(
    connection: Connection, subject: SubjectToken, until: datetime, *, is_danger: bool = False
) -> None:
    """Queue a subject until an instant, or keep an earlier one.

    With `is_danger` it is in danger from that instant on.
    """
    is_it = and_(
        due_rescorings.c.subject_kind == subject.subject_kind,
        due_rescorings.c.subject_id == subject.token,
    )
    waits = due_rescorings.c
    again = due_rescorings.update().where(is_it)
    sooner = {"danger_at": _earlier(waits.danger_at, until)} if is_danger else {}
    changed = connection.execute(
        # `arrivals` grows with each item of news, so that a worker does not delete what it has not
        # seen.
        again.values(arrivals=waits.arrivals + 1, due_at=_earlier(waits.due_at, until), **sooner)
    )
    if not changed.rowcount:
        connection.execute(
            due_rescorings.insert().values(
                subject_kind=subject.subject_kind,
                subject_id=subject.token,
                due_at=until,
                danger_at=until if is_danger else None,
                arrivals=1,
            )
        )


def _earlier(column: ColumnElement[Any], instant: datetime) -> ColumnElement[Any]:
    return case((column < instant, column), else_=literal(instant, INSTANT))
