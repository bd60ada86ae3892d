"""Distress alerts: calls for help from ships without a declared journey.

An alert is in the database from the commit of its record on. The audit log keeps every step taken,
in order.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from typing import Any

import structlog
from pydantic import TypeAdapter
from sqlalchemy import Connection, Engine, Row, Select, and_, case, func, or_, select, update

from features.records import Journey, Position
from serving.access.actors import SERVICE, Actor
from serving.audit.ship_journey import names_of_calls
from serving.crypto.encryption import EncryptionUnit
from serving.crypto.errors import Undecipherable
from serving.errors import Conflict, NotFound
from serving.history.received_records import ReceivedRecord
from serving.integrity.audit_log import AuditEvent
from serving.outbox.rescue import CallPace, DueAlert
from serving.review.acts.stored_acts import event_row
from serving.review.cases.case_change import CaseRule
from serving.review.cases.case_records import StoredEvent
from serving.review.cases.case_state import Case, Status
from serving.review.rescue.distress_alerts import HEARD_WITHIN, DistressAlert
from serving.review.rescue.rescue_calls import CALL_ACTIONS, OpenRescueCall, RescueCallEvent
from serving.review.rescue.rescue_watch import BoardItem
from serving.storage.encrypted_records import EncryptedRecords
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.rescue_call_repository import alerts_of, started_attempt
from serving.storage.repositories.ship_journey_repository import ShipJourneyRepository
from serving.storage.repository import Repository
from serving.storage.tables.audit import audit_events
from serving.storage.tables.outgoing import distress_alerts
from serving.storage.tables.review import cases
from serving.storage.tables.scoring import decisions, records

log = structlog.get_logger(__name__)

_KIND = "distress_alert"
_ACTED = "call_"
_PART = "state"
# An alert is open until someone acts on it, a rescue continues it, or people end it.
_IS_OPEN = (
    distress_alerts.c.acknowledged_at.is_(None),
    distress_alerts.c.decision_id.is_(None),
    distress_alerts.c.ended_at.is_(None),
)

# The encrypted state of an alert: what people wrote and did.
_STATE = TypeAdapter(tuple[Case, tuple[StoredEvent, ...]])

_NO_SUCH = "there is no such alert"


class DistressAlertRepository(Repository):
    """The alerts of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._records = EncryptedRecords(self._keys)
        self._ships = ShipJourneyRepository(engine)
        self.acts = 0
        """The number of acts through this process, by which a cached board is invalidated."""

    def start_attempt(self, now: datetime, pace: CallPace) -> DueAlert | None:
        """Start the attempt that is due first and schedule the next; return None if none is due.

        If nobody acknowledged within the patience of the pace, it escalates to the next address.
        """
        # A look without the write lock first: mostly nothing is due, and others need the lock.
        with self._reading() as connection:
            if connection.execute(_due(now)).first() is None:
                return None
        with self._writing() as connection:
            found = connection.execute(_due(now)).first()
            if found is None:
                return None
            changed = started_attempt(found, now, pace)
            if changed["step"] != found.step:
                _append(connection, found.alert_id, now, SERVICE, "escalated")
            connection.execute(_of(found.alert_id).values(changed))
        return DueAlert(self._read(found), changed["attempts"], changed["step"])

    def mark_delivered(self, alert_id: str, place: str, at: datetime) -> None:
        """Record that an address took the alert; it then waits for a person until it escalates."""
        with self._writing() as connection:
            taken = {"delivered_at": at, "next_at": distress_alerts.c.goes_on_at}
            connection.execute(_of(alert_id).values(taken))
            _append(connection, alert_id, at, Actor(SERVICE.identity, place), "called")

    def mark_refused(self, alert_id: str, place: str, at: datetime) -> None:
        """Record that an address refused the alert."""
        with self._writing() as connection:
            _append(connection, alert_id, at, Actor(SERVICE.identity, place), "refused")

    def acknowledge(self, alert_id: str, by: Actor, at: datetime) -> bool:
        """Record who acts; return whether this was the first acknowledgement, which counts."""
        acts = {"acknowledged_at": at, "acknowledged_by": by.identity}
        first = _of(alert_id).where(distress_alerts.c.acknowledged_at.is_(None)).values(acts)
        with self._writing() as connection:
            is_first = bool(connection.execute(first).rowcount)
            _append(connection, alert_id, at, by, "acknowledged")
        self.acts += 1
        return is_first

    def on_board(self, now: datetime) -> list[BoardItem]:
        """Return alerts without a rescue, open or heard within a week, oldest first."""
        columns = distress_alerts.c
        shown = ("alert_id", "heard_at", "acknowledged_at", "ended_at", "delivered_at", "step")
        is_recent = columns.heard_at >= now - HEARD_WITHIN
        query = (
            select(*(columns[name] for name in (*shown, "state")))
            .add_columns(and_(*_IS_OPEN).label("is_open"))
            .where(columns.decision_id.is_(None), or_(and_(*_IS_OPEN), is_recent))
            .order_by(columns.opened_at, columns.alert_id)
        )
        rows = self._rows(query)
        return [
            BoardItem("alert", row.alert_id, None, bool(row.is_open), repr(row)) for row in rows
        ]

    def act(self, alert_id: str, act: CaseRule) -> None:
        """Apply an act of the case rules to an alert; closing it acknowledges it too.

        Raises NotFound, Conflict if a rescue continues the alert, or what the act raises.
        """
        with self._writing() as connection:
            row = connection.execute(_whole().where(_is(alert_id))).first()
            if row is None:
                raise NotFound(_NO_SUCH)
            if row.decision_id is not None:
                raise Conflict("a rescue continues this call: act on the rescue")
            state, acts = self._state(row)
            after, event = act(state)
            unit = EncryptionUnit(f"records/{event.at.isoformat()[:10]}", _unit_name(alert_id))
            plain = _STATE.dump_json((after, (*acts, event_row(event)))).decode()
            changed = {
                "state": self._keys.encrypt_text(unit, _PART, plain, connection),
                "ended_at": event.at if after.status == "closed" else None,
            }
            # Whoever ends an alert acts on it, so its calls must stop.
            if after.status == "closed" and row.acknowledged_at is None:
                changed |= {"acknowledged_at": event.at, "acknowledged_by": event.actor.identity}
            connection.execute(_of(alert_id).values(changed))
            told = AuditEvent(event.at, event.actor, event.action, _KIND, alert_id)
            append_audit_events(connection, [told])
        self.acts += 1

    def find(self, alert_id: str) -> DistressAlert | None:
        """Return an alert, or None."""
        row = self._first(_whole().where(_is(alert_id)))
        return None if row is None else self._read(row)

    def recent(self, since: datetime) -> list[DistressAlert]:
        """Return alerts that are open or were heard since then; open ones first, oldest first."""
        columns = distress_alerts.c
        is_over = ~and_(*_IS_OPEN)
        wanted = or_(~is_over, columns.heard_at >= since)
        order = (case((is_over, 1), else_=0), columns.opened_at, columns.alert_id)
        rows = self._rows(_whole().where(wanted).order_by(*order))
        return [self._read(row) for row in rows]

    def of_cases(self, case_ids: Sequence[str]) -> tuple[str, ...]:
        """Return the alerts that these rescues continue, oldest first."""
        columns = decisions.c
        of_case = or_(columns.decision_id.in_(case_ids), columns.rescores.in_(case_ids))
        with self._reading() as connection:
            return alerts_of(connection, select(columns.decision_id).where(of_case))

    def events(self, alert_ids: Sequence[str]) -> dict[str, list[RescueCallEvent]]:
        """Return the steps of each of these alerts, in order."""
        columns, steps = audit_events.c, defaultdict[str, list[RescueCallEvent]](list)
        query = (
            select(audit_events)
            .where(columns.object_kind == _KIND, columns.object_id.in_(alert_ids))
            .where(columns.action.in_([f"{_ACTED}{action}" for action in CALL_ACTIONS]))
            .order_by(columns.seq)
        )
        with self._reading() as connection:
            for row in connection.execute(query):
                action = row.action.removeprefix(_ACTED)
                step = RescueCallEvent(row.object_id, row.at, row.actor, action, row.actor_name)
                steps[row.object_id].append(step)
        return steps

    def unacknowledged(self) -> list[OpenRescueCall]:
        """Return the alerts that nobody has acknowledged, oldest first."""
        columns = distress_alerts.c
        query = select(columns.alert_id, columns.delivered_at, columns.step).where(*_IS_OPEN)
        with self._reading() as connection:
            rows = connection.execute(query.order_by(columns.opened_at, columns.alert_id))
            return [OpenRescueCall(*row) for row in rows]

    def count_refused(self) -> int:
        """Count the open alerts that were tried and never taken."""
        columns = distress_alerts.c
        tried = (*_IS_OPEN, columns.delivered_at.is_(None), columns.attempts > 0)
        return self._scalar(select(func.count()).where(*tried)) or 0

    def _read(self, row: Row[Any]) -> DistressAlert:
        record = None if row.body is None else self._plain(row)
        last = None if record is None else Position.model_validate_json(record.body)
        journey = self._journey(row.subject_id)
        state, acts = self._state(row)
        return DistressAlert(
            alert_id=row.alert_id,
            opened_at=row.opened_at,
            last=last,
            journey=journey,
            acknowledged_at=row.acknowledged_at,
            step=row.step,
            case_id=row.case_id,
            earlier=() if journey is None else self._earlier(journey, row.alert_id, row.opened_at),
            ended_at=row.ended_at,
            state=state,
            acts=acts,
        )

    def _state(self, row: Row[Any]) -> tuple[Case, tuple[StoredEvent, ...]]:
        """Return what people wrote and did about an alert; a bare case if that was erased."""
        plain = row.state and self._keys.decrypt_text(_unit_name(row.alert_id), _PART, row.state)
        if plain:
            return _STATE.validate_json(plain)
        status: Status = "open" if row.ended_at is None else "closed"
        return Case(row.alert_id, status), ()

    def _journey(self, token: str) -> Journey | None:
        """Return the newest version of the journey that a call names, if it was received."""
        of_id = (records.c.subject_kind == "route", records.c.subject_id == token)
        query = select(records).where(*of_id, records.c.kind == "journeys")
        rows = self._rows(query)
        kept = filter(None, map(self._plain, rows))
        versions = [Journey.model_validate_json(each.body) for each in kept]
        newest = max(versions, key=lambda each: each.version, default=None)
        # A journey may have been declared only inside the submission of a shipment.
        return newest or self._ships.shipped(token)

    def _plain(self, row: Row[Any]) -> ReceivedRecord | None:
        """Return the record of a row; None if it was erased or altered.

        An altered record must not hide the other alerts.
        """
        try:
            return self._records.of_row(row)
        # `verify-log` reports the altered record itself.
        except Undecipherable as changed:
            log.error("record_of_alert_unreadable", exception=type(changed).__name__)
            return None

    def _earlier(self, journey: Journey, alert_id: str, at: datetime) -> tuple[str, ...]:
        """Return earlier alerts of the same ship, found by its MMSI."""
        names = names_of_calls(journey)
        tokens = [token for name in names for token in self._keys.tokens("route", name)]
        columns = distress_alerts.c
        query = select(columns.alert_id).where(
            columns.subject_id.in_(tokens),
            columns.alert_id != alert_id,
            columns.heard_at >= at - HEARD_WITHIN,
            columns.opened_at <= at,
        )
        return tuple(self._scalars(query.order_by(columns.opened_at, columns.alert_id)))


def _whole() -> Select[Any]:
    """Select alerts with the record of the newest call and the case that continues them."""
    call = (records.c.kind == "positions") & (records.c.record_id == distress_alerts.c.record_id)
    own = [column for column in records.c if column.name not in ("subject_id", "record_id")]
    decided = decisions.c
    case_id = func.coalesce(cases.c.case_id, decided.rescores, decided.decision_id)
    return (
        select(distress_alerts, *own, case_id.label("case_id"))
        .outerjoin(records, call)
        .outerjoin(decisions, decided.decision_id == distress_alerts.c.decision_id)
        .outerjoin(cases, cases.c.case_id == decided.decision_id)
    )


def _due(now: datetime) -> Select[Any]:
    columns = distress_alerts.c
    # Alerts that reached nobody yet come before repeated calls.
    order = (columns.step, columns.attempts, columns.next_at)
    return _whole().where(*_IS_OPEN, columns.next_at <= now).order_by(*order).limit(1)


def _unit_name(alert_id: str) -> str:
    return f"{_KIND}/{alert_id}"


def _is(alert_id: str) -> Any:
    return distress_alerts.c.alert_id == alert_id


def _of(alert_id: str) -> Any:
    return update(distress_alerts).where(_is(alert_id))


def _append(connection: Connection, alert_id: str, at: datetime, actor: Actor, action: str) -> None:
    append_audit_events(connection, [AuditEvent(at, actor, f"{_ACTED}{action}", _KIND, alert_id)])
