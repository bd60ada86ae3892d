"""Notices, stored in the transaction of the act that they report."""

import secrets
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    and_,
    delete,
    func,
    or_,
    select,
    true,
    update,
)

from serving.access.actors import Actor
from serving.access.roles import ROLE_SCOPES
from serving.errors import NotFound
from serving.review.cases.case_records import CaseAccess, CaseRow, StoredEvent
from serving.review.cases.notices import (
    MAX_SHOWN,
    NewNotice,
    Notice,
    NoticePosition,
    ends_reminder,
    notices_of,
)
from serving.storage.repositories.visible_cases import is_visible
from serving.storage.repository import Repository
from serving.storage.tables.access import accounts
from serving.storage.tables.review import cases, notices, teams

_REVIEWING = tuple(role for role, scopes in ROLE_SCOPES.items() if "review" in scopes)

# The kinds of holders that can read a notice; other holders are machines or commands.
_TOLD = ("account", "key", "token")


class NoticeRepository(Repository):
    """The notices of one database."""

    def of_holder(self, holder: Actor, access: CaseAccess, now: datetime) -> list[Notice]:
        """Return the newest notices of cases that a holder may see, at most MAX_SHOWN."""
        query = (
            select(notices)
            .join(cases, cases.c.case_id == notices.c.case_id)
            .where(_is_shown(holder, now), is_visible(access))
            .order_by(notices.c.at.desc(), notices.c.notice_id)
            .limit(MAX_SHOWN)
        )
        return [_notice(row) for row in self._rows(query)]

    def page(
        self,
        holders: Sequence[Actor],
        access: CaseAccess,
        now: datetime,
        after: NoticePosition | None,
        limit: int,
    ) -> list[Notice]:
        """Return notices of one person under any of these identities: unread first, then newest.

        `after` is the position of the last notice of the previous page.
        """
        is_read = notices.c.read_at.is_not(None)
        query = (
            select(notices)
            .join(cases, cases.c.case_id == notices.c.case_id)
            .where(or_(*(_is_shown(holder, now) for holder in holders)), is_visible(access))
            .where(_is_after(after))
            .order_by(is_read, notices.c.at.desc(), notices.c.notice_id)
            .limit(limit)
        )
        return [_notice(row) for row in self._rows(query)]

    def count_unread(self, holder: Actor, access: CaseAccess, now: datetime) -> int:
        """Count the unread notices of cases that a holder may see, up to MAX_SHOWN."""
        unread = (
            select(notices.c.notice_id)
            .join(cases, cases.c.case_id == notices.c.case_id)
            .where(_is_shown(holder, now), notices.c.read_at.is_(None), is_visible(access))
            .limit(MAX_SHOWN)
        )
        return self._scalar(select(func.count()).select_from(unread.subquery())) or 0

    def read_case(self, holder: Actor, case_id: str, now: datetime) -> None:
        """Mark a holder's notices of a case as read."""
        self._read(and_(_is_shown(holder, now), notices.c.case_id == case_id), now)

    def read_all(self, holder: Actor, now: datetime) -> None:
        """Mark all of a holder's notices as read."""
        self._read(_is_shown(holder, now), now)

    def read_some(self, holders: Sequence[Actor], notice_ids: Sequence[str], now: datetime) -> None:
        """Mark these notices as read; raise NotFound, and mark none, if one belongs to another."""
        named = notices.c.notice_id.in_(notice_ids)
        is_own = and_(named, or_(*(_is_shown(holder, now) for holder in holders)))
        unread = and_(is_own, notices.c.read_at.is_(None))
        with self._writing() as connection:
            own = connection.scalars(select(notices.c.notice_id).where(is_own))
            if {*own} != {*notice_ids}:
                raise NotFound("one of these notices is not yours")
            connection.execute(update(notices).where(unread).values(read_at=now))

    def mark(self, holder: Actor, notice_id: str, read_at: datetime | None) -> None:
        """Mark a notice as read, or unread if `read_at` is None; raise NotFound."""
        is_own = and_(notices.c.notice_id == notice_id, notices.c.holder == holder.identity)
        marked = update(notices).where(is_own)
        with self._writing() as connection:
            if connection.execute(marked.values(read_at=read_at)).rowcount == 0:
                raise NotFound("you have no such notice")

    def _read(self, which: ColumnElement[bool], now: datetime) -> None:
        unread = and_(which, notices.c.read_at.is_(None))
        # A look without the write lock first: pages call this often, and mostly nothing is unread.
        with self._reading() as connection:
            if (
                connection.execute(select(notices.c.notice_id).where(unread).limit(1)).first()
                is None
            ):
                return
        with self._writing() as connection:
            connection.execute(update(notices).where(unread).values(read_at=now))


def notify(connection: Connection, before: CaseRow, after: CaseRow, event: StoredEvent) -> None:
    """Store the notices of an act, in the transaction of that act."""
    is_of_case = notices.c.case_id == after.case_id
    if ends_reminder(before, after):
        # A reminder is moot once the case no longer waits for that instant.
        is_to_come = and_(notices.c.kind == "reminder", notices.c.at > event.at)
        connection.execute(delete(notices).where(is_of_case, is_to_come))
    rows: dict[str, dict[str, Any]] = {}
    for notice in notices_of(before, after, event):
        for holder in _holders(connection, after, notice):
            # Nobody needs a notice of their own act, except for a reminder.
            is_own = holder == event.actor and notice.kind != "reminder"
            if holder.partition(":")[0] in _TOLD and not is_own:
                row = {"holder": holder, "case_id": after.case_id, "kind": notice.kind}
                who = {"actor": event.actor, "actor_name": event.actor_name}
                made = {"notice_id": secrets.token_hex(8), "at": notice.at}
                # One act sends a person at most one notice, the first in the order of `notices_of`.
                rows.setdefault(holder, row | who | made)
    if rows:
        connection.execute(notices.insert(), list(rows.values()))


def delete_notices(connection: Connection, holder: str) -> None:
    """Delete all notices of a holder whose account ends or changes its role."""
    connection.execute(delete(notices).where(notices.c.holder == holder))


def _holders(connection: Connection, case: CaseRow, notice: NewNotice) -> Iterable[str]:
    """Yield the identities of a notice's recipients."""
    if notice.to not in ("second_persons", "supervisors"):
        yield notice.to
        return
    alive = select(accounts).where(
        accounts.c.disabled_at.is_(None), accounts.c.role.in_(_REVIEWING)
    )
    members = None
    if case.team is not None and notice.to == "second_persons":
        of_team = select(teams.c.members).where(
            teams.c.name == case.team, teams.c.disbanded_at.is_(None)
        )
        members = connection.scalar(of_team)
    # In Python, since the offices of an account are a JSON list.
    for row in connection.execute(alive.order_by(accounts.c.name)):
        is_asked = row.name in members if members else row.role == "supervisor"
        if is_asked and (not row.offices or case.office_id in row.offices):
            yield f"account:{row.name}"


def _is_shown(holder: Actor, now: datetime) -> ColumnElement[bool]:
    return and_(notices.c.holder == holder.identity, notices.c.at <= now)


def _is_after(place: NoticePosition | None) -> ColumnElement[bool]:
    if place is None:
        return true()
    was_read, at, notice_id = place
    is_read, is_unread = notices.c.read_at.is_not(None), notices.c.read_at.is_(None)
    is_older = or_(notices.c.at < at, and_(notices.c.at == at, notices.c.notice_id > notice_id))
    return and_(is_read, is_older) if was_read else or_(is_read, and_(is_unread, is_older))


def _notice(row: Row[Any]) -> Notice:
    return Notice(
        row.notice_id,
        row.case_id,
        row.kind,
        row.at,
        Actor(row.actor, row.actor_name),
        row.read_at,
    )
