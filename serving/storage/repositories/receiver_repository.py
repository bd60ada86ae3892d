"""The progress of each receiver of a feed, and the worker that holds its lease."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Update, and_, select, update

from serving.access.actors import SERVICE
from serving.integrity.audit_log import AuditEvent
from serving.outbox.feeds import LEASE, FailedCall, ReceiverState
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.outgoing import receivers

_FRESH = dict.fromkeys(("next_at", "failing_since", "failure", "off_at")) | {"attempts": 0}


class ReceiverRepository(Repository):
    """The receivers of one database."""

    def states(self, channel: str) -> dict[str, ReceiverState]:
        """Return the state of each receiver of a channel that was ever called, by name."""
        query = select(receivers).where(receivers.c.channel == channel)
        return {row.receiver: _state(row) for row in self._rows(query)}

    def lease(self, channel: str, name: str, lease: str, now: datetime) -> ReceiverState | None:
        """Lease a receiver; return None if another worker has it or it is not due."""
        with self._writing() as connection:
            found = connection.execute(select(receivers).where(_is(channel, name))).first()
            if found is None:
                begin_receiver(connection, channel, name, None)
            state = ReceiverState(name) if found is None else _state(found)
            if not state.is_due(now):
                return None
            leased = {"lease": lease, "leased_until": now + LEASE}
            connection.execute(_of(channel, name).values(leased))
        return state

    def advance(self, channel: str, name: str, lease: str, reached: str, now: datetime) -> bool:
        """Record how far a receiver has got, and that it works.

        Returns False if the lease is another's by now, or the receiver was switched off.
        """
        fine = {"reached": reached, "reached_at": now, "leased_until": now + LEASE}
        with self._writing() as connection:
            # The lease in the condition keeps a slow worker from moving the position of a faster
            # one back.
            is_on = receivers.c.off_at.is_(None)
            moved = _of(channel, name, lease).where(is_on).values(_FRESH | fine)
            return connection.execute(moved).rowcount > 0

    def fail(self, channel: str, name: str, lease: str, failed: FailedCall) -> bool:
        """Record a failed call; return whether the receiver is switched off by it."""
        query = select(receivers).where(_is(channel, name), receivers.c.lease == lease)
        with self._writing() as connection:
            found = connection.execute(query.where(receivers.c.off_at.is_(None))).first()
            if found is None:
                return False
            # Counted from the first failure in a row, however often it was called since.
            since = _state(found).failing_since or failed.at
            is_off = failed.switches_off(since)
            changed = {
                "attempts": found.attempts + 1,
                "next_at": failed.next_at,
                "failing_since": since,
                "failure": failed.words,
                "off_at": failed.at if is_off else None,
            }
            connection.execute(_of(channel, name, lease).values(changed))
            if is_off:
                because = {"because": failed.words}
                event = AuditEvent(
                    failed.at, SERVICE, f"switch_off_{channel}", channel, name, because
                )
                append_audit_events(connection, [event])
        return is_off

    def give_back(self, channel: str, name: str, lease: str) -> None:
        """End a lease."""
        with self._writing() as connection:
            connection.execute(_of(channel, name, lease).values(lease=None, leased_until=None))

    def make_due(self, channel: str, name: str) -> None:
        """Let a receiver be called now, even if it waits or another worker holds its lease."""
        with self._writing() as connection:
            connection.execute(
                _of(channel, name).values(next_at=None, lease=None, leased_until=None)
            )

    def move_back(self, channel: str, name: str, reached: str | None) -> None:
        """Let a receiver that lost parts get them again, after `reached`."""
        with self._writing() as connection:
            connection.execute(_of(channel, name).values(reached=reached))


def begin_receiver(connection: Connection, channel: str, name: str, reached: str | None) -> None:
    """Store a new receiver, which gets what follows `reached`."""
    row = {"channel": channel, "receiver": name, "attempts": 0, "reached": reached}
    connection.execute(receivers.insert(), row)


def resume_receiver(connection: Connection, channel: str, name: str) -> None:
    """Let a receiver be called at once as if it had never failed, even if it was switched off."""
    connection.execute(_of(channel, name).values(_FRESH))


def end_receiver(connection: Connection, channel: str, name: str, at: datetime) -> None:
    """Switch a receiver off for good; a delivery in progress gets no further."""
    connection.execute(_of(channel, name).values(off_at=at))


def _state(row: Row[Any]) -> ReceiverState:
    return ReceiverState(**{name: row._mapping[name] for name in ReceiverState.__annotations__})


def _is(channel: str, name: str) -> ColumnElement[bool]:
    return and_(receivers.c.channel == channel, receivers.c.receiver == name)


def _of(channel: str, name: str, lease: str | None = None) -> Update:
    found = update(receivers).where(_is(channel, name))
    return found if lease is None else found.where(receivers.c.lease == lease)
