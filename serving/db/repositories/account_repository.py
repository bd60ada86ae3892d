"""Accounts of people, and the sessions of the console, on disk: any worker knows them."""

import json
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, delete, select, update

from serving.access.accounts import Account
from serving.access.names import distinct_name
from serving.access.sessions import Session, hash_of
from serving.db.engine import failing_as_unavailable
from serving.db.names_in_use import names_ever, require_new_name
from serving.db.tables import accounts, sessions
from serving.db.write_lock import writing
from serving.errors import NotFound, NotSignedIn


class AccountRepository:
    """The accounts of one database, read anew on every use: a disabled one stops at once."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def add_account(self, account: Account) -> None:
        """Keep a new account; raises NameTaken or NameRefused."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            require_new_name(connection, account.name)
            _insert(connection, account)

    def admit(self, account: Account) -> Account:
        """The account of someone known elsewhere, with the role and offices they have by now.

        A name that another has or had is told apart. Raises NotSignedIn where the account was
        ended here.
        """
        kept = self._by_subject(account.subject)
        if kept is None:
            return self._add_named_apart(account)
        if kept.disabled_at is not None:
            raise NotSignedIn("this account was ended here")
        now_true = {"role": account.role, "offices": json.dumps(account.offices)}
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.execute(
                update(accounts).where(accounts.c.name == kept.name).values(now_true)
            )
        return replace(kept, role=account.role, offices=account.offices)

    def _add_named_apart(self, account: Account) -> Account:
        """Keep a new account of somebody known elsewhere, under a name that nobody has or had."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            query = select(accounts).where(accounts.c.subject == account.subject)
            if row := connection.execute(query).first():  # signed in twice at once
                return _account(row)
            name = distinct_name(account.name, account.subject or "", names_ever(connection))
            named = replace(account, name=name)
            _insert(connection, named)
        return named

    def _by_subject(self, subject: str | None) -> Account | None:
        with failing_as_unavailable(), self._engine.connect() as connection:
            row = connection.execute(select(accounts).where(accounts.c.subject == subject)).first()
        return _account(row) if row else None

    def find(self, name: str) -> Account | None:
        """The account of this name, disabled or not."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            row = connection.execute(select(accounts).where(accounts.c.name == name)).first()
        return _account(row) if row else None

    def all(self) -> list[Account]:
        """Every account, by name."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return [_account(row) for row in connection.execute(select(accounts).order_by("name"))]

    def disable(self, name: str, now: datetime) -> None:
        """End an account and its sessions; raises NotFound."""
        ended = update(accounts).where(accounts.c.name == name, accounts.c.disabled_at.is_(None))
        with failing_as_unavailable(), writing(self._engine) as connection:
            if connection.execute(ended.values(disabled_at=now.isoformat())).rowcount == 0:
                raise NotFound(f"no account named {name} is in use")
            connection.execute(delete(sessions).where(sessions.c.holder == f"account:{name}"))


class SessionRepository:
    """The open sessions of one database."""

    def __init__(self, engine: Engine):
        self._engine = engine

    def add_session(self, session: Session, now: datetime) -> None:
        """Keep a session, and forget those that are over."""
        row = {**vars(session), "expires_at": session.expires_at.isoformat()}
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.expires_at <= now.isoformat()))
            connection.execute(sessions.insert(), row)

    def find(self, cookie: str, now: datetime) -> Session | None:
        """The open session of a cookie, or None."""
        query = select(sessions).where(
            sessions.c.cookie_sha256 == hash_of(cookie), sessions.c.expires_at > now.isoformat()
        )
        with failing_as_unavailable(), self._engine.connect() as connection:
            row = connection.execute(query).first()
        if row is None:
            return None
        expires_at = datetime.fromisoformat(row.expires_at)
        return Session(row.cookie_sha256, row.holder, row.form_token, expires_at)

    def end(self, cookie: str) -> None:
        """Close a session; an unknown one is closed already."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.execute(delete(sessions).where(sessions.c.cookie_sha256 == hash_of(cookie)))


def _insert(connection: Connection, account: Account) -> None:
    row = {
        "name": account.name,
        "password_hash": account.password_hash,
        "role": account.role,
        "offices": json.dumps(account.offices),
        "created_at": account.created_at.isoformat(),
        "subject": account.subject,
    }
    connection.execute(accounts.insert(), row)


def _account(row: Row[Any]) -> Account:
    return Account(
        name=row.name,
        password_hash=row.password_hash,
        role=row.role,
        offices=tuple(json.loads(row.offices)),
        created_at=datetime.fromisoformat(row.created_at),
        disabled_at=datetime.fromisoformat(row.disabled_at) if row.disabled_at else None,
        subject=row.subject,
    )
