"""Objects and deliveries of the exchange; every change is an audit event."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, func, or_, select, update

from serving.access.acting import current_actor
from serving.crypto.encryption import EncryptionUnit
from serving.errors import Conflict, NotFound
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.exchange import (
    exchange_arrivals,
    exchange_objects,
    exchange_sendings,
)

_PART = "exchanged object"


@dataclass(frozen=True)
class HeldObject:
    """An object as it is stored, with the deliveries that brought it here."""

    object_id: str
    kind: str
    originator: str
    received_from: str | None
    received_at: datetime
    expires_at: datetime
    document: Mapping[str, Any]
    recalled_at: datetime | None = None


@dataclass(frozen=True)
class Sending:
    """An object on its way to one partner; it may leave once somebody approved it."""

    delivery_id: str
    object_id: str
    partner: str
    distribution: Mapping[str, Any]
    proposed_by: str
    proposed_at: datetime
    is_recall: bool = False
    approved_by: str | None = None
    place: int | None = None
    approved_at: datetime | None = None
    delivered_at: datetime | None = None
    refusal: str | None = None


@dataclass(frozen=True)
class Arrival:
    """A delivery that was taken in."""

    delivery_id: str
    object_id: str
    partner: str
    is_recall: bool
    arrived_at: datetime


class ExchangeRepository(Repository):
    """The objects of one database that are exchanged."""

    def add_own(self, held: HeldObject) -> None:
        """Store an object that this agency made."""
        with self._writing() as connection:
            self._insert(connection, held)
            details = {"kind": held.kind}
            _append(connection, held.received_at, "make_object", held.object_id, details)

    def propose(self, sendings: Sequence[Sending], at: datetime) -> list[Sending]:
        """Store what is to go out; raise Conflict if the object was recalled.

        A partner that has it, or gets it anyway, gets it once. Returns what was added.
        """
        added = []
        with self._writing() as connection:
            for sending in sendings:
                held = self._one(connection, sending.object_id)
                if held is None or held.recalled_at is not None:
                    raise Conflict("the object was recalled, or is not here")
                if not self._is_sent(connection, sending):
                    added.append(_add_sending(connection, sending, at))
        return added

    def approve(self, delivery_id: str, by: str, at: datetime) -> None:
        """Let a proposed sending leave; raise NotFound. The caller checks who approves."""
        waiting = (
            exchange_sendings.c.delivery_id == delivery_id,
            exchange_sendings.c.approved_by.is_(None),
        )
        with self._writing() as connection:
            changed = connection.execute(
                update(exchange_sendings)
                .where(*waiting)
                .values(approved_by=by, approved_at=at, place=_next_place(connection))
            )
            if changed.rowcount == 0:
                raise NotFound("no such sending waits for approval")
            _append(connection, at, "approve_sending", delivery_id)

    def recall_own(self, recall: HeldObject) -> list[Sending]:
        """Replace an own object by its recall, and send that wherever the object went."""
        with self._writing() as connection:
            return self._recall(connection, recall)

    def take_in(self, arrival: Arrival, held: HeldObject, onward: Sequence[Sending]) -> bool:
        """Store an arrival with what follows from it, all or nothing.

        Returns False, and stores nothing, if this delivery was taken in before.
        """
        with self._writing() as connection:
            is_it = exchange_arrivals.c.delivery_id == arrival.delivery_id
            if connection.execute(select(exchange_arrivals).where(is_it)).first() is not None:
                return False
            connection.execute(exchange_arrivals.insert(), asdict(arrival))
            present = self._one(connection, arrival.object_id)
            if arrival.is_recall:
                # A recall that overtakes its object is kept, so that the object is not taken in.
                if present is None:
                    self._insert(connection, held)
                elif present.recalled_at is None:
                    self._recall(connection, held)
            elif present is None:
                self._insert(connection, held)
                for sending in onward:
                    _add_sending(connection, sending, arrival.arrived_at)
            details = {"partner": arrival.partner, "kind": held.kind, "recall": arrival.is_recall}
            at = arrival.arrived_at
            _append(connection, at, "receive_object", arrival.object_id, details)
            return True

    def refuse(self, partner: str, refusal: str, at: datetime) -> None:
        """Record that an object of a partner was refused, by the name of the refusal."""
        with self._writing() as connection:
            _append(connection, at, "refuse_object", partner, {"refusal": refusal})

    def end_sending(self, delivery_id: str, at: datetime, refusal: str | None = None) -> None:
        """Record that a partner took a sending in, or refused it by a name."""
        is_it = exchange_sendings.c.delivery_id == delivery_id
        values = {"refusal": refusal} if refusal else {"delivered_at": at}
        with self._writing() as connection:
            connection.execute(update(exchange_sendings).where(is_it).values(values))
            action = "sending_refused" if refusal else "deliver_object"
            _append(connection, at, action, delivery_id, {"refusal": refusal} if refusal else {})

    def remove_expired(self, now: datetime) -> int:
        """Delete objects that expired, recalls included, with their sendings; return how many."""
        expired = select(exchange_objects.c.object_id).where(exchange_objects.c.expires_at <= now)
        with self._writing() as connection:
            ids = connection.scalars(expired).all()
            for object_id in ids:
                for table in (exchange_sendings, exchange_arrivals, exchange_objects):
                    connection.execute(delete(table).where(table.c.object_id == object_id))
                _append(connection, now, "remove_expired_object", object_id)
        return len(ids)

    def held(self, object_id: str) -> HeldObject | None:
        """Return one object, recalled or not."""
        with self._reading() as connection:
            return self._one(connection, object_id)

    def all_held(self, kind: str | None = None) -> list[HeldObject]:
        """Return every object, of one kind if given, in the order of arrival."""
        query = select(exchange_objects).order_by(
            exchange_objects.c.received_at, exchange_objects.c.object_id
        )
        if kind is not None:
            query = query.where(exchange_objects.c.kind == kind)
        return [self._held(row) for row in self._rows(query)]

    def sendings(self, partner: str | None = None, after: int = 0) -> list[Sending]:
        """Return approved sendings in their order, after a place; those of one partner if given."""
        table = exchange_sendings
        query = select(table).where(table.c.place > after).order_by(table.c.place)
        if partner is not None:
            query = query.where(table.c.partner == partner)
        return [Sending(**row._mapping) for row in self._rows(query)]

    def undelivered(self) -> list[Sending]:
        """Return approved sendings that no partner took in or refused, in their order."""
        return [each for each in self.sendings() if not (each.delivered_at or each.refusal)]

    def waiting(self) -> list[Sending]:
        """Return the sendings that wait for a second person, the oldest first."""
        table = exchange_sendings
        query = select(table).where(table.c.approved_by.is_(None)).order_by(table.c.proposed_at)
        return [Sending(**row._mapping) for row in self._rows(query)]

    def _recall(self, connection: Connection, recall: HeldObject) -> list[Sending]:
        at = recall.received_at
        of_object = exchange_sendings.c.object_id == recall.object_id
        # What nobody approved never leaves. What was approved may be on its way at this moment.
        unsent = of_object, exchange_sendings.c.approved_by.is_(None)
        connection.execute(delete(exchange_sendings).where(*unsent))
        rows = connection.execute(select(exchange_sendings).where(of_object)).all()
        sent = [Sending(**row._mapping) for row in rows]
        values = {
            "document": self._sealed(recall, connection),
            "recalled_at": recall.recalled_at,
        }
        is_it = exchange_objects.c.object_id == recall.object_id
        connection.execute(update(exchange_objects).where(is_it).values(values))
        recalls = [
            _add_sending(
                connection,
                replace(
                    each,
                    delivery_id=f"{each.delivery_id}-recall",
                    is_recall=True,
                    proposed_by=recall.originator,
                    proposed_at=at,
                    approved_by=recall.originator,
                    delivered_at=None,
                    refusal=None,
                ),
                at,
            )
            for each in sent
            if not each.is_recall
        ]
        _append(connection, at, "recall_object", recall.object_id, {"recipients": len(recalls)})
        return recalls

    def _is_sent(self, connection: Connection, sending: Sending) -> bool:
        same = or_(
            (exchange_sendings.c.object_id == sending.object_id)
            & (exchange_sendings.c.partner == sending.partner),
            exchange_sendings.c.delivery_id == sending.delivery_id,
        )
        return connection.execute(select(exchange_sendings).where(same)).first() is not None

    def _insert(self, connection: Connection, held: HeldObject) -> None:
        row = {**asdict(held), "document": self._sealed(held, connection)}
        connection.execute(exchange_objects.insert(), row)

    def _sealed(self, held: HeldObject, connection: Connection) -> str:
        unit = _unit(held.object_id)
        return self._keys.encrypt_text(unit, _PART, json.dumps(held.document), connection)

    def _one(self, connection: Connection, object_id: str) -> HeldObject | None:
        query = select(exchange_objects).where(exchange_objects.c.object_id == object_id)
        row = connection.execute(query).first()
        return None if row is None else self._held(row)

    def _held(self, row: Row[Any]) -> HeldObject:
        content = self._keys.decrypt_text(_unit(row.object_id).name, _PART, row.document)
        return HeldObject(**{**row._mapping, "document": json.loads(content or "{}")})


def _unit(object_id: str) -> EncryptionUnit:
    """Return the unit of an object, whose row is deleted as a whole when it expires."""
    return EncryptionUnit("accounts", f"exchange {object_id}")


def _next_place(connection: Connection) -> int:
    return (connection.scalar(select(func.max(exchange_sendings.c.place))) or 0) + 1


def _add_sending(connection: Connection, sending: Sending, at: datetime) -> Sending:
    """Insert a sending, at the end of the order if it is approved."""
    if sending.approved_by is not None:
        sending = replace(sending, place=_next_place(connection), approved_at=at)
    connection.execute(exchange_sendings.insert(), asdict(sending))
    details = {"partner": sending.partner, "recall": sending.is_recall}
    _append(connection, at, "propose_sending", sending.delivery_id, details)
    return sending


def _append(
    connection: Connection,
    at: datetime,
    action: str,
    object_id: str,
    details: Mapping[str, Any] | None = None,
) -> None:
    event = AuditEvent(at, current_actor(), action, "exchange", object_id, details or {})
    append_audit_events(connection, [event])
