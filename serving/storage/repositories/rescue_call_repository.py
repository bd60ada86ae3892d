"""Calls to rescuers that are still to be made, derived from the decision log itself.

Decisions in the rescue lane are found in the log, so a call can only be lost with its decision.
Several workers share the calls. A worker claims a call by postponing its next attempt; if the
worker crashes, another one takes it over.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import (
    ColumnElement,
    Connection,
    Engine,
    Row,
    Select,
    Update,
    and_,
    exists,
    func,
    or_,
    select,
    update,
)

from serving.access.acting import current_actor
from serving.access.actors import SERVICE, Actor
from serving.integrity.audit_log import AuditEvent
from serving.outbox.rescue import CallPace, DueRescueCall
from serving.review.cases.case_records import ENDED
from serving.review.rescue.rescue_calls import CallAction, OpenRescueCall, RescueCallEvent
from serving.review.rescue.rescue_watch import BoardItem
from serving.storage.encrypted_decisions import WHOLE
from serving.storage.log_positions import RESCUE_CALLS, LogPage, newest_decision
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.outgoing import (
    distress_alerts,
    rescue_call_events,
    rescue_calls,
)
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import decisions

log = structlog.get_logger(__name__)


class RescueCallRepository(Repository):
    """The calls of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._has_looked_again = False
        self.acts = 0
        """The number of acts through this process, by which a cached board is invalidated."""

    def begin(self) -> None:
        """Begin to look for rescues; those decided before the first start are not called.

        The start is recorded in the audit log; the first attempt looks for rescues skipped since.
        """
        with self._writing() as connection:
            RESCUE_CALLS.begin(connection)

    def start_attempt(self, now: datetime, pace: CallPace) -> DueRescueCall | None:
        """Start the attempt that is due first and schedule the next; return None if none is due.

        If nobody acknowledged within the patience of the pace, it escalates to the next address.
        """
        # Once for each process: the search reads the whole log, and a skipped rescue is rare.
        if not self._has_looked_again:
            with self._writing() as connection:
                _find_again(connection)
            self._has_looked_again = True
        RESCUE_CALLS.catch_up(self._engine, partial(self._next_rescues, now, pace))
        # A look without the write lock first: mostly nothing is due, and others need the lock.
        if not self._is_due(now):
            return None
        with self._writing() as connection:
            found = connection.execute(_due(now)).first()
            if found is None:
                return None
            changed = started_attempt(found, now, pace)
            if changed["step"] != found.step:
                escalated = _event(found.decision_id, now, SERVICE, "escalated")
                _insert_event(connection, escalated)
            connection.execute(_of(found.decision_id).values(changed))
            is_apart = _is_apart(connection, found.decision_id)
            earlier = alerts_of(connection, [found.decision_id])
        record = self._decisions.record(found)
        attempts, step = changed["attempts"], changed["step"]
        return DueRescueCall(found.decision_id, record, attempts, step, is_apart, earlier)

    def mark_delivered(self, decision_id: str, place: str, at: datetime) -> None:
        """Record that an address took a call; it then waits for a person until it escalates."""
        called = replace(SERVICE, name=place)
        event = _event(decision_id, at, called, "called")
        with self._writing() as connection:
            # Delivery is no acknowledgement: without a person, the call escalates at `goes_on_at`.
            taken = {"delivered_at": at, "next_at": rescue_calls.c.goes_on_at}
            connection.execute(_of(decision_id).values(taken))
            _insert_event(connection, event)

    def append_event(self, event: RescueCallEvent) -> None:
        """Record a step of a call."""
        with self._writing() as connection:
            _insert_event(connection, event)

    def acknowledge(self, case_id: str, by: Actor, at: datetime) -> bool:
        """Record who acts on a case; return whether the acknowledgement was the first."""
        with self._writing() as connection:
            is_first = _acknowledge(connection, case_id, by, at)
        self.acts += 1
        return is_first

    def on_board(self, now: datetime) -> list[BoardItem]:
        """Return the rescues that are not over, oldest first."""
        del now
        rows = self._rows(_on_board())
        return [
            BoardItem(
                "rescue", row.case_id, row.office_id, row.is_waiting or not row.is_heard, repr(row)
            )
            for row in rows
        ]

    def events(self, case_id: str) -> list[RescueCallEvent]:
        """Return the steps of the calls of a case, in order."""
        query = (
            select(*(rescue_call_events.c[name] for name in RescueCallEvent.__annotations__))
            .where(rescue_call_events.c.decision_id.in_(_decisions_of(case_id)))
            .order_by(rescue_call_events.c.seq)
        )
        return [RescueCallEvent(**row._mapping) for row in self._rows(query)]

    def unacknowledged(self) -> list[OpenRescueCall]:
        """Return the calls that nobody has acknowledged, oldest first."""
        query = (
            select(rescue_calls.c.decision_id, rescue_calls.c.delivered_at, rescue_calls.c.step)
            .where(rescue_calls.c.acknowledged_at.is_(None))
            .order_by(rescue_calls.c.seq)
        )
        return [OpenRescueCall(*row) for row in self._rows(query)]

    def count_refused(self) -> int:
        """Count the calls that were tried and never taken."""
        tried = (
            rescue_calls.c.delivered_at.is_(None),
            rescue_calls.c.acknowledged_at.is_(None),
            rescue_calls.c.attempts > 0,
        )
        return self._scalar(select(func.count()).where(*tried)) or 0

    def _next_rescues(self, now: datetime, pace: CallPace, after: int) -> LogPage | None:
        with self._reading() as connection:
            newest = newest_decision(connection)
        # All at once, however many: no rescue waits for a page.
        return (newest, partial(_open_calls, now, pace, after)) if newest > after else None

    def _is_due(self, now: datetime) -> bool:
        with self._reading() as connection:
            return connection.execute(_due(now)).first() is not None


def started_attempt(found: Any, now: datetime, pace: CallPace) -> dict[str, Any]:
    """Return the changed columns of a call or an alert when an attempt starts."""
    step, attempts, goes_on_at = found.step, found.attempts + 1, found.goes_on_at
    # Attempts count anew for the next address, which is tried at the fastest pace again.
    if goes_on_at is not None and goes_on_at <= now:
        step, attempts, goes_on_at = step + 1, 1, None
    goes_on_at = goes_on_at or now + pace.patience
    return {
        "attempts": attempts,
        "step": step,
        "next_at": min(now + pace.delay(attempts), goes_on_at),
        "goes_on_at": goes_on_at,
    }


def alerts_of(connection: Connection, decision_ids: Sequence[str] | Select[str]) -> tuple[str, ...]:
    """Return the alerts that the rescues of these decisions continue, oldest first."""
    columns = distress_alerts.c
    query = select(columns.alert_id).where(columns.decision_id.in_(decision_ids))
    return tuple(connection.scalars(query.order_by(columns.opened_at, columns.alert_id)))


def _find_again(connection: Connection) -> None:
    """Move back to before the first rescue that was skipped and never called.

    A position that is too far, by a fault or a manipulation, would lose a rescue silently.
    """
    after = RESCUE_CALLS.begun_after(connection)
    passed = connection.scalar(select(func.min(decisions.c.seq)).where(_uncalled(after)))
    newest, reached = newest_decision(connection), RESCUE_CALLS.read(connection)
    sound = min(reached, newest, newest if passed is None else passed - 1)
    if sound < reached:
        log.error("rescues_were_passed_by", place=reached, found_again_from=sound)
        RESCUE_CALLS.move(connection, sound)


def _uncalled(after: int) -> ColumnElement[bool]:
    called = select(rescue_calls.c.decision_id)
    return and_(
        decisions.c.seq > after,
        decisions.c.lane == "rescue",
        decisions.c.decision_id.not_in(called),
    )


def _open_calls(now: datetime, pace: CallPace, after: int, connection: Connection) -> None:
    """Create calls for the rescues decided after a position."""
    rescues = select(decisions.c.decision_id, decisions.c.seq).where(_uncalled(after))
    calls = [
        {
            **row._mapping,
            "attempts": 0,
            "step": 0,
            "next_at": now,
            "goes_on_at": now + pace.patience,
            "acknowledged_at": None,
            "acknowledged_by": None,
            **_acknowledged_already(connection, row.decision_id),
        }
        for row in connection.execute(rescues).all()
    ]
    if calls:
        connection.execute(rescue_calls.insert(), calls)


def _due(now: datetime) -> Select[Any]:
    return (
        select(*WHOLE, rescue_calls.c.attempts, rescue_calls.c.step, rescue_calls.c.goes_on_at)
        .join(decisions, decisions.c.decision_id == rescue_calls.c.decision_id)
        .where(rescue_calls.c.acknowledged_at.is_(None), rescue_calls.c.next_at <= now)
        # Calls that reached nobody yet come before repeated calls.
        .order_by(rescue_calls.c.step, rescue_calls.c.attempts, rescue_calls.c.next_at)
        .limit(1)
    )


def _on_board() -> Select[Any]:
    """Select open rescues, with whether a call waits and whether anybody acts."""
    is_own = or_(
        decisions.c.decision_id == cases.c.case_id, decisions.c.rescores == cases.c.case_id
    )
    own = select(decisions.c.decision_id).where(is_own).correlate(cases)
    waiting = exists().where(
        rescue_calls.c.decision_id.in_(own), rescue_calls.c.acknowledged_at.is_(None)
    )
    steps = rescue_call_events.c
    heard = exists().where(steps.decision_id.in_(own), steps.action == "acknowledged")
    last_step = select(func.max(steps.seq)).where(steps.decision_id.in_(own)).scalar_subquery()
    shown = ("case_id", "office_id", "opened_at", "status", "owner", "decision_id")
    return (
        select(
            *(cases.c[name] for name in shown),
            waiting.label("is_waiting"),
            heard.label("is_heard"),
            last_step.label("last_step"),
        )
        .where(cases.c.lane == "rescue", cases.c.status.not_in(ENDED))
        .order_by(cases.c.opened_at, cases.c.seq)
    )


def settle_calls(connection: Connection, case_id: str, by: Actor, at: datetime) -> None:
    """Acknowledge the calls of a rescue for the person who closes it, in the same transaction."""
    # A rescue closed without any acknowledgement has one by the person who closed it.
    is_heard = _acknowledgements(connection, [case_id])
    if not is_heard or connection.scalars(_unacknowledged(case_id)).first() is not None:
        _acknowledge(connection, case_id, by, at)


def _acknowledge(connection: Connection, case_id: str, by: Actor, at: datetime) -> bool:
    open_calls = [*connection.scalars(_unacknowledged(case_id))]
    acts = {"acknowledged_at": at, "acknowledged_by": by.identity}
    for decision_id in open_calls:
        connection.execute(_of(decision_id).values(acts))
    # An act on a case without open calls is still on record.
    for decision_id in open_calls or [case_id]:
        _insert_event(connection, _event(decision_id, at, by, "acknowledged"))
    return bool(open_calls)


def _unacknowledged(case_id: str) -> Select[str]:
    """Select the unacknowledged calls of a case, by the ids of their decisions."""
    return select(rescue_calls.c.decision_id).where(
        rescue_calls.c.decision_id.in_(_decisions_of(case_id)),
        rescue_calls.c.acknowledged_at.is_(None),
    )


def _decisions_of(case_id: str) -> Select[str]:
    """Select the decisions of a case: the first, which shares its id, and later scores."""
    is_of_case = or_(decisions.c.decision_id == case_id, decisions.c.rescores == case_id)
    return select(decisions.c.decision_id).where(is_of_case)


def _is_apart(connection: Connection, decision_id: str) -> bool:
    """Return whether a rescue has a case of its own, because its subject's case had ended."""
    first = select(decisions.c.rescores).where(decisions.c.decision_id == decision_id)
    has_ended = cases.c.status.in_(ENDED)
    query = select(cases.c.case_id).where(cases.c.case_id.in_(first), has_ended)
    return connection.scalar(query) is not None


def _acknowledged_already(connection: Connection, decision_id: str) -> dict[str, Any]:
    """Return the acknowledgement of a rescue that is not called yet, if somebody acts already."""
    columns = select(decisions.c.rescores, decisions.c.scored_at)
    decision = connection.execute(columns.where(decisions.c.decision_id == decision_id)).one()
    case_ids = [decision_id, *filter(None, [decision.rescores])]
    scored_at = datetime.fromisoformat(decision.scored_at)
    for event in _acknowledgements(connection, case_ids):
        if event.at >= scored_at:
            return {"acknowledged_at": event.at, "acknowledged_by": event.actor}
    return {}


def _acknowledgements(connection: Connection, decision_ids: Sequence[str]) -> Sequence[Row[Any]]:
    """Return acknowledgements of calls of these decisions, in order."""
    said = (
        rescue_call_events.c.decision_id.in_(decision_ids),
        rescue_call_events.c.action == "acknowledged",
    )
    query = select(rescue_call_events).where(*said).order_by(rescue_call_events.c.seq)
    return connection.execute(query).all()


def _of(decision_id: str) -> Update:
    return update(rescue_calls).where(rescue_calls.c.decision_id == decision_id)


def _event(decision_id: str, at: datetime, actor: Actor, action: CallAction) -> RescueCallEvent:
    return RescueCallEvent(decision_id, at, actor.identity, action, actor.name)


def _insert_event(connection: Connection, event: RescueCallEvent) -> None:
    last = connection.scalar(select(func.coalesce(func.max(rescue_call_events.c.seq), 0))) or 0
    connection.execute(rescue_call_events.insert().values(seq=last + 1, **vars(event)))
    action = f"call_{event.action}"
    act = AuditEvent(event.at, current_actor(), action, "decision", event.decision_id)
    append_audit_events(connection, [act])
