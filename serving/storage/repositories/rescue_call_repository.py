"""Calls to rescuers that are still to be made, found in the decision log itself.

A decision knows nothing of its call: what came into the rescue lane is found in the log, so a call
is lost only with its decision. Several workers share the calls; one takes a call by putting off
when it is due next, so a worker that dies with a call leaves it to the others.
"""

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
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

from serving.access.acting import whoever_acts
from serving.access.actors import SERVICE, Actor
from serving.integrity.audit_log import AuditEvent
from serving.outbox.rescue import CallPace, DueRescueCall
from serving.review.cases.case_records import ENDED
from serving.review.rescue.rescue_calls import CallAction, OpenRescueCall, RescueCallEvent
from serving.review.rescue.rescue_watch import BoardItem
from serving.storage.encrypted_decisions import WHOLE, EncryptedDecisions
from serving.storage.engine import failing_as_unavailable
from serving.storage.keys.data_keys import DataKeys
from serving.storage.log_positions import RESCUE_CALLS, newest_decision
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.tables.outgoing import (
    distress_alerts,
    rescue_call_events,
    rescue_calls,
)
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import decisions
from serving.storage.write_lock import writing

log = structlog.get_logger(__name__)

BEGIN_RESCUE_CALLS = "begin_rescue_calls"


class RescueCallRepository:
    """The calls of one database. Every method raises LogUnavailable where the database fails."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._decisions = EncryptedDecisions(DataKeys(engine))
        self._has_looked_again = False
        self.acts = 0
        """How often somebody acted through this process, for who remembers the board."""

    def begin(self) -> None:
        """Look for rescues from now on; those decided before the first time are not called.

        Since when is on record; the first attempt looks for what was passed by since then.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            if RESCUE_CALLS.find(connection) is None:
                RESCUE_CALLS.move(connection, newest_decision(connection))
            RESCUE_CALLS.begun_after(connection)

    def start_attempt(self, now: datetime, pace: CallPace) -> DueRescueCall | None:
        """Start the attempt that is due first, and plan the next; None if none is due.

        One that waited for a person for as long as the pace allows goes on to the next address.
        """
        if not self._has_looked_again:
            with failing_as_unavailable(), writing(self._engine) as connection:
                _find_again(connection)
            self._has_looked_again = True
        if not self._has_work(now):
            return None
        with failing_as_unavailable(), writing(self._engine) as connection:
            _find(connection, now, pace)
            found = connection.execute(_due(now)).first()
            if found is None:
                return None
            changed = started_attempt(found, now, pace)
            if changed["step"] != found.step:
                escalated = _event(found.decision_id, now.isoformat(), SERVICE, "escalated")
                _insert_event(connection, escalated)
            connection.execute(_of(found.decision_id).values(changed))
            is_apart = _is_apart(connection, found.decision_id)
            earlier = alerts_of(connection, [found.decision_id])
        record = self._decisions.record(found)
        attempts, step = changed["attempts"], changed["step"]
        return DueRescueCall(found.decision_id, record, attempts, step, is_apart, earlier)

    def mark_delivered(self, decision_id: str, place: str, at: datetime) -> None:
        """Record that an address took a call; it waits for a person until it goes on."""
        called = replace(SERVICE, name=place)
        event = _event(decision_id, at.isoformat(), called, "called")
        with failing_as_unavailable(), writing(self._engine) as connection:
            taken = {"delivered_at": at.isoformat(), "next_at": rescue_calls.c.goes_on_at}
            connection.execute(_of(decision_id).values(taken))
            _insert_event(connection, event)

    def append_event(self, event: RescueCallEvent) -> None:
        """Write down a step of a call."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            _insert_event(connection, event)

    def acknowledge(self, case_id: str, by: Actor, at: datetime) -> bool:
        """Record who acts on a case; the first who does counts, and False is for all later."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            is_first = _acknowledge(connection, case_id, by, at.isoformat())
        self.acts += 1
        return is_first

    def on_board(self, now: datetime) -> list[BoardItem]:
        """The rescues that are not over, the oldest first."""
        del now
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(_on_board()).all()
        return [
            BoardItem(
                "rescue", row.case_id, row.office_id, row.is_waiting or not row.is_heard, repr(row)
            )
            for row in rows
        ]

    def events(self, case_id: str) -> list[RescueCallEvent]:
        """The steps of the calls of a case, in order."""
        query = (
            select(*(rescue_call_events.c[name] for name in RescueCallEvent.__annotations__))
            .where(rescue_call_events.c.decision_id.in_(_decisions_of(case_id)))
            .order_by(rescue_call_events.c.seq)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            return [RescueCallEvent(**row._mapping) for row in connection.execute(query)]

    def unacknowledged(self) -> list[OpenRescueCall]:
        """The calls that no person has acknowledged, the oldest first."""
        query = (
            select(rescue_calls.c.decision_id, rescue_calls.c.delivered_at, rescue_calls.c.step)
            .where(rescue_calls.c.acknowledged_at.is_(None))
            .order_by(rescue_calls.c.seq)
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            return [OpenRescueCall(*row) for row in connection.execute(query)]

    def count_refused(self) -> int:
        """How many calls were tried and not taken so far."""
        tried = (
            rescue_calls.c.delivered_at.is_(None),
            rescue_calls.c.acknowledged_at.is_(None),
            rescue_calls.c.attempts > 0,
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            return connection.scalar(select(func.count()).where(*tried)) or 0

    def _has_work(self, now: datetime) -> bool:
        with failing_as_unavailable(), self._engine.connect() as connection:
            is_due = connection.execute(_due(now)).first() is not None
            return is_due or RESCUE_CALLS.is_behind(connection)


def started_attempt(found: Any, now: datetime, pace: CallPace) -> dict[str, Any]:
    """What changes in the row of a call, or of an alert, when an attempt starts."""
    step, attempts, goes_on_at = found.step, found.attempts + 1, found.goes_on_at
    if goes_on_at is not None and goes_on_at <= now.isoformat():
        step, attempts, goes_on_at = step + 1, 1, None
    goes_on_at = goes_on_at or (now + pace.patience).isoformat()
    return {
        "attempts": attempts,
        "step": step,
        "next_at": min((now + pace.delay(attempts)).isoformat(), goes_on_at),
        "goes_on_at": goes_on_at,
    }


def alerts_of(connection: Connection, decision_ids: Sequence[str] | Select[str]) -> tuple[str, ...]:
    """The alerts that the rescues of these decisions go on with, the oldest first."""
    columns = distress_alerts.c
    query = select(columns.alert_id).where(columns.decision_id.in_(decision_ids))
    return tuple(connection.scalars(query.order_by(columns.opened_at, columns.alert_id)))


def _find_again(connection: Connection) -> None:
    """Go back to the first rescue since calls began that was passed by and never called."""
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


def _find(connection: Connection, now: datetime, pace: CallPace) -> None:
    """Make calls of the rescues that were decided since the last look."""
    newest, reached = newest_decision(connection), RESCUE_CALLS.read(connection)
    rescues = select(decisions.c.decision_id, decisions.c.seq).where(_uncalled(reached))
    calls = [
        {
            **row._mapping,
            "attempts": 0,
            "step": 0,
            "next_at": now.isoformat(),
            "goes_on_at": (now + pace.patience).isoformat(),
            "acknowledged_at": None,
            "acknowledged_by": None,
            **_acknowledged_already(connection, row.decision_id),
        }
        for row in connection.execute(rescues).all()
    ]
    if calls:
        connection.execute(rescue_calls.insert(), calls)
    RESCUE_CALLS.move(connection, newest)


def _due(now: datetime) -> Select[Any]:
    return (
        select(*WHOLE, rescue_calls.c.attempts, rescue_calls.c.step, rescue_calls.c.goes_on_at)
        .join(decisions, decisions.c.decision_id == rescue_calls.c.decision_id)
        .where(rescue_calls.c.acknowledged_at.is_(None), rescue_calls.c.next_at <= now.isoformat())
        # What nobody was called for yet comes before what is called again.
        .order_by(rescue_calls.c.step, rescue_calls.c.attempts, rescue_calls.c.next_at)
        .limit(1)
    )


def _on_board() -> Select[Any]:
    """Rescues that are not over: whether a call of theirs waits, and whether anybody acts."""
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


def settle_calls(connection: Connection, case_id: str, by: Actor, at: str) -> None:
    """Let whoever ended a rescue have acknowledged it, in the transaction that ends it."""
    is_heard = _acknowledgements(connection, [case_id], since="")
    if not is_heard or connection.scalars(_open_calls(case_id)).first() is not None:
        _acknowledge(connection, case_id, by, at)


def _acknowledge(connection: Connection, case_id: str, by: Actor, at: str) -> bool:
    open_calls = [*connection.scalars(_open_calls(case_id))]
    acts = {"acknowledged_at": at, "acknowledged_by": by.identity}
    for decision_id in open_calls:
        connection.execute(_of(decision_id).values(acts))
    for decision_id in open_calls or [case_id]:
        _insert_event(connection, _event(decision_id, at, by, "acknowledged"))
    return bool(open_calls)


def _open_calls(case_id: str) -> Select[str]:
    """The calls of a case that nobody acknowledged, by the ids of their decisions."""
    return select(rescue_calls.c.decision_id).where(
        rescue_calls.c.decision_id.in_(_decisions_of(case_id)),
        rescue_calls.c.acknowledged_at.is_(None),
    )


def _decisions_of(case_id: str) -> Select[str]:
    """The decisions of a case: the first, which it has its id of, and those that scored again."""
    is_of_case = or_(decisions.c.decision_id == case_id, decisions.c.rescores == case_id)
    return select(decisions.c.decision_id).where(is_of_case)


def _is_apart(connection: Connection, decision_id: str) -> bool:
    """Whether the rescue of a decision is no part of its subject's case, since that has ended."""
    first = select(decisions.c.rescores).where(decisions.c.decision_id == decision_id)
    has_ended = cases.c.status.in_(ENDED)
    query = select(cases.c.case_id).where(cases.c.case_id.in_(first), has_ended)
    return connection.scalar(query) is not None


def _acknowledged_already(connection: Connection, decision_id: str) -> dict[str, str]:
    """Who acts on a rescue that was not called yet: somebody said so, or ended its case."""
    columns = select(decisions.c.rescores, decisions.c.scored_at)
    decision = connection.execute(columns.where(decisions.c.decision_id == decision_id)).one()
    case_ids = [decision_id, *filter(None, [decision.rescores])]
    for event in _acknowledgements(connection, case_ids, since=decision.scored_at):
        return {"acknowledged_at": event.at, "acknowledged_by": event.actor}
    return {}


def _acknowledgements(
    connection: Connection, decision_ids: Sequence[str], since: str
) -> Sequence[Row[Any]]:
    """The acknowledgements of calls of these decisions since an instant, in order."""
    said = (
        rescue_call_events.c.decision_id.in_(decision_ids),
        rescue_call_events.c.action == "acknowledged",
        rescue_call_events.c.at >= since,
    )
    query = select(rescue_call_events).where(*said).order_by(rescue_call_events.c.seq)
    return connection.execute(query).all()


def _of(decision_id: str) -> Update:
    return update(rescue_calls).where(rescue_calls.c.decision_id == decision_id)


def _event(decision_id: str, at: str, actor: Actor, action: CallAction) -> RescueCallEvent:
    return RescueCallEvent(decision_id, at, actor.identity, action, actor.name)


def _insert_event(connection: Connection, event: RescueCallEvent) -> None:
    last = connection.scalar(select(func.coalesce(func.max(rescue_call_events.c.seq), 0))) or 0
    connection.execute(rescue_call_events.insert().values(seq=last + 1, **asdict(event)))
    at, action = datetime.fromisoformat(event.at), f"call_{event.action}"
    act = AuditEvent(at, whoever_acts(), action, "decision", event.decision_id)
    append_audit_events(connection, [act])
