"""Open sessions of the console, shared by all workers.

A row counts only with its seal, which requires the key of the home. Someone who can write to the
database but lacks the key cannot forge or take over a session.
"""

import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, update

from serving.access.actors import SERVICE, Actor
from serving.access.sessions import MAX_SESSIONS, Session, hash_of
from serving.integrity.audit_log import AuditEvent
from serving.storage.engine import failing_as_unavailable
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.tables.access import sessions
from serving.storage.write_lock import writing

_INSTANTS = ("expires_at", "ends_at", "begun_at", "proved_at")
_SEALED = ("cookie_sha256", "holder", "ends_at", "begun_at", "proved_at", "has_second_factor")
# Separates the form token, which cannot contain it, from the seal of the row.
_SEAL = "."


class SessionRepository:
    """The open sessions of one database."""

    def __init__(self, engine: Engine):
        self._engine = engine
        self._keys = DataKeys(engine)

    def add_session(self, session: Session, now: datetime, *events: AuditEvent) -> None:
        """Store a session with its events; delete expired ones, and the oldest of too many."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            insert_session(connection, self._keys, session, now)
            append_audit_events(connection, events)

    def find(self, cookie: str, now: datetime) -> Session | None:
        """Return the open session of a cookie, or None if there is none or its seal is wrong."""
        query = select(sessions).where(
            sessions.c.cookie_sha256 == hash_of(cookie), sessions.c.expires_at > now.isoformat()
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            row = connection.execute(query).first()
            is_sealed = row is not None and _is_sealed(row, self._keys)
            # The seal may be by a key that was rotated in since; read the keys again before
            # refusing.
            if row is not None and not is_sealed and self._keys.token_keys.follow(connection):
                is_sealed = _is_sealed(row, self._keys)
        return _session(row) if row and is_sealed else None

    def of_holder(self, holder: str, now: datetime) -> list[Session]:
        """Return all open sessions of a holder, newest first."""
        at = now.isoformat()
        query = select(sessions).where(sessions.c.holder == holder, sessions.c.expires_at > at)
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(query.order_by(sessions.c.begun_at.desc())).all()
        return [_session(row) for row in rows]

    def prolong(self, session: Session) -> None:
        """Extend an open session to its new expiry; a session that was ended stays ended."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.execute(
                update(sessions)
                .where(sessions.c.cookie_sha256 == session.cookie_sha256)
                .values(expires_at=session.expires_at.isoformat())
            )

    def replace_session(self, former: Session, fresh: Session, *events: AuditEvent) -> None:
        """Replace an open session, which ends, by one under a new cookie.

        Does nothing if the former session was ended meanwhile.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            ended = delete(sessions).where(sessions.c.cookie_sha256 == former.cookie_sha256)
            if connection.execute(ended).rowcount:
                connection.execute(sessions.insert(), _row(fresh, self._keys))
                append_audit_events(connection, events)

    def end(self, cookie: str, *events: AuditEvent) -> None:
        """Close a session; an unknown one counts as closed."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.cookie_sha256 == hash_of(cookie)))
            append_audit_events(connection, events)

    def end_some(self, holder: str, session_ids: Sequence[str], now: datetime, by: Actor) -> int:
        """Close open sessions of a holder by their ids; return how many there were."""
        mine = [each for each in self.of_holder(holder, now) if each.session_id in session_ids]
        with failing_as_unavailable(), writing(self._engine) as connection:
            ended = delete(sessions).where(
                sessions.c.holder == holder,
                sessions.c.cookie_sha256.in_([each.cookie_sha256 for each in mine]),
            )
            count = connection.execute(ended).rowcount if mine else 0
            if count:
                append_audit_events(connection, [_ended(holder, count, now, by)])
        return count

    def end_all(self, holder: str, now: datetime, by: Actor) -> int:
        """Close every open session of a holder; return how many there were."""
        return self.end_some(
            holder, [each.session_id for each in self.of_holder(holder, now)], now, by
        )

    def end_everybodys(self, now: datetime, by: Actor) -> int:
        """Close every session of everybody; return how many there were."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            count = connection.execute(delete(sessions)).rowcount
            event = AuditEvent(now, by, "end_sessions", "log", "all", {"sessions": count})
            append_audit_events(connection, [event])
        return count


def insert_session(connection: Connection, keys: DataKeys, session: Session, now: datetime) -> None:
    """Store a session in a transaction that is writing; delete expired ones and the oldest."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now.isoformat()))
    # One account that signs in without end must not fill the table.
    newest = (
        select(sessions.c.cookie_sha256)
        .where(sessions.c.holder == session.holder)
        .order_by(sessions.c.begun_at.desc(), sessions.c.cookie_sha256)
        .limit(MAX_SESSIONS - 1)
    )
    oldest = delete(sessions).where(
        sessions.c.holder == session.holder,
        sessions.c.cookie_sha256.not_in(connection.scalars(newest).all()),
    )
    if count := connection.execute(oldest).rowcount:
        append_audit_events(connection, [_ended(session.holder, count, now, SERVICE)])
    connection.execute(sessions.insert(), _row(session, keys))


def end_sessions(connection: Connection, holder: str, but: str = "") -> None:
    """Close a holder's sessions except the one with hash `but`, within a transaction."""
    connection.execute(
        delete(sessions).where(sessions.c.holder == holder, sessions.c.cookie_sha256 != but)
    )


def _ended(holder: str, count: int, now: datetime, by: Actor) -> AuditEvent:
    kind, _, name = holder.partition(":")
    return AuditEvent(now, by, "end_sessions", kind, name, {"sessions": count})


def _row(session: Session, keys: DataKeys) -> dict[str, Any]:
    kept = asdict(session) | {name: getattr(session, name).isoformat() for name in _INSTANTS}
    kept["has_second_factor"] = int(session.has_second_factor)
    return kept | {"form_token": f"{session.form_token}{_SEAL}{_seal(kept, keys)}"}


def _seal(kept: Mapping[str, Any], keys: DataKeys) -> str:
    """Return the seal that only a holder of the home's key can compute."""
    form_token, _, _ = kept["form_token"].partition(_SEAL)
    said = [form_token, *(kept[name] for name in _SEALED)]
    return keys.token("session", json.dumps(said))


def _is_sealed(row: Row[Any], keys: DataKeys) -> bool:
    """Return whether a row is as written, apart from its expiry, which may move up to its end."""
    _, _, seal = row.form_token.partition(_SEAL)
    if row.expires_at > row.ends_at:
        return False
    # Compared in constant time, so that the seal cannot be guessed byte by byte.
    return hmac.compare_digest(seal.encode(), _seal(row._asdict(), keys).encode())


def _session(row: Row[Any]) -> Session:
    form_token, _, _ = row.form_token.partition(_SEAL)
    kept = dict(row._mapping) | {
        name: datetime.fromisoformat(getattr(row, name)) for name in _INSTANTS
    }
    whole = {"form_token": form_token, "has_second_factor": bool(row.has_second_factor)}
    return Session(**kept | whole)
