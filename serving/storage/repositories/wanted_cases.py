"""Conditions of the filters on cases, and the order of the queue."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true, tuple_

from serving.review.cases.case_records import (
    ERASED,
    CaseFilter,
    InboxFilter,
    QueueFilter,
    QueueOrder,
    QueuePosition,
    QueueTab,
)
from serving.storage.tables.review import cases
from serving.triage.lane_declarations import ALWAYS_IN_TIME

# Statuses in which a person has something to do; after an order, its result is awaited.
TO_BE_JUDGED = ("open", "assigned", "action_proposed", "result_in")

# Tabs with few cases: they are found by an index of their own and then sorted.
TABS_OF_FEW = ("mine", "inbox", "escalated", "waiting", "second_person", "others")


def is_waiting(now: datetime) -> ColumnElement[bool]:
    """Match cases waiting for a person, including deferred ones whose time has come."""
    is_back = and_(cases.c.status == "waiting", cases.c.waiting_until <= now)
    return or_(cases.c.status.in_(TO_BE_JUDGED), is_back)


def is_wanted(wanted: CaseFilter) -> ColumnElement[bool]:
    """Match cases by a filter of all cases, except for its subject."""
    parts: list[ColumnElement[bool]] = []
    if wanted.statuses:
        parts.append(cases.c.status.in_(wanted.statuses))
        # Redundant, but only this condition makes the planner use the partial index.
        parts += [cases.c.status != "open"] if "open" not in wanted.statuses else []
    names = ("subject_kind", "office_id", "mode")
    filters = ((name, getattr(wanted, name)) for name in names)
    parts += [cases.c[name] == value for name, value in filters if value is not None]
    if wanted.owner is not None:
        parts.append(or_(cases.c.owner == wanted.owner, cases.c.owner_name == wanted.owner))
    if wanted.before is not None:
        parts.append(tuple_(-cases.c.seq, cases.c.case_id) > wanted.before)
    return and_(true(), *parts)


def is_in_queue(queue: QueueFilter) -> ColumnElement[bool]:
    """Match cases by a filter of the queue."""
    parts = [is_waiting(queue.now) if queue.tab is None else _in_tab(queue)]
    if queue.lanes:
        parts.append(cases.c.lane.in_(queue.lanes))
    filters = ((name, getattr(queue, name)) for name in ("office_id", "mode"))
    parts += [cases.c[name] == value for name, value in filters if value is not None]
    if queue.owner is not None:
        parts.append(or_(cases.c.owner == queue.owner, cases.c.owner_name == queue.owner))
    if queue.is_unowned:
        parts.append(cases.c.owner.is_(None))
    if queue.inbox is not None:
        parts.append(_in_inbox(queue.inbox))
    if queue.is_in_time is not None:
        parts.append(is_in_time(queue.now) if queue.is_in_time else is_over(queue.now))
    if queue.opened_before:
        parts.append(cases.c.opened_at < queue.opened_before)
    if queue.after_seq is not None:
        parts.append(cases.c.seq > queue.after_seq)
    return and_(*parts)


def risk_in_queue(queue: QueueFilter) -> ColumnElement[float]:
    """Return the sort key of the queue.

    `+ 0` keeps the planner off the index by risk where few cases match: it would read all cases.
    """
    is_of_few = queue.tab in TABS_OF_FEW or queue.tag is not None
    return cases.c.risk + 0 if is_of_few else cases.c.risk


def _in_tab(queue: QueueFilter) -> ColumnElement[bool]:
    """Match the cases in the filter's tab."""
    is_judged_by_two = cases.c.status.in_(("action_proposed", "result_in"))
    is_laid_aside = and_(cases.c.status == "waiting", cases.c.waiting_until > queue.now)
    is_awaited = or_(is_laid_aside, cases.c.status == "action_ordered")
    is_to_do = and_(is_waiting(queue.now), ~is_judged_by_two)
    is_own = cases.c.owner == queue.reader
    is_free = and_(cases.c.owner.is_(None), is_in_time(queue.now))
    # Redundant, but these conditions name the partial index: no planner infers it from the rest.
    has_begun, is_not_closed = cases.c.status != "open", cases.c.status != "closed"
    in_tab: dict[QueueTab, ColumnElement[bool]] = {
        "mine": and_(is_own, is_not_closed, cases.c.status != ERASED, ~is_laid_aside),
        "inbox": and_(is_not_closed, is_to_do, is_free, _in_inbox(queue.own_inbox)),
        "escalated": and_(is_not_closed, cases.c.escalated_at.is_not(None)),
        "unassigned": and_(is_not_closed, is_to_do, is_free),
        "waiting": and_(has_begun, is_awaited),
        "second_person": and_(has_begun, is_judged_by_two),
        "others": and_(is_to_do, cases.c.owner != queue.reader, is_in_time(queue.now)),
        "expired": and_(is_not_closed, is_to_do, is_over(queue.now)),
    }
    return in_tab[queue.tab or "unassigned"]


def _in_inbox(inbox: InboxFilter) -> ColumnElement[bool]:
    """Match cases in these inboxes; an office's inbox has those without an existing team."""
    if not inbox.teams and not inbox.offices:
        # In nobody's inbox: a false condition saves the scan.
        return false()
    is_of_none = or_(cases.c.team.is_(None), cases.c.team.not_in(inbox.known_teams))
    return or_(
        cases.c.team.in_(inbox.teams), and_(cases.c.office_id.in_(inbox.offices), is_of_none)
    )


def is_after(place: QueuePosition | None) -> ColumnElement[bool]:
    """Match cases after the end of a page, within those that are equally in time."""
    if place is None:
        return true()
    _, risk, due_at, case_id = place
    later = or_(cases.c.due_at > due_at, and_(cases.c.due_at == due_at, cases.c.case_id > case_id))
    return or_(cases.c.risk < risk, and_(cases.c.risk == risk, later))


def in_order(order: QueueOrder, after: str | None) -> Select[Any]:
    """Return the query of all cases in the order of a column, after one of them if it is given."""
    last = cases.alias()
    key, last_key = (_sort_key(table.c, order.removeprefix("-")) for table in (cases, last))
    is_reversed = order.startswith("-")
    # The id breaks ties, so that no case is on two pages.
    place = tuple_(key, cases.c.case_id)
    query = select(cases).order_by(*(each.desc() if is_reversed else each for each in place))
    if after is None:
        return query
    end = select(last_key, last.c.case_id).where(last.c.case_id == after).scalar_subquery()
    return query.where(place < end if is_reversed else place > end)


def _sort_key(columns: Any, order: str) -> ColumnElement[Any]:
    keys = {"due": columns.due_at, "opened": columns.opened_at}
    # Cases without an owner come before all names.
    return keys.get(order, func.coalesce(columns.owner_name, ""))


def is_in_time(now: datetime) -> ColumnElement[bool]:
    """Match cases whose subject can still be stopped."""
    return or_(cases.c.due_at > now, cases.c.lane.in_(ALWAYS_IN_TIME))


def is_over(now: datetime) -> ColumnElement[bool]:
    """Match the opposite of `is_in_time`, in a form that can use the index on `due_at`."""
    return and_(cases.c.due_at <= now, cases.c.lane.not_in(ALWAYS_IN_TIME))
