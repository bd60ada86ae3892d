"""Webhook endpoints, whose progress is that of receivers of a feed.

An endpoint counts only as the audit log has it: an address inserted into the table by someone else
receives nothing.
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, select, update

from serving.access.acting import current_actor
from serving.crypto.encryption import EncryptionUnit
from serving.errors import Conflict, NotFound
from serving.integrity.audit_log import AuditEvent
from serving.outbox.feeds import ReceiverState
from serving.outbox.webhooks import MAX_ENDPOINTS, WebhookChannel, WebhookEndpoint
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.receiver_repository import (
    ReceiverRepository,
    begin_receiver,
    end_receiver,
    resume_receiver,
)
from serving.storage.repository import Repository
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.tables.outgoing import published_events, webhook_endpoints

# Encrypted, since a copy of the database must not suffice to sign calls.
_SECRETS = ("secret", "former_secret")


class WebhookRepository(Repository):
    """The endpoints of one database."""

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._progress = ReceiverRepository(engine)
        self._audited = AuditedRows("webhook_endpoints", "webhook")

    def add(self, endpoint: WebhookEndpoint) -> None:
        """Store a new endpoint, which receives events from now on; raise Conflict."""
        told = {"url": endpoint.url, "types": endpoint.types, "offices": endpoint.offices}
        with self._writing() as connection:
            if len(connection.execute(_live()).all()) >= MAX_ENDPOINTS:
                raise Conflict(f"there are {MAX_ENDPOINTS} endpoints; revoke one first")
            connection.execute(webhook_endpoints.insert(), self._stored(endpoint, connection))
            # A new endpoint receives events from now on, and not the past feed.
            newest = _newest_event(connection)
            begin_receiver(connection, WebhookChannel.name, endpoint.endpoint_id, newest)
            _append(connection, endpoint.created_at, "make_webhook", endpoint.endpoint_id, told)

    def rotate(self, endpoint_id: str, secret: str, now: datetime, overlap: timedelta) -> None:
        """Sign with another secret too; the former one counts until the overlap is over.

        Raises NotFound.
        """
        with self._writing() as connection:
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
        with self._writing() as connection:
            endpoint = self._found(connection, endpoint_id)
            self._change(connection, replace(endpoint, revoked_at=now))
            end_receiver(connection, WebhookChannel.name, endpoint_id, now)
            _append(connection, now, "revoke_webhook", endpoint_id)

    def resume(self, endpoint_id: str, now: datetime) -> None:
        """Retry an endpoint at once, even if it was switched off; raise NotFound.

        It receives everything since then.
        """
        with self._writing() as connection:
            self._found(connection, endpoint_id)
            resume_receiver(connection, WebhookChannel.name, endpoint_id)
            _append(connection, now, "resume_webhook", endpoint_id)

    def all(self) -> list[tuple[WebhookEndpoint, ReceiverState]]:
        """Return every endpoint, revoked ones included, oldest first."""
        query = select(webhook_endpoints).order_by(webhook_endpoints.c.created_at)
        rows = self._rows(query)
        return self._with_states(map(self._endpoint, rows))

    def live(self) -> list[tuple[WebhookEndpoint, ReceiverState]]:
        """Return every endpoint that was not revoked, except those that fail the audit."""
        with self._reading() as connection:
            ids = connection.scalars(_live()).all()
            rows = [self._audited.read(connection, _one(each)) for each in ids]
        live = [row for row in rows if row is not None and row.revoked_at is None]
        return self._with_states(map(self._endpoint, live))

    def _with_states(
        self, endpoints: Iterable[WebhookEndpoint]
    ) -> list[tuple[WebhookEndpoint, ReceiverState]]:
        states = self._progress.states(WebhookChannel.name)
        return [(each, states[each.endpoint_id]) for each in endpoints]

    def newest_event(self) -> str | None:
        """Return the id of the newest event of all."""
        with self._reading() as connection:
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
        stored = dict(vars(endpoint))
        unit = _unit(endpoint.endpoint_id)
        for name in _SECRETS:
            if stored[name] is not None:
                stored[name] = self._keys.encrypt_text(unit, name, stored[name], connection)
        return stored

    def _endpoint(self, row: Row[Any]) -> WebhookEndpoint:
        found = dict(row._mapping)
        unit = _unit(row.endpoint_id)
        for name in _SECRETS:
            if found[name] is not None:
                found[name] = self._keys.decrypt_text(unit.name, name, found[name])
        return WebhookEndpoint(**found)


def _live() -> Select[str]:
    return select(webhook_endpoints.c.endpoint_id).where(webhook_endpoints.c.revoked_at.is_(None))


def _one(endpoint_id: str) -> Select[Any]:
    return select(webhook_endpoints).where(webhook_endpoints.c.endpoint_id == endpoint_id)


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
) -> None:
    event = AuditEvent(at, current_actor(), action, "webhook", endpoint_id, told or {})
    append_audit_events(connection, [event])
