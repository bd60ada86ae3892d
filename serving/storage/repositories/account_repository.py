"""Accounts of people, shared by all workers; every change is an audit event."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, select, update

from serving.access.accounts import Account, ReadingChoice
from serving.access.actors import SERVICE, Actor
from serving.access.errors import ChangedMeanwhile
from serving.access.names import distinct_name
from serving.access.roles import Role
from serving.errors import Conflict, Forbidden, NotFound, NotSignedIn, Unprocessable
from serving.integrity.audit_log import AuditEvent
from serving.storage.credential_resets import CONFIRM_HOLDER, makers_alone, persons_behind
from serving.storage.names_in_use import names_ever, require_new_name
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.notice_repository import delete_notices
from serving.storage.repositories.session_repository import end_sessions
from serving.storage.repository import Repository
from serving.storage.row_audit.audit_chain import events_about
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.tables.access import accounts, known_browsers, reading_choices, sessions
from serving.storage.tables.audit import audit_events
from serving.storage.tables.review import saved_views

_PASSWORD = ("password_hash", "credential_origin", "password_set_at")

NOT_AS_AUDITED = "this account is not as the audit log tells it: prove the log with verify-log"


@dataclass(frozen=True)
class AccountEvent:
    """An act on an account or an attempt with its name, as its holder may read it."""

    at: datetime
    by: str
    action: str
    details: Mapping[str, Any]


class AccountRepository(Repository):
    """The accounts of one database.

    They are read anew for every use, so that disabling takes effect at once. An account whose row
    does not match the audit log is not found.
    """

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._audited = AuditedRows("accounts", "account")

    def add_account(self, account: Account, by: Actor = SERVICE) -> None:
        """Store a new account; raise NameTaken or Unprocessable."""
        with self._writing() as connection:
            require_new_name(connection, account.name)
            _insert(connection, account, by)

    def admit(self, account: Account) -> Account:
        """Return the account of an externally authenticated person, updated with role and offices.

        A name that is or was taken gets a distinguishing suffix. Raises NotSignedIn if the account
        was disabled here.
        """
        kept = self.of_subject(account.subject)
        if kept is None:
            return self._add_named_apart(account)
        if kept.disabled_at is not None:
            raise NotSignedIn("this account was ended here")
        if (account.role, account.offices) != (kept.role, kept.offices):
            self._follow(kept, account)
        return replace(kept, role=account.role, offices=account.offices)

    def _follow(self, kept: Account, account: Account) -> None:
        details = {"role": account.role, "offices": account.offices}
        at = account.created_at
        event = AuditEvent(at, SERVICE, "change_account", "account", kept.name, details)
        with self._writing() as connection:
            own = accounts.c.name == kept.name
            connection.execute(update(accounts).where(own).values(details))
            append_audit_events(connection, [event])

    def _add_named_apart(self, account: Account) -> Account:
        """Store a new account of an externally authenticated person under an unused name."""
        with self._writing(NotSignedIn) as connection:
            query = select(accounts).where(accounts.c.subject == account.subject)
            # Two sign-ins at the same time: the other one has created the account.
            if connection.execute(query).first():
                if row := self._audited.read(connection, query):
                    return Account(**row._mapping)
                raise NotSignedIn(NOT_AS_AUDITED)
            name = distinct_name(account.name, account.subject or "", names_ever(connection))
            named = replace(account, name=name)
            _insert(connection, named, SERVICE)
        return named

    def of_subject(self, subject: str | None) -> Account | None:
        """Return the account of an externally authenticated person, disabled or not."""
        return self._read(accounts.c.subject == subject)

    def find(self, name: str) -> Account | None:
        """Return the account of this name, disabled or not."""
        return self._read(accounts.c.name == name)

    def _read(self, is_it: ColumnElement[bool]) -> Account | None:
        with self._reading() as connection:
            row = self._audited.read(connection, select(accounts).where(is_it))
        return Account(**row._mapping) if row else None

    def all(self) -> list[Account]:
        """Return every account, by name."""
        return [Account(**row._mapping) for row in self._rows(select(accounts).order_by("name"))]

    def disable(self, name: str, now: datetime, by: Actor = SERVICE) -> None:
        """Disable an account, and delete its sessions, saved views and notices; raise NotFound."""
        ended = update(accounts).where(accounts.c.name == name, accounts.c.disabled_at.is_(None))
        with self._writing() as connection:
            if connection.execute(ended.values(disabled_at=now)).rowcount == 0:
                raise NotFound(f"no account named {name} is in use")
            connection.execute(delete(sessions).where(sessions.c.holder == f"account:{name}"))
            connection.execute(delete(saved_views).where(saved_views.c.holder == f"account:{name}"))
            delete_notices(connection, f"account:{name}")
            append_audit_events(
                connection, [AuditEvent(now, by, "disable_account", "account", name)]
            )

    def enable(self, name: str, now: datetime, by: Actor) -> None:
        """Enable a disabled account as it was; raise NotFound or Conflict.

        The holder signs in with the same password and second factor as before.
        """
        with self._writing() as connection:
            if self._required(connection, name).disabled_at is None:
                raise Conflict(f"the account {name} is in use")
            again = update(accounts).where(accounts.c.name == name).values(disabled_at=None)
            connection.execute(again)
            append_audit_events(
                connection, [AuditEvent(now, by, "enable_account", "account", name)]
            )

    def change(
        self,
        name: str,
        role: Role,
        offices: tuple[str, ...],
        now: datetime,
        by: Actor,
        *,
        revision_read: str | None = None,
    ) -> None:
        """Give an account another role or other offices; no offices means all.

        Its sessions end; with another role its views and notices are deleted too. Raises NotFound
        if it is disabled; Forbidden for one's own, or if its role comes from elsewhere; Conflict if
        the actor may be its holder; ChangedMeanwhile if it has another revision; Unprocessable if
        nothing would change.
        """
        with self._writing() as connection:
            kept = self._required(connection, name)
            _require_changeable(kept, by)
            # Someone who only created the account, and reset nothing since, may still change its
            # role.
            behind = persons_behind(connection, name, now) - makers_alone(connection, name, now)
            if kept.actor.with_possible_persons(behind).may_be(by):
                raise Conflict(
                    "one of you reset the other of late, or made the other's account, or your "
                    "names look alike: another admin changes this account",
                    code="same-reviewer",
                )
            if revision_read not in (None, kept.revision):
                raise ChangedMeanwhile
            if (role, set(offices)) == (kept.role, set(kept.offices)):
                raise Unprocessable("it has this role and these offices already")
            now_true = {"role": role, "offices": offices}
            connection.execute(update(accounts).where(accounts.c.name == name).values(now_true))
            # Sessions carry the former rights, so they end in the same transaction.
            end_sessions(connection, kept.identity)
            if role != kept.role:
                views = saved_views.c.holder == kept.identity
                connection.execute(delete(saved_views).where(views))
                delete_notices(connection, kept.identity)
            details = {
                "role": role,
                "offices": offices,
                "role_before": kept.role,
                "offices_before": kept.offices,
            }
            event = AuditEvent(now, by, "change_account", "account", name, details)
            append_audit_events(connection, [event])

    def _required(self, connection: Connection, name: str) -> Account:
        """Return the account of this name, disabled or not; raise NotFound."""
        row = self._audited.read(connection, select(accounts).where(accounts.c.name == name))
        if row is None:
            raise NotFound(f"no account is named {name}")
        return Account(**row._mapping)

    def set_password(self, account: Account, now: datetime, by: Actor, but: str = "") -> None:
        """Replace the stored password by that of `account`.

        Its sessions end, except the one whose cookie has the hash `but`, and its known browsers are
        forgotten. Raises NotFound if the account is not in use.
        """
        is_own = by.identity == account.identity
        action = "change_password" if is_own else "reset_password"
        alive = and_(accounts.c.name == account.name, accounts.c.disabled_at.is_(None))
        with self._writing() as connection:
            chosen = {name: getattr(account, name) for name in _PASSWORD}
            changed = update(accounts).where(alive).values(chosen)
            if connection.execute(changed).rowcount == 0:
                raise NotFound(f"no account named {account.name} is in use")
            end_sessions(connection, account.identity, but=but)
            connection.execute(
                # A known browser waits less for wrong passwords, a benefit that a new password must
                # end.
                delete(known_browsers).where(known_browsers.c.account == account.name)
            )
            append_audit_events(connection, [AuditEvent(now, by, action, "account", account.name)])

    def reading_of(self, name: str) -> ReadingChoice:
        """Return the language and time zone that the holder chose."""
        query = select(reading_choices).where(reading_choices.c.account == name)
        row = self._first(query)
        return ReadingChoice(row.language, row.time_zone) if row else ReadingChoice()

    def choose_reading(
        self, account: Account, choice: ReadingChoice, now: datetime, by: Actor
    ) -> None:
        """Store the language and time zone of a holder, replacing the former choice."""
        details = {"language": choice.language or "", "time_zone": choice.time_zone or ""}
        event = AuditEvent(now, by, "choose_language", "account", account.name, details)
        row = {"account": account.name, **asdict(choice)}
        with self._writing() as connection:
            former = reading_choices.c.account == account.name
            connection.execute(delete(reading_choices).where(former))
            connection.execute(reading_choices.insert(), row)
            append_audit_events(connection, [event])

    def one_person_with(self, name: str, now: datetime) -> frozenset[str]:
        """Return the persons who may at present be behind an account, or it behind them.

        Anyone who creates it or resets its password or second factor could be the next to sign in
        with it.
        """
        with self._reading() as connection:
            return persons_behind(connection, name, now)

    def confirm_holder(self, name: str, now: datetime, by: Actor) -> None:
        """Record that an admin knows the holder to use an account that another created or reset.

        Raises Conflict for anyone who may be behind the account.
        """
        behind = self.one_person_with(name, now)
        if by.identity == f"account:{name}" or {by.identity, by.person} & behind:
            raise Conflict(
                "another admin than who made or reset it, or has it from the same person, confirms",
                code="same-reviewer",
            )
        event = AuditEvent(now, by, CONFIRM_HOLDER, "account", name)
        with self._writing() as connection:
            append_audit_events(connection, [event])

    def rehash(self, name: str, former: str, fresh: str, now: datetime) -> None:
        """Store another hash of the same password, if the password was not changed meanwhile."""
        same = and_(accounts.c.name == name, accounts.c.password_hash == former)
        event = AuditEvent(now, SERVICE, "rehash_password", "account", name)
        with self._writing() as connection:
            changed = update(accounts).where(same).values(password_hash=fresh)
            if connection.execute(changed).rowcount:
                append_audit_events(connection, [event])

    def events_of(self, name: str, most: int) -> list[AccountEvent]:
        """Return acts on an account and attempts with its name, newest first."""
        newest = events_about("account", name).order_by(audit_events.c.seq.desc()).limit(most)
        return [
            AccountEvent(row.at, row.actor_name, row.action, row.details)
            for row in self._rows(newest)
        ]


def _require_changeable(account: Account, by: Actor) -> None:
    """Raise NotFound or Forbidden if the role of an account cannot be changed by this person."""
    if account.disabled_at is not None:
        raise NotFound(f"no account named {account.name} is in use")
    if account.identity == by.identity:
        raise Forbidden("another admin must change your own account")
    if account.subject is not None:
        raise Forbidden("the role and offices of this account come from the organisation")


def _insert(connection: Connection, account: Account, by: Actor) -> None:
    connection.execute(accounts.insert(), vars(account))
    details = {"role": account.role, "offices": account.offices}
    event = AuditEvent(account.created_at, by, "create_account", "account", account.name, details)
    append_audit_events(connection, [event])
