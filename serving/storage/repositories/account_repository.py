"""Accounts of people on disk: any worker knows them, and every change is an audit event."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, delete, select, update

from serving.access.accounts import Account, ReadingChoice
from serving.access.actors import SERVICE, Actor
from serving.access.errors import ChangedMeanwhile
from serving.access.names import distinct_name
from serving.access.roles import Role
from serving.errors import Conflict, Forbidden, NotFound, NotSignedIn, Unprocessable
from serving.integrity.audit_log import AuditEvent
from serving.storage.credential_resets import CONFIRM_HOLDER, makers_alone, persons_behind
from serving.storage.engine import failing_as_unavailable
from serving.storage.names_in_use import names_ever, require_new_name
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.notice_repository import delete_notices
from serving.storage.repositories.session_repository import end_sessions
from serving.storage.row_audit.reader import AuditedRows
from serving.storage.tables.access import accounts, known_browsers, reading_choices, sessions
from serving.storage.tables.audit import audit_events
from serving.storage.tables.review import saved_views
from serving.storage.write_lock import writing

NOT_AS_AUDITED = "this account is not as the audit log tells it: prove the log with verify-log"


@dataclass(frozen=True)
class AccountEvent:
    """Something that was done to an account or tried with its name, as its holder may read it."""

    at: datetime
    by: str
    action: str
    details: Mapping[str, Any]


class AccountRepository:
    """The accounts of one database, read anew on every use: a disabled one stops at once.

    One whose row is not as the audit log tells it is found by nobody.
    """

    def __init__(self, engine: Engine):
        self._engine = engine
        self._audited = AuditedRows("accounts", "account")

    def add_account(self, account: Account, by: Actor = SERVICE) -> None:
        """Keep a new account; raises NameTaken or NameRefused."""
        with failing_as_unavailable(), writing(self._engine) as connection:
            require_new_name(connection, account.name)
            _insert(connection, account, by)

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
        if (account.role, account.offices) != (kept.role, kept.offices):
            self._follow(kept, account)
        return replace(kept, role=account.role, offices=account.offices)

    def _follow(self, kept: Account, account: Account) -> None:
        now_true = {"role": account.role, "offices": json.dumps(account.offices)}
        details = {"role": account.role, "offices": account.offices}
        at = account.created_at
        event = AuditEvent(at, SERVICE, "change_account", "account", kept.name, details)
        with failing_as_unavailable(), writing(self._engine) as connection:
            connection.execute(
                update(accounts).where(accounts.c.name == kept.name).values(now_true)
            )
            append_audit_events(connection, [event])

    def _add_named_apart(self, account: Account) -> Account:
        """Keep a new account of somebody known elsewhere, under a name that nobody has or had."""
        with failing_as_unavailable(NotSignedIn), writing(self._engine) as connection:
            query = select(accounts).where(accounts.c.subject == account.subject)
            if connection.execute(query).first():  # signed in twice at once
                if row := self._audited.read(connection, query):
                    return _account(row)
                raise NotSignedIn(NOT_AS_AUDITED)
            name = distinct_name(account.name, account.subject or "", names_ever(connection))
            named = replace(account, name=name)
            _insert(connection, named, SERVICE)
        return named

    def of_subject(self, subject: str) -> Account | None:
        """The account of someone known elsewhere, disabled or not."""
        return self._by_subject(subject)

    def _by_subject(self, subject: str | None) -> Account | None:
        query = select(accounts).where(accounts.c.subject == subject)
        with failing_as_unavailable(), self._engine.connect() as connection:
            row = self._audited.read(connection, query)
        return _account(row) if row else None

    def find(self, name: str) -> Account | None:
        """The account of this name, disabled or not."""
        query = select(accounts).where(accounts.c.name == name)
        with failing_as_unavailable(), self._engine.connect() as connection:
            row = self._audited.read(connection, query)
        return _account(row) if row else None

    def all(self) -> list[Account]:
        """Every account, by name."""
        with failing_as_unavailable(), self._engine.connect() as connection:
            return [_account(row) for row in connection.execute(select(accounts).order_by("name"))]

    def disable(self, name: str, now: datetime, by: Actor = SERVICE) -> None:
        """End an account, its sessions, saved views and notices; raises NotFound."""
        ended = update(accounts).where(accounts.c.name == name, accounts.c.disabled_at.is_(None))
        with failing_as_unavailable(), writing(self._engine) as connection:
            if connection.execute(ended.values(disabled_at=now.isoformat())).rowcount == 0:
                raise NotFound(f"no account named {name} is in use")
            connection.execute(delete(sessions).where(sessions.c.holder == f"account:{name}"))
            connection.execute(delete(saved_views).where(saved_views.c.holder == f"account:{name}"))
            delete_notices(connection, f"account:{name}")
            append_audit_events(
                connection, [AuditEvent(now, by, "disable_account", "account", name)]
            )

    def enable(self, name: str, now: datetime, by: Actor) -> None:
        """Let an account that was disabled be used again, as it was; raises NotFound or Conflict.

        The holder signs in with the same password and second factor as before.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
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

        Its sessions end, and with another role its views and notices go. Raises NotFound where it
        is not in use; Forbidden for one's own and where its role comes from elsewhere; Conflict
        where whoever acts may be its holder; ChangedMeanwhile where it has not the revision read;
        Unprocessable where nothing would change.
        """
        with failing_as_unavailable(), writing(self._engine) as connection:
            kept = self._required(connection, name)
            _require_changeable(kept, by)
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
            now_true = {"role": role, "offices": json.dumps(offices)}
            connection.execute(update(accounts).where(accounts.c.name == name).values(now_true))
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
        """The account of this name, disabled or not, in a transaction; raises NotFound."""
        row = self._audited.read(connection, select(accounts).where(accounts.c.name == name))
        if row is None:
            raise NotFound(f"no account is named {name}")
        return _account(row)

    def set_password(self, account: Account, now: datetime, by: Actor, but: str = "") -> None:
        """Put the password that `account` now has in place of the one on disk.

        Its sessions end, but for the one whose cookie has this hash; no browser is known to it any
        more. Raises NotFound where the account is not in use.
        """
        is_own = by.identity == account.identity
        action = "change_password" if is_own else "reset_password"
        alive = and_(accounts.c.name == account.name, accounts.c.disabled_at.is_(None))
        with failing_as_unavailable(), writing(self._engine) as connection:
            changed = update(accounts).where(alive).values(_password(account))
            if connection.execute(changed).rowcount == 0:
                raise NotFound(f"no account named {account.name} is in use")
            end_sessions(connection, account.identity, but=but)
            connection.execute(
                delete(known_browsers).where(known_browsers.c.account == account.name)
            )
            append_audit_events(connection, [AuditEvent(now, by, action, "account", account.name)])

    def reading_of(self, name: str) -> ReadingChoice:
        """In which language and by which clock the holder wants to read."""
        query = select(reading_choices).where(reading_choices.c.account == name)
        with failing_as_unavailable(), self._engine.connect() as connection:
            row = connection.execute(query).first()
        return ReadingChoice(row.language, row.time_zone) if row else ReadingChoice()

    def choose_reading(
        self, account: Account, choice: ReadingChoice, now: datetime, by: Actor
    ) -> None:
        """Keep how a holder wants to read, in place of what they chose before."""
        details = {"language": choice.language or "", "time_zone": choice.time_zone or ""}
        event = AuditEvent(now, by, "choose_language", "account", account.name, details)
        row = {"account": account.name, **asdict(choice)}
        with failing_as_unavailable(), writing(self._engine) as connection:
            former = reading_choices.c.account == account.name
            connection.execute(delete(reading_choices).where(former))
            connection.execute(reading_choices.insert(), row)
            append_audit_events(connection, [event])

    def one_person_with(self, name: str, now: datetime) -> frozenset[str]:
        """Persons who may be behind an account for now, or it behind them.

        Who makes it, or resets its password or second factor, could be who signs in with it next.
        """
        with failing_as_unavailable(), self._engine.connect() as connection:
            return persons_behind(connection, name, now)

    def confirm_holder(self, name: str, now: datetime, by: Actor) -> None:
        """Write down that an admin knows its holder to use an account that another made or reset.

        Raises Conflict for whoever may be behind it.
        """
        behind = self.one_person_with(name, now)
        if by.identity == f"account:{name}" or {by.identity, by.person} & behind:
            raise Conflict(
                "another admin than who made or reset it, or has it from the same person, confirms",
                code="same-reviewer",
            )
        event = AuditEvent(now, by, CONFIRM_HOLDER, "account", name)
        with failing_as_unavailable(), writing(self._engine) as connection:
            append_audit_events(connection, [event])

    def rehash(self, name: str, former: str, fresh: str, now: datetime) -> None:
        """Put another hash of the same password in place, where it is still that password."""
        same = and_(accounts.c.name == name, accounts.c.password_hash == former)
        event = AuditEvent(now, SERVICE, "rehash_password", "account", name)
        with failing_as_unavailable(), writing(self._engine) as connection:
            changed = update(accounts).where(same).values(password_hash=fresh)
            if connection.execute(changed).rowcount:
                append_audit_events(connection, [event])

    def events_of(self, name: str, most: int) -> list[AccountEvent]:
        """What was done to an account or tried with its name, the newest first."""
        query = select(audit_events).where(
            audit_events.c.object_kind == "account", audit_events.c.object_id == name
        )
        newest = query.order_by(audit_events.c.seq.desc()).limit(most)
        with failing_as_unavailable(), self._engine.connect() as connection:
            rows = connection.execute(newest).all()
        return [
            AccountEvent(
                datetime.fromisoformat(row.at), row.actor_name, row.action, json.loads(row.details)
            )
            for row in rows
        ]


def _require_changeable(account: Account, by: Actor) -> None:
    """Raise NotFound or Forbidden for an account whose role nobody, or not this person, changes."""
    if account.disabled_at is not None:
        raise NotFound(f"no account named {account.name} is in use")
    if account.identity == by.identity:
        raise Forbidden("another admin must change your own account")
    if account.subject is not None:
        raise Forbidden("the role and offices of this account come from the organisation")


def _password(account: Account) -> dict[str, Any]:
    set_at = account.password_set_at
    return {
        "password_hash": account.password_hash,
        "credential_origin": account.credential_origin,
        "password_set_at": set_at.isoformat() if set_at else None,
    }


def _insert(connection: Connection, account: Account, by: Actor) -> None:
    row = {
        "name": account.name,
        "role": account.role,
        "offices": json.dumps(account.offices),
        "created_at": account.created_at.isoformat(),
        "subject": account.subject,
        **_password(account),
    }
    connection.execute(accounts.insert(), row)
    details = {"role": account.role, "offices": account.offices}
    event = AuditEvent(account.created_at, by, "create_account", "account", account.name, details)
    append_audit_events(connection, [event])


def _account(row: Row[Any]) -> Account:
    return Account(
        name=row.name,
        password_hash=row.password_hash,
        role=row.role,
        offices=tuple(json.loads(row.offices)),
        created_at=datetime.fromisoformat(row.created_at),
        disabled_at=datetime.fromisoformat(row.disabled_at) if row.disabled_at else None,
        subject=row.subject,
        credential_origin=row.credential_origin,
        password_set_at=datetime.fromisoformat(row.password_set_at)
        if row.password_set_at
        else None,
    )
