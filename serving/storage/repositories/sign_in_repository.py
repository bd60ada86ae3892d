"""Failed sign-ins, counted in the database so that all workers delay the next attempt alike."""

import hmac
import secrets
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, delete, or_, select, update

from serving.access.actors import SERVICE
from serving.access.sessions import Session, hash_of
from serving.access.sign_in_delays import (
    FORGOTTEN_AFTER,
    KNOWN_FOR,
    MAX_COUNTED,
    MAX_COUNTED_ELSE,
    MAX_KNOWN_BROWSERS,
    NOT_FORGIVEN,
    CountedBy,
    FailureCount,
    SignInAttempt,
    wait_s,
)
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.audit_repository import append_audit_events
from serving.storage.repositories.session_repository import insert_session
from serving.storage.repository import Repository
from serving.storage.tables.access import known_browsers, sign_in_failures

# Marks rows of `known_browsers` that stand for an address.
NETWORK = "network "


class SignInRepository(Repository):
    """Recent failures to sign in, and the browsers known to accounts."""

    def wait_s(self, attempt: SignInAttempt, now: datetime) -> float:
        """Return the seconds until this attempt is permitted; 0 if it is now."""
        with self._reading() as connection:
            return self._wait_s(connection, attempt, self._counts(connection, attempt), now)

    def fail(self, attempt: SignInAttempt, cause: str, now: datetime, account: str | None) -> float:
        """Count a failed attempt and record it; return the seconds until the next.

        `account` is None if no account has the name; the audit log then gets a token only, since a
        password may have been typed into the field.
        """
        with self._writing() as connection:
            _forget(connection, now)
            counts = self._counts(connection, attempt)
            for by in attempt.counted_by:
                former = counts.get(by, FailureCount(0, now))
                counts[by] = former.after_another(now, MAX_COUNTED.get(by, MAX_COUNTED_ELSE))
                self._store(connection, attempt, by, counts[by])
            next_in_s = self._wait_s(connection, attempt, counts, now)
            details = {"cause": cause, "address": attempt.address, "next_in_s": round(next_in_s)}
            append_audit_events(connection, [self._refusal(attempt, account, now, details)])
        return next_in_s

    def refuse_early(self, attempt: SignInAttempt, now: datetime, account: str | None) -> None:
        """Record an attempt that did not wait, once for each wait rather than each attempt."""
        untold = and_(self._of_attempt(attempt), sign_in_failures.c.is_told == 0)
        with self._reading() as connection:
            if connection.execute(select(sign_in_failures.c.token).where(untold)).first() is None:
                # A flood of such attempts must not keep others from writing.
                return
        with self._writing() as connection:
            told = update(sign_in_failures).where(untold).values(is_told=True)
            if connection.execute(told).rowcount:
                details = {"cause": "too_soon", "address": attempt.address}
                append_audit_events(connection, [self._refusal(attempt, account, now, details)])

    def admit(self, attempt: SignInAttempt, session: Session, event: AuditEvent) -> None:
        """Store the session of a sign-in.

        Failures of this account from this address are forgiven; others are not.
        """
        with self._writing() as connection:
            insert_session(connection, self._keys, session, event.at)
            self._forgive(connection, attempt)
            append_audit_events(connection, [event])

    def new_browser(self, account: str, now: datetime) -> str:
        """Return a cookie for a browser that this account signed in with.

        It is signed, so that it can be checked before anything else, without the database.
        """
        begun = f"{secrets.token_urlsafe(16)}.{int(now.timestamp())}"
        return f"{begun}.{self._signatures(account, begun)[0]}"

    def is_signed(self, account: str, browser: str, now: datetime) -> bool:
        """Return whether a cookie was made for this account and is valid, reading no row."""
        begun, _, signature = browser.rpartition(".")
        at = begun.rpartition(".")[2]
        is_ours = any(
            hmac.compare_digest(signature.encode(), each.encode())
            for each in self._signatures(account, begun)
        )
        return is_ours and now.timestamp() - int(at) < KNOWN_FOR.total_seconds()

    def know(
        self, account: str, browser: str, now: datetime, *, address: str = "", former: str = ""
    ) -> None:
        """Store a browser, by its cookie, and an address as known to an account.

        It replaces the browser whose cookie has the hash `former`.
        """
        network = self._network_token(account, address)
        fresh = [hash_of(browser), *([network] if address else [])]
        of_account = known_browsers.c.account == account
        newest = (
            select(known_browsers.c.cookie_sha256)
            .where(of_account)
            .order_by(known_browsers.c.last_at.desc(), known_browsers.c.cookie_sha256)
        )
        with self._writing() as connection:
            replaced = known_browsers.c.cookie_sha256.in_([*fresh, former])
            connection.execute(delete(known_browsers).where(of_account, replaced))
            connection.execute(
                known_browsers.insert(),
                [{"account": account, "cookie_sha256": each, "last_at": now} for each in fresh],
            )
            hashes = connection.scalars(newest).all()
            # Browsers and addresses are limited separately, so that neither displaces the other.
            for of_networks in (False, True):
                same = [each for each in hashes if each.startswith(NETWORK) == of_networks]
                beyond = known_browsers.c.cookie_sha256.in_(same[MAX_KNOWN_BROWSERS:])
                connection.execute(delete(known_browsers).where(of_account, beyond))

    def forgive(self, attempt: SignInAttempt) -> None:
        """Forgive failures of this account from this address or this browser."""
        with self._writing() as connection:
            self._forgive(connection, attempt)

    def known(self, name: str, browser: str, now: datetime) -> str:
        """Return the hash of a browser's cookie if this account signed in with it, else ""."""
        if not browser:
            return ""
        query = select(known_browsers.c.cookie_sha256).where(
            known_browsers.c.account == name,
            known_browsers.c.cookie_sha256 == hash_of(browser),
            known_browsers.c.last_at > now - KNOWN_FOR,
        )
        return self._scalar(query) or ""

    def _wait_s(
        self,
        connection: Connection,
        attempt: SignInAttempt,
        counts: dict[CountedBy, FailureCount],
        now: datetime,
    ) -> float:
        known_here = select(known_browsers.c.last_at).where(
            known_browsers.c.account == attempt.name,
            known_browsers.c.cookie_sha256 == self._network_token(attempt.name, attempt.address),
            known_browsers.c.last_at > now - KNOWN_FOR,
        )
        is_known = connection.scalar(known_here) is not None
        return wait_s(counts, now, is_known_address=is_known)

    def _network_token(self, account: str, address: str) -> str:
        return NETWORK + self._keys.token("known address", f"{address} {account}")

    def _signatures(self, account: str, begun: str) -> tuple[str, ...]:
        """Return the signature under the key in use, then those under former keys."""
        return self._keys.tokens("known browser", f"{begun} {account}")

    def _counts(
        self, connection: Connection, attempt: SignInAttempt
    ) -> dict[CountedBy, FailureCount]:
        found = connection.execute(select(sign_in_failures).where(self._of_attempt(attempt))).all()
        return {row.counted_by: FailureCount(row.failures, row.last_at) for row in found}

    def _store(
        self, connection: Connection, attempt: SignInAttempt, by: CountedBy, count: FailureCount
    ) -> None:
        connection.execute(delete(sign_in_failures).where(self._row(attempt, by)))
        row = {
            "counted_by": by,
            "token": self._token(attempt, by),
            "failures": count.failures,
            "last_at": count.last_at,
            "is_told": False,
        }
        connection.execute(sign_in_failures.insert(), row)

    def _forgive(self, connection: Connection, attempt: SignInAttempt) -> None:
        # Some counts stay, or one valid account would let an attacker reset them while guessing
        # others.
        forgiven = [by for by in attempt.counted_by if by not in NOT_FORGIVEN]
        connection.execute(
            delete(sign_in_failures).where(or_(*(self._row(attempt, by) for by in forgiven)))
        )

    def _of_attempt(self, attempt: SignInAttempt) -> ColumnElement[bool]:
        return or_(*(self._row(attempt, by) for by in attempt.counted_by))

    def _row(self, attempt: SignInAttempt, by: CountedBy) -> ColumnElement[bool]:
        token = self._token(attempt, by)
        return and_(sign_in_failures.c.counted_by == by, sign_in_failures.c.token == token)

    def _token(self, attempt: SignInAttempt, by: CountedBy) -> str:
        counted = {
            "pair": f"{attempt.address} {attempt.name}",
            "address": attempt.address,
            "site": attempt.site,
            "organisation": attempt.organisation,
            "account": attempt.name,
            "browser": f"{attempt.known_browser} {attempt.name}",
            "codes": attempt.name,
        }
        return self._keys.token(f"sign-in {by}", counted[by])

    def _refusal(
        self, attempt: SignInAttempt, account: str | None, now: datetime, details: dict[str, Any]
    ) -> AuditEvent:
        unknown = f"unknown:{self._token(attempt, 'account')}"
        return AuditEvent(now, SERVICE, "refuse_sign_in", "account", account or unknown, details)


def _forget(connection: Connection, now: datetime) -> None:
    """Delete old failures and browsers."""
    failures_end, browsers_end = (now - span for span in (FORGOTTEN_AFTER, KNOWN_FOR))
    for table, end in ((sign_in_failures, failures_end), (known_browsers, browsers_end)):
        connection.execute(delete(table).where(table.c.last_at < end))
