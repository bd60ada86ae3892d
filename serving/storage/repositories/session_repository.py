"""Open sessions of the console, shared by all workers.

A row counts only with its seal, which requires the key of the home. Someone who can write to the
database but lacks the key cannot forge or take over a session.
"""

import hmac
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, delete, select, update

from serving.access.actors import SERVICE, Actor
from serving.access.sessions import MAX_SESSIONS, Session, hash_of
from serving.integrity.audit_log import AuditEvent
from serving.storage.keys.data_keys import DataKeys
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.tables.access import sessions

_SEALED = ("cookie_sha256", "holder", "ends_at", "begun_at", "proved_at", "has_second_factor")
# Separates the form token, which cannot contain it, from the seal of the row.
_SEAL = "."


class SessionRepository(Repository):
    """The open sessions of one database."""

    def add_session(self, session: Session, now: datetime, *events: AuditEvent) -> None:
        """Store a session with its events; delete expired ones, and the oldest of too many."""
        with self._writing() as connection:
            insert_session(connection, self._keys, session, now)
            append_audit_events(connection, events)

    def find(self, cookie: str, now: datetime) -> Session | None:
        """Return the open session of a cookie, or None if there is none or its seal is wrong."""
        query = select(sessions).where(
            sessions.c.cookie_sha256 == hash_of(cookie), sessions.c.expires_at > now
        )
        with self._reading() as connection:
            row = connection.execute(query).first()
            found = None if row is None else _sealed(row, self._keys)
            # The seal may be by a key that was rotated in since; read the keys again before
            # refusing.
            if row and found is None and self._keys.token_keys.follow(connection):
                found = _sealed(row, self._keys)
        return found

    def of_holder(self, holder: str, now: datetime) -> list[Session]:
        """Return all open sessions of a holder, newest first."""
        query = select(sessions).where(sessions.c.holder == holder, sessions.c.expires_at > now)
        rows = self._rows(query.order_by(sessions.c.begun_at.desc()))
        return [_session(row) for row in rows]

    def prolong(self, session: Session) -> None:
        """Extend an open session to its new expiry; a session that was ended stays ended."""
        with self._writing() as connection:
            connection.execute(
                update(sessions)
                .where(sessions.c.cookie_sha256 == session.cookie_sha256)
                .values(expires_at=session.expires_at)
            )

    def replace_session(self, former: Session, fresh: Session, *events: AuditEvent) -> None:
        """Replace an open session, which ends, by one under a new cookie.

        Does nothing if the former session was ended meanwhile.
        """
        with self._writing() as connection:
            ended = delete(sessions).where(sessions.c.cookie_sha256 == former.cookie_sha256)
            if connection.execute(ended).rowcount:
                connection.execute(sessions.insert(), _row(fresh, self._keys))
                append_audit_events(connection, events)

    def end(self, cookie: str, *events: AuditEvent) -> None:
        """Close a session; an unknown one counts as closed."""
        with self._writing() as connection:
            connection.execute(delete(sessions).where(sessions.c.cookie_sha256 == hash_of(cookie)))
            append_audit_events(connection, events)

    def end_some(self, holder: str, session_ids: Sequence[str], now: datetime, by: Actor) -> int:
        """Close open sessions of a holder by their ids; return how many there were."""
        mine = [each for each in self.of_holder(holder, now) if each.session_id in session_ids]
        with self._writing() as connection:
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
        with self._writing() as connection:
            count = connection.execute(delete(sessions)).rowcount
            event = AuditEvent(now, by, "end_sessions", "log", "all", {"sessions": count})
            append_audit_events(connection, [event])
        return count


def insert_session(connection: Connection, keys: DataKeys, session: Session, now: datetime) -> None:
    """Store a session in a transaction that is writing; delete expired ones and the oldest."""
    connection.execute(delete(sessions).where(sessions.c.expires_at <= now))
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
    form_token = f"{session.form_token}{_SEAL}{_seal(session, keys)}"
    return vars(session) | {"form_token": form_token}


def _seal(session: Session, keys: DataKeys) -> str:
    """Return the seal that only a holder of the home's key can compute."""
    said = [session.form_token, *(str(getattr(session, name)) for name in _SEALED)]
    return keys.token("session", json.dumps(said))


def _sealed(row: Row[Any], keys: DataKeys) -> Session | None:
    """Return the session of a row as it was written, or None.

    Only its expiry may have moved, up to its end.
    """
    session = _session(row)
    _, _, seal = row.form_token.partition(_SEAL)
    # Compared in constant time, so that the seal cannot be guessed byte by byte.
    is_sealed = hmac.compare_digest(seal.encode(), _seal(session, keys).encode())
    return session if is_sealed and session.expires_at <= session.ends_at else None


def _session(row: Row[Any]) -> Session:
    form_token, _, _ = row.form_token.partition(_SEAL)
    return Session(**row._asdict() | {"form_token": form_token})
