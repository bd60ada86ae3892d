"""Webhook endpoints, and how far each has received the feed.

An endpoint counts only as the audit log has it: an address inserted into the table by someone else
receives nothing.
"""

import json
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, and_, select, update

from serving.access.acting import whoever_acts
from serving.access.actors import SERVICE, Actor
from serving.crypto.encryption import EncryptionUnit
from serving.errors import Conflict, NotFound
from serving.integrity.audit_log import AuditEvent
from serving.outbox.webhooks import (
    LEASE,
    MAX_ENDPOINTS,
    DeliveryState,
    FailedCall,
    WebhookEndpoint,
)
from serving.storage.engine import failing_as_unavailable
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.tables.outgoing import published_events, webhook_endpoints, webhook_progress
from serving.storage.write_lock import writing

_INSTANTS = ("next_at", "failing_since", "reached_at", "off_at", "leased_until")
# Encrypted, since a copy of the database must not suffice to sign calls.
_SECRETS = ("secret", "former_secret")


class WebhookRepository:
    """The endpoints of one database.

    Every method raises LogUnavailable if the database fails.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._keys = DataKeys(engine)
        self._audited = AuditedRows("webhook_endpoints", "webhook")

    def add(self, endpoint: WebhookEndpoint) -> None:
        """Store a new endpoint, which receives events from now on; raise Conflict."""
        told = {"url": endpoint.url, "types": endpoint.types, "offices": endpoint.offices}
        with failing_as_unavailable(), writing(self._engine) as connection:
            if len(connection.execute(_live()).all()) >= MAX_ENDPOINTS:
                raise Conflict(f"there are {MAX_ENDPOINTS} endpoints; revoke one first")
            connection.execute(webhook_endpoints.insert(), self._stored(endpoint, connection))
            state = {"endpoint_id": endpoint.endpoint_id, "attempts": 0}
            # A new endpoint receives events from now on, and not the past feed.
            state["reached"] = _newest_event(connection)
            connection.execute(webhook_progress.insert(), state)
            _append(connection, endpoint.created_at, "make_webhook", endpoint.endpoint_id, told)

    def rotate(self, endpoint_id: str, secret: str, now: datetime, overlap: timedelta) -> None:
        """Sign with another secret too; the former one counts until the overlap is over.

        Raises NotFound.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            endpoint = self._found(connection, endpoint_id)
            changed = replace(
                endpoint,
                secret=secret,
                former_secret=endpoint.secret,
                former_secret_ends_at=now + overlap,
            )
            self._change(connection, changed)
            told = {"former_secret_ends_at": (now + overlap).isoformat()}
            _append(connection, now, "rotate_webhook", endpoint_id, told)

    def revoke(self, endpoint_id: str, now: datetime) -> None:
        """Stop sending to an endpoint; raise NotFound."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            endpoint = self._found(connection, endpoint_id)
            self._change(connection, replace(endpoint, revoked_at=now))
            _append(connection, now, "revoke_webhook", endpoint_id)

    def resume(self, endpoint_id: str, now: datetime) -> None:
        """Retry an endpoint at once, even if it was switched off; raise NotFound.

        It receives everything since then.
        """
        fresh = dict.fromkeys(("next_at", "failing_since", "failure", "off_at")) | {"attempts": 0}
        with failing_as_unavailable(), writing(self._engine) as connection:
            self._found(connection, endpoint_id)
            connection.execute(_of(endpoint_id).values(fresh))
            _append(connection, now, "resume_webhook", endpoint_id)

    def all(self) -> list[tuple[WebhookEndpoint, DeliveryState]]:
        """Return every endpoint, revoked ones included, oldest first."""
        query = select(webhook_endpoints).order_by(webhook_endpoints.c.created_at)
        with failing_as_unavailable(), self._engine.connect() as connection:
            states = _states(connection)
            rows = connection.execute(query).all()
        return [(self._endpoint(row), states[row.endpoint_id]) for row in rows]

    def live(self) -> list[tuple[WebhookEndpoint, DeliveryState]]:
        """Return every endpoint that was not revoked, except those that fail the audit."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            states = _states(connection)
            ids = connection.scalars(_live()).all()
            rows = [self._audited.read(connection, _one(each)) for each in ids]
        live = [row for row in rows if row is not None and row.revoked_at is None]
        return [(self._endpoint(row), states[row.endpoint_id]) for row in live]

    def take(self, endpoint_id: str, lease: str, now: datetime) -> DeliveryState | None:
        """Lease an endpoint; return None if another worker has it or it is not due."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            is_live = connection.scalar(
                _live().where(webhook_endpoints.c.endpoint_id == endpoint_id)
            )
            found = connection.execute(select(webhook_progress).where(_is(endpoint_id))).first()
            if found is None or is_live is None or not _state(found).is_due(now):
                return None
            connection.execute(_of(endpoint_id).values(lease=lease, leased_until=_end(now)))
        return _state(found)

    def advance(self, endpoint_id: str, lease: str, reached: str, now: datetime) -> bool:
        """Record how far an endpoint has received, and that it works.

        Returns False if the lease is another's by now, or the endpoint was revoked.
        """
        fine = dict.fromkeys(("next_at", "failing_since", "failure")) | {"attempts": 0}
        fine |= {"reached": reached, "reached_at": now.isoformat(), "leased_until": _end(now)}
        with failing_as_unavailable(), writing(self._engine) as connection:
            is_live = webhook_progress.c.endpoint_id.in_(_live())
            # The lease in the condition keeps a slow worker from moving the position of a faster
            # one back.
            told = _of(endpoint_id, lease).where(is_live).values(fine)
            return connection.execute(told).rowcount > 0

    def fail(self, endpoint_id: str, lease: str, failed: FailedCall) -> bool:
        """Record a failed call; return whether the endpoint is switched off by it."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            query = select(webhook_progress).where(_is(endpoint_id), _is_leased(lease))
            found = connection.execute(query).first()
            if found is None:
                return False
            # Counted from the first failure in a row, however often the endpoint was called since.
            since = _state(found).failing_since or failed.at
            is_off = failed.is_gone or failed.at - since >= failed.off_after
            changed = {
                "attempts": found.attempts + 1,
                "next_at": failed.next_at.isoformat(),
                "failing_since": since.isoformat(),
                "failure": failed.words,
                "off_at": failed.at.isoformat() if is_off else None,
            }
            connection.execute(_of(endpoint_id, lease).values(changed))
            if is_off:
                told = {"because": failed.words}
                _append(connection, failed.at, "switch_off_webhook", endpoint_id, told, SERVICE)
        return is_off

    def give_back(self, endpoint_id: str, lease: str) -> None:
        """End a lease."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.execute(_of(endpoint_id, lease).values(lease=None, leased_until=None))

    def newest_event(self) -> str | None:
        """Return the id of the newest event of all."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return _newest_event(connection)

    def _found(self, connection: Connection, endpoint_id: str) -> WebhookEndpoint:
        row = connection.execute(_one(endpoint_id)).first()
        if row is None or row.revoked_at is not None:
            raise NotFound(
                f"no endpoint {endpoint_id} is in use; `tidegate webhooks list` has them"
            )
        return self._endpoint(row)

    def _change(self, connection: Connection, endpoint: WebhookEndpoint) -> None:
        is_it = webhook_endpoints.c.endpoint_id == endpoint.endpoint_id
        stored = self._stored(endpoint, connection)
        connection.execute(update(webhook_endpoints).where(is_it).values(stored))

    def _stored(self, endpoint: WebhookEndpoint, connection: Connection) -> dict[str, Any]:
        stored = vars(endpoint) | {
            "types": json.dumps(endpoint.types),
            "offices": json.dumps(endpoint.offices),
        }
        for name in ("created_at", "former_secret_ends_at", "revoked_at"):
            stored[name] = stored[name] and stored[name].isoformat()
        unit = _unit(endpoint.endpoint_id)
        for name in _SECRETS:
            if stored[name] is not None:
                stored[name] = self._keys.encrypt_text(unit, name, stored[name], connection)
        return stored

    def _endpoint(self, row: Row[Any]) -> WebhookEndpoint:
        found = dict(row._mapping)
        for name in ("types", "offices"):
            found[name] = tuple(json.loads(found[name]))
        for name in ("created_at", "former_secret_ends_at", "revoked_at"):
            found[name] = found[name] and datetime.fromisoformat(found[name])
        unit = _unit(row.endpoint_id)
        for name in _SECRETS:
            if found[name] is not None:
                found[name] = self._keys.decrypt_text(unit.name, name, found[name])
        return WebhookEndpoint(**found)


def _state(row: Row[Any]) -> DeliveryState:
    found = {name: row._mapping[name] for name in DeliveryState.__annotations__}
    for name in _INSTANTS:
        found[name] = found[name] and datetime.fromisoformat(found[name])
    return DeliveryState(**found)


def _states(connection: Connection) -> dict[str, DeliveryState]:
    rows = connection.execute(select(webhook_progress))
    return {row.endpoint_id: _state(row) for row in rows}


def _live() -> Select[str]:
    return select(webhook_endpoints.c.endpoint_id).where(webhook_endpoints.c.revoked_at.is_(None))


def _one(endpoint_id: str) -> Select[Any]:
    return select(webhook_endpoints).where(webhook_endpoints.c.endpoint_id == endpoint_id)


def _is(endpoint_id: str) -> Any:
    return webhook_progress.c.endpoint_id == endpoint_id


def _is_leased(lease: str) -> Any:
    return webhook_progress.c.lease == lease


def _of(endpoint_id: str, lease: str | None = None) -> Any:
    is_it = _is(endpoint_id)
    return update(webhook_progress).where(
        is_it if lease is None else and_(is_it, _is_leased(lease))
    )


def _end(now: datetime) -> str:
    return (now + LEASE).isoformat()


def _unit(endpoint_id: str) -> EncryptionUnit:
    """Return the unit of a webhook's secrets.

    It has no day: its key is that of accounts, which no erasure destroys.
    """
    return EncryptionUnit("accounts", f"webhook {endpoint_id}")


def _newest_event(connection: Connection) -> str | None:
    query = select(published_events.c.event_id).order_by(published_events.c.seq.desc()).limit(1)
    return connection.scalar(query)


def _append(
    connection: Connection,
    at: datetime,
    action: str,
    endpoint_id: str,
    told: dict[str, Any] | None = None,
    by: Actor | None = None,
) -> None:
    event = AuditEvent(at, by or whoever_acts(), action, "webhook", endpoint_id, told or {})
    append_audit_events(connection, [event])
