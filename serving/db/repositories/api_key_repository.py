"""API keys on disk."""

import json
import time
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, Row, select, update

from serving.access.acting import whoever_acts
from serving.access.api_keys import ApiKey
from serving.audit.audit_log import AuditEvent
from serving.db.engine import failing_as_unavailable
from serving.db.names_in_use import require_new_name
from serving.db.repositories.audit_repository import append_audit_events
from serving.db.tables import api_keys
from serving.db.write_lock import writing
from serving.errors import NotFound

REMEMBERED_S = 1.0
MOST_REMEMBERED = 10_000


class ApiKeyRepository:
    """The keys of one database, each read again after a second: so soon does a revoked one stop."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._remembered: dict[str, tuple[ApiKey, float]] = {}

    def add_key(self, key: ApiKey) -> None:
        """Keep a new key; raises NameRefused, or NameTaken where one has or had such a name."""
        row = {
            "key_id": key.key_id,
            "name": key.name,
            "secret_sha256": key.secret_sha256,
            "scopes": json.dumps(key.scopes),
            "offices": json.dumps(key.offices),
            "created_at": key.created_at.isoformat(),
            "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            "purposes": json.dumps(key.purposes),
        }
        made = {"scopes": key.scopes, "offices": key.offices, "purposes": key.purposes}
        event = AuditEvent(key.created_at, whoever_acts(), "make_key", "key", key.key_id, made)
        with failing_as_unavailable(), writing(self._engine) as connection:
            require_new_name(connection, key.name)
            connection.execute(api_keys.insert(), row)
            append_audit_events(connection, [event])

    def remembered(self, key_id: str) -> ApiKey | None:
        """The key with this id if it was found within the last second; asks no database."""
        key, found_at_s = self._remembered.get(key_id, (None, 0.0))
        return key if time.monotonic() - found_at_s < REMEMBERED_S else None

    def find(self, key_id: str) -> ApiKey | None:
        """The key with this id, live or not."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            row = connection.execute(select(api_keys).where(api_keys.c.key_id == key_id)).first()
        if row is None:
            return None
        if len(self._remembered) >= MOST_REMEMBERED:
            self._remembered.clear()
        key = _key(row)
        self._remembered[key_id] = key, time.monotonic()
        return key

    def all(self) -> list[ApiKey]:
        """Every key, oldest first, live or not."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(select(api_keys).order_by(api_keys.c.created_at))
            return [_key(row) for row in rows]

    def revoke(self, name: str, now: datetime) -> None:
        """End the key of this name; raises NotFound where none is in use."""
        is_it = (api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
        ended = update(api_keys).where(*is_it).values(revoked_at=now.isoformat())
        with failing_as_unavailable(), writing(self._engine) as connection:
            key_id = connection.scalar(select(api_keys.c.key_id).where(*is_it))
            if key_id is None:
                raise NotFound(f"no key named {name} is in use")
            connection.execute(ended)
            act = AuditEvent(now, whoever_acts(), "revoke_key", "key", key_id)
            append_audit_events(connection, [act])
        self._remembered.clear()


def _key(row: Row[Any]) -> ApiKey:
    return ApiKey(
        key_id=row.key_id,
        name=row.name,
        secret_sha256=row.secret_sha256,
        scopes=tuple(json.loads(row.scopes)),
        offices=tuple(json.loads(row.offices)),
        created_at=datetime.fromisoformat(row.created_at),
        expires_at=datetime.fromisoformat(row.expires_at) if row.expires_at else None,
        revoked_at=datetime.fromisoformat(row.revoked_at) if row.revoked_at else None,
        purposes=tuple(json.loads(row.purposes or "[]")),
    )
