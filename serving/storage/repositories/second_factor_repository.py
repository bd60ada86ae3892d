"""Second factors of accounts: encrypted secrets, and codes that count once across workers."""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Select, delete, func, select, update

from serving.access.actors import Actor
from serving.access.second_factor import (
    SecondFactor,
    new_factor_secret,
    new_recovery_codes,
    recovery_hash,
)
from serving.crypto.encryption import EncryptionUnit
from serving.errors import Conflict, NotFound
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repository import Repository
from serving.storage.row_audit.audit_chain import events_about
from serving.storage.row_audit.reader import newest_place
from serving.storage.row_audit.writer import WRITTEN
from serving.storage.tables.access import recovery_codes, second_factors
from serving.storage.tables.audit import audit_events

KindOfCode = Literal["code", "recovery_code"]
_PART = "secret of a second factor"
_SET_UP = ("enrol_second_factor",)
_TAKEN_AWAY = ("remove_second_factor", "reset_second_factor")
_CODES_GIVEN = ("enrol_second_factor", "renew_recovery_codes")


class SecondFactorRepository(Repository):
    """The second factors of one database, read anew for every use.

    An account that has a factor by the audit log must give a code, whatever the tables state. A
    recovery code counts only if the log has it among those given last.
    """

    def __init__(self, engine: Engine):
        super().__init__(engine)
        self._enrolled: dict[str, tuple[int, bool]] = {}

    def find(self, account: str) -> SecondFactor | None:
        """Return the second factor of an account, confirmed or not."""
        codes = select(func.count()).where(recovery_codes.c.account == account)
        with self._reading() as connection:
            query = select(second_factors).where(second_factors.c.account == account)
            row = connection.execute(query).first()
            left = connection.scalar(codes) or 0
        secret = row and self._keys.decrypt_text(_unit(account).name, _PART, row.secret)
        return (
            SecondFactor(secret, row.confirmed_at, row.last_step, left) if row and secret else None
        )

    def has(self, account: str) -> bool:
        """Return whether an account requires a code, without decrypting anything."""
        query = select(second_factors.c.account).where(
            second_factors.c.account == account, second_factors.c.confirmed_at.is_not(None)
        )
        with self._reading() as connection:
            # A deleted row must not switch the second factor off, so the audit log counts as well.
            return connection.scalar(query) is not None or self._is_enrolled(connection, account)

    def _is_enrolled(self, connection: Connection, account: str) -> bool:
        """Return whether the audit log has a second factor for an account.

        The result is cached until another event concerns the account.
        """
        newest = newest_place(connection, ("account", account))
        known = self._enrolled.get(account)
        if known is None or known[0] != newest:
            told = connection.execute(_told(account, *_SET_UP, *_TAKEN_AWAY).limit(1)).first()
            known = newest, told is not None and told.action in _SET_UP
            self._enrolled[account] = known
        return known[1]

    def accounts(self) -> frozenset[str]:
        """Return the names of all accounts that require a code."""
        query = select(second_factors.c.account).where(second_factors.c.confirmed_at.is_not(None))
        return frozenset(self._scalars(query))

    def begin(self, account: str) -> None:
        """Create an unconfirmed secret; raise Conflict if a factor is in use."""
        secret = self._keys.encrypt_text(_unit(account), _PART, new_factor_secret())
        with self._writing() as connection:
            in_use = select(second_factors.c.confirmed_at).where(
                second_factors.c.account == account
            )
            if connection.scalar(in_use) is not None:
                raise Conflict("this account has a second factor; remove it first")
            _remove(connection, account)
            row = {"account": account, "secret": secret, "confirmed_at": None, "last_step": 0}
            connection.execute(second_factors.insert(), row)

    def confirm(self, account: str, code: str, now: datetime, by: Actor) -> tuple[str, ...]:
        """Confirm the factor; return its recovery codes, or none if the code is wrong."""
        factor = self.find(account)
        step = factor.step_of(code, now) if factor and not factor.is_confirmed else None
        if step is None:
            return ()
        with self._writing() as connection:
            confirmed = (
                update(second_factors)
                .where(second_factors.c.account == account, second_factors.c.confirmed_at.is_(None))
                .values(confirmed_at=now, last_step=step)
            )
            if connection.execute(confirmed).rowcount == 0:
                return ()
            event = AuditEvent(now, by, "enrol_second_factor", "account", account)
            return _give_codes(connection, account, event)

    def use(self, account: str, code: str, now: datetime) -> KindOfCode | None:
        """Return the kind of a valid, unused code and mark it as used; None for any other."""
        factor = self.find(account)
        if factor is None or not factor.is_confirmed:
            return None
        step = factor.step_of(code, now)
        spent = delete(recovery_codes).where(
            recovery_codes.c.account == account,
            # Deleting is the use: a second worker with the same code deletes no row.
            recovery_codes.c.code_sha256 == recovery_hash(code),
        )
        with self._writing() as connection:
            if step is None:
                # A code inserted into the table by someone else is refused.
                was_given = _was_given(connection, account, recovery_hash(code))
                return "recovery_code" if was_given and connection.execute(spent).rowcount else None
            # The condition on the step makes a code count once, even if two workers receive it.
            counted = (
                update(second_factors)
                .where(second_factors.c.account == account, second_factors.c.last_step < step)
                .values(last_step=step)
            )
            return "code" if connection.execute(counted).rowcount else None

    def renew_codes(self, account: str, now: datetime, by: Actor) -> tuple[str, ...]:
        """Replace all recovery codes and return the new ones."""
        event = AuditEvent(now, by, "renew_recovery_codes", "account", account)
        with self._writing() as connection:
            return _give_codes(connection, account, event)

    def remove(self, account: str, now: datetime, by: Actor) -> None:
        """Remove the second factor of an account; raise NotFound if it has none."""
        action = "remove_second_factor" if by.identity == f"account:{account}" else None
        event = AuditEvent(now, by, action or "reset_second_factor", "account", account)
        with self._writing() as connection:
            was_there = _remove(connection, account)
            if not was_there and not self._is_enrolled(connection, account):
                raise NotFound(f"the account {account} has no second factor")
            append_audit_events(connection, [event])


def _unit(account: str) -> EncryptionUnit:
    """Return the unit of a second factor.

    It has no day: its key is that of accounts, which no erasure destroys.
    """
    return EncryptionUnit("accounts", f"second factor of {account}")


def _told(account: str, *actions: str) -> Select[Any]:
    """Select the events of these actions on an account, newest first."""
    return events_about("account", account, *actions).order_by(audit_events.c.seq.desc())


def _was_given(connection: Connection, account: str, code_sha256: str) -> bool:
    """Return whether a recovery code is among those given to the account last."""
    told = connection.execute(_told(account, *_CODES_GIVEN).limit(1)).first()
    rows = told.details.get(WRITTEN, {}).get("recovery_codes", ()) if told else ()
    return any(row["key"] == [account, code_sha256] and row["sha256"] for row in rows)


def _remove(connection: Connection, account: str) -> bool:
    connection.execute(delete(recovery_codes).where(recovery_codes.c.account == account))
    gone = delete(second_factors).where(second_factors.c.account == account)
    return connection.execute(gone).rowcount > 0


def _give_codes(connection: Connection, account: str, event: AuditEvent) -> tuple[str, ...]:
    codes = new_recovery_codes()
    connection.execute(delete(recovery_codes).where(recovery_codes.c.account == account))
    rows = [{"account": account, "code_sha256": recovery_hash(code)} for code in codes]
    connection.execute(recovery_codes.insert(), rows)
    append_audit_events(connection, [event])
    return codes
