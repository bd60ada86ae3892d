"""API keys in the database."""

import threading
import time
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, bindparam, select, text, update

from serving.access.acting import current_actor
from serving.access.actors import Actor
from serving.access.api_keys import ApiKey, PresentedKey, successor_of
from serving.access.errors import NameTaken
from serving.errors import LogUnavailable, NotFound
from serving.integrity.audit_log import AuditEvent
from serving.storage.names_in_use import require_new_name
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.tables.access import api_key_uses, api_keys
from serving.storage.tables.column_types import INSTANT

# The time for which a revoked key still works in other processes.
REMEMBERED_S = 1.0
MAX_REMEMBERED = 10_000

_NOTED_EVERY = timedelta(hours=1)
_NOTE_USE = text(
    "INSERT INTO api_key_uses (key_id, last_used_at) VALUES (:key_id, :at) "
    "ON CONFLICT (key_id) DO UPDATE SET last_used_at = :at"
).bindparams(bindparam("at", type_=INSTANT))
# One write an hour is enough for the question of unused keys, and spares the write lock.


class ApiKeyRepository(Repository):
    """The API keys of one database, cached for a second.

    So a revoked key stops working within a second in every process.
    """

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._audited = AuditedRows("api_keys", "key")
        self._remembered: dict[str, tuple[ApiKey, float]] = {}
        self._turns: dict[str, threading.Lock] = {}
        self._noted: dict[str, datetime] = {}

    def add_key(self, key: ApiKey) -> None:
        """Store a new key; raise Unprocessable, or NameTaken if the name is or was in use."""
        made = {"scopes": key.scopes, "offices": key.offices, "purposes": key.purposes}
        event = AuditEvent(key.created_at, current_actor(), "make_key", "key", key.key_id, made)
        with self._writing() as connection:
            _require_new_name(connection, key.name)
            connection.execute(api_keys.insert(), vars(key))
            append_audit_events(connection, [event])

    def rotate(
        self,
        name: str,
        now: datetime,
        actor: Actor,
        *,
        overlap: timedelta,
        lifetime: timedelta | None = None,
    ) -> tuple[ApiKey, PresentedKey]:
        """Give the holder of a name a new key; the former one stays valid for the overlap.

        Returns the key to store, and the secret to hand over once. Raises NotFound if no key of
        that name is live.
        """
        current = select(api_keys).where(
            api_keys.c.name == name,
            api_keys.c.revoked_at.is_(None),
            api_keys.c.superseded_at.is_(None),
        )
        with self._writing() as connection:
            row = connection.execute(current).first()
            former = ApiKey(**row._mapping) if row else None
            if former is None or not former.is_live(now):
                raise NotFound(f"no key named {name} is in use; `tidegate keys create` makes one")
            fresh, shown = successor_of(former, now, lifetime)
            # The overlap must not extend the life of a key that expires sooner.
            ends_at = min(filter(None, (former.expires_at, now + overlap)))
            connection.execute(
                update(api_keys)
                .where(api_keys.c.key_id == former.key_id)
                .values(superseded_at=now, expires_at=ends_at)
            )
            connection.execute(api_keys.insert(), vars(fresh))
            details = {
                "former_key_id": former.key_id,
                "key_id": fresh.key_id,
                "former_expires_at": ends_at.isoformat(),
            }
            event = AuditEvent(now, actor, "rotate_key", "key", former.holder, details)
            append_audit_events(connection, [event])
        self._remembered.clear()
        return fresh, shown

    def note_use(self, key_id: str, now: datetime) -> None:
        """Record that a key was used, to the hour; failures to write are ignored."""
        noted = self._noted.get(key_id)
        if noted is not None and now - noted < _NOTED_EVERY:
            return
        self._noted[key_id] = now
        # A call must not fail because this hint cannot be stored.
        with suppress(LogUnavailable), self._writing() as connection:
            connection.execute(_NOTE_USE, {"key_id": key_id, "at": now})

    def last_uses(self) -> dict[str, datetime]:
        """Return when each key was last used, to the hour, by id; unused keys are absent."""
        rows = self._rows(select(api_key_uses))
        return {row.key_id: row.last_used_at for row in rows}

    def remembered(self, key_id: str) -> ApiKey | None:
        """Return the key with this id if it is in the cache, without asking the database."""
        key, found_at_s = self._remembered.get(key_id, (None, 0.0))
        return key if time.monotonic() - found_at_s < REMEMBERED_S else None

    def find(self, key_id: str) -> ApiKey | None:
        """Return the key with this id, live or not; None if its row fails the audit."""
        query = select(api_keys).where(api_keys.c.key_id == key_id)
        with self._reading() as connection:
            holder = connection.scalar(query.with_only_columns(api_keys.c.holder_id))
            row = self._audited.read(connection, query, holder or "")
        if row is None:
            return None
        # Cleared whole: a flood of unknown ids does not enter the cache, so this is rare.
        if len(self._remembered) >= MAX_REMEMBERED:
            self._remembered.clear()
            self._turns.clear()
        key = ApiKey(**row._mapping)
        self._turns.setdefault(key_id, threading.Lock())
        self._remembered[key_id] = key, time.monotonic()
        return key

    def find_for_all(self, key_id: str) -> ApiKey | None:
        """Return the key with this id, querying once for simultaneous calls with one key."""
        with self._turns.get(key_id) or nullcontext():
            return self.remembered(key_id) or self.find(key_id)

    def all(self) -> list[ApiKey]:
        """Return every key, live or not, oldest first."""
        rows = self._rows(select(api_keys).order_by(api_keys.c.created_at))
        return [ApiKey(**row._mapping) for row in rows]

    def revoke(self, name: str, now: datetime) -> None:
        """Revoke the key of this name and the one it superseded; raise NotFound."""
        is_it = (api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
        ended = update(api_keys).where(*is_it).values(revoked_at=now)
        with self._writing() as connection:
            key_ids = connection.scalars(select(api_keys.c.key_id).where(*is_it)).all()
            if not key_ids:
                raise NotFound(f"no key named {name} is in use")
            connection.execute(ended)
            acts = [AuditEvent(now, current_actor(), "revoke_key", "key", each) for each in key_ids]
            append_audit_events(connection, acts)
        self._remembered.clear()


def _require_new_name(connection: Connection, name: str) -> None:
    current = api_keys.c.name == name, api_keys.c.revoked_at.is_(None)
    try:
        require_new_name(connection, name)
    except NameTaken as taken:
        if connection.execute(select(api_keys.c.key_id).where(*current)).first() is None:
            raise
        raise NameTaken(f"{taken}; `tidegate keys rotate` gives its holder another key") from None
