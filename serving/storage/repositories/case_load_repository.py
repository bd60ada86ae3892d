"""The workload of cases: how many wait, since when, and what people did with them."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Select, and_, exists, func, or_, select

from serving.access.actors import Actor
from serving.review.cases.case_records import (
    MAX_COUNTED,
    ActOnCase,
    CaseAccess,
    CaseRow,
    CaseTimes,
    StoredEvent,
)
from serving.storage.repositories.visible_cases import is_visible
from serving.storage.repositories.wanted_cases import is_waiting
from serving.storage.repository import Repository
from serving.storage.tables.review import case_events, cases


class CaseLoadRepository(Repository):
    """The workload of one database's cases."""

    def acts_between(
        self, actions: tuple[str, ...], span: tuple[datetime, datetime], access: CaseAccess
    ) -> list[ActOnCase]:
        """Return the events of these kinds in the half-open span, in order."""
        names = StoredEvent.__annotations__
        of_case = (cases.c.lane, cases.c.office_id, cases.c.status)
        query = (
            select(*(case_events.c[name] for name in names), *of_case)
            .join(cases, cases.c.case_id == case_events.c.case_id)
            .where(case_events.c.action.in_(actions), is_visible(access))
            .where(case_events.c.at >= span[0], case_events.c.at < span[1])
            .order_by(case_events.c.seq)
        )
        found = self._rows(query)
        return [
            ActOnCase(
                self._cases.of_event(StoredEvent(**{name: getattr(row, name) for name in names})),
                row.lane,
                row.office_id,
                row.status == "closed",
            )
            for row in found
        ]

    def case_times(
        self,
        access: CaseAccess,
        opened: tuple[datetime, datetime],
        deciding: tuple[str, ...],
        now: datetime,
    ) -> list[CaseTimes]:
        """Return the times of cases opened in a span or waiting now; `deciding` lists actions."""
        is_of_case = case_events.c.case_id == cases.c.case_id
        decided_at = select(func.min(case_events.c.at)).where(
            is_of_case, case_events.c.action.in_(deciding)
        )
        columns = (
            cases.c[name] for name in ("case_id", "office_id", "lane", "opened_at", "due_at")
        )
        waits = is_waiting(now)
        is_of_span = and_(cases.c.opened_at >= opened[0], cases.c.opened_at < opened[1])
        query = (
            select(*columns, waits.label("is_waiting"), decided_at.scalar_subquery())
            .where(is_visible(access), or_(is_of_span, waits))
            .order_by(cases.c.seq)
        )
        rows = self._rows(query)
        return [CaseTimes(*row[:5], bool(row[5]), row[6]) for row in rows]

    def closed_case(self, access: CaseAccess, not_by: Actor, draw: int) -> CaseRow | None:
        """Return a random closed case that another person closed; None if there is none.

        A case that the person has reviewed again is not drawn for them twice.
        """
        is_other = cases.c.owner != not_by.identity
        is_of_case = and_(
            case_events.c.case_id == cases.c.case_id, case_events.c.action == "reread"
        )
        # A second reading by the same person would count twice in the agreement of reviewers.
        is_reread = exists().where(is_of_case, case_events.c.actor == not_by.identity)
        others = and_(cases.c.status == "closed", is_other, ~is_reread, is_visible(access))
        count = select(func.count()).select_from(cases).where(others)
        with self._reading() as connection:
            among = connection.scalar(count) or 0
            if not among:
                return None
            one = select(cases).where(others).order_by(cases.c.seq).offset(draw % among).limit(1)
            return self._cases.of_case(connection.execute(one).one())

    def oldest_waiting(self, access: CaseAccess, now: datetime) -> dict[str, datetime]:
        """Return when the oldest waiting case of each lane was opened."""
        query = (
            select(cases.c.lane, func.min(cases.c.opened_at).label("oldest"))
            .where(is_visible(access), is_waiting(now))
            .group_by(cases.c.lane)
        )
        return {row.lane: row.oldest for row in self._rows(query)}

    def count_waiting(
        self, lanes: Iterable[str], access: CaseAccess, now: datetime
    ) -> dict[str, int]:
        """Count the waiting cases of each lane, up to MAX_COUNTED."""
        return {
            lane: self._scalar(_count(lane, access, now)) or 0
            for lane in lanes
            if (lane == "rescue") == access.is_rescue
        }

    def count_overdue(self, lane: str, now: datetime) -> int:
        """Count the overdue waiting cases of a lane over all offices, up to MAX_COUNTED."""
        overdue = (
            select(cases.c.case_id)
            .where(cases.c.lane == lane, is_waiting(now), cases.c.due_at <= now)
            .limit(MAX_COUNTED)
        )
        return self._scalar(select(func.count()).select_from(overdue.subquery())) or 0


def _count(lane: str, access: CaseAccess, now: datetime) -> Select[int]:
    counted = (
        select(cases.c.case_id)
        .where(cases.c.lane == lane, is_visible(access), is_waiting(now))
        .limit(MAX_COUNTED)
    )
    return select(func.count()).select_from(counted.subquery())
