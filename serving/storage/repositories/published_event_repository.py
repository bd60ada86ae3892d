"""The feed of case events for other systems, stored in the transaction of each change.

Numbers are assigned under the write lock, so transactions commit in the order of their numbers. No
event appears later at a number that a reader has passed, as with a database sequence.
"""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, func, or_, select

from serving.review.published_events import (
    DETAILS,
    FeedAccess,
    FeedEntry,
    FeedItem,
    FeedPage,
)
from serving.storage.encrypted_cases import units_of
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repository import Repository
from serving.storage.tables.outgoing import published_events
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import decisions

# Events examined for one page: those for other readers must not make a reader wait long.
MAX_LOOKED_AT = 5_000

_COPIED = tuple(name for name in FeedItem.__annotations__ if name != "details")


def publish(connection: Connection, keys: DataKeys, happenings: Iterable[FeedItem]) -> None:
    """Add events to the feed in a transaction that is already writing."""
    happenings = [*happenings]
    newest = connection.scalar(select(func.coalesce(func.max(published_events.c.seq), 0))) or 0
    units = units_of(connection, {each.case_id for each in happenings})
    rows = [
        asdict(each)
        | {
            "seq": seq,
            "details": keys.encrypt_text(
                units[each.case_id],
                _part(each.event_id),
                DETAILS.dump_json(each.details, exclude_none=True).decode(),  # type: ignore[arg-type]  # what is added has some
                connection,
            ),
        }
        for seq, each in enumerate(happenings, newest + 1)
    ]
    if rows:
        connection.execute(published_events.insert(), rows)


class PublishedEventRepository(Repository):
    """The feed of one database."""

    def page(self, access: FeedAccess, after: str | None, limit: int) -> FeedPage | None:
        """Return the events after `after`, oldest first; None if there is no such event.

        At most MAX_LOOKED_AT events are examined, so a page may be empty although more follow.
        """
        with self._reading() as connection:
            is_it = published_events.c.event_id == after
            place = select(published_events.c.seq).where(is_it)
            start = 0 if after is None else connection.scalar(place)
            if start is None:
                return None
            # Determined before the rows are read: events that arrive in between belong to the next
            # page.
            end = _end_of_look(connection, start)
            query = (
                select(published_events)
                .join(cases, cases.c.case_id == published_events.c.case_id)
                .where(published_events.c.seq > start, _is_for(access))
                .order_by(published_events.c.seq)
                .limit(limit + 1)
            )
            if end is not None:
                query = query.where(published_events.c.seq <= end.seq)
            rows = connection.execute(query).all()
            told = rows[:limit]
            of_cases = select(cases).where(cases.c.case_id.in_({row.case_id for row in told}))
            found = {row.case_id: row for row in connection.execute(of_cases)}
        entries = [self._entry(row, found[row.case_id]) for row in told]
        if len(rows) <= limit and end is not None:
            return FeedPage(entries, end.event_id, has_more=True)
        reached = told[-1].event_id if told else after
        return FeedPage(entries, reached, has_more=len(rows) > limit)

    def _entry(self, told: Row[Any], case: Row[Any]) -> FeedEntry:
        stored = self._keys.decrypt_text(told.case_id, _part(told.event_id), told.details)
        details = None if stored is None else DETAILS.validate_json(stored)
        columns = {name: told._mapping[name] for name in _COPIED}
        return FeedEntry(FeedItem(**columns, details=details), self._cases.of_case(case))


def _end_of_look(connection: Connection, start: int) -> Row[int, str] | None:
    """Return the last event examined for a page; None if that is the end of the feed."""
    return connection.execute(
        select(published_events.c.seq, published_events.c.event_id)
        .where(published_events.c.seq > start)
        .order_by(published_events.c.seq)
        .offset(MAX_LOOKED_AT - 1)
        .limit(1)
    ).first()


def _is_for(access: FeedAccess) -> ColumnElement[bool]:
    """Match the events that a reader may see.

    An office that a case moved away from also sees the events of its move.
    """
    is_rescue = cases.c.lane == "rescue"
    parts = [is_rescue if access.cases.is_rescue else ~is_rescue]
    if offices := access.cases.offices:
        left = published_events.c.left_office_id.in_(offices)
        parts.append(or_(cases.c.office_id.in_(offices), left))
    if access.submitted_by is not None:
        own = select(decisions.c.decision_id).where(
            decisions.c.decision_id == cases.c.case_id,
            decisions.c.caller_id == access.submitted_by,
        )
        parts.append(own.exists())
    return and_(*parts)


def _part(event_id: str) -> str:
    return f"published event {event_id}"
