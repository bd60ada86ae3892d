"""Checks of passwords and codes: counted, delayed after failures, and recorded.

Answers never reveal whether name, password or expiry was the cause; the audit log and the
service log do.
"""

import math
from datetime import timedelta

import structlog
from fastapi import Request

from serving.access.accounts import Account, admits
from serving.access.errors import SignInDelayed
from serving.access.passwords import hash_password, is_outdated
from serving.access.sign_in_delays import SignInAttempt, network_of
from serving.console.browser_session import address_of
from serving.container import Services
from serving.errors import NotSignedIn
from serving.language import say, say_of
from serving.web.hosts import is_https

log = structlog.get_logger(__name__)

# Longer names cannot exist, so no query is needed to refuse them (characters).
MAX_NAME_LENGTH = 200
NOT_LET_IN = "that opens nothing here: check it, or ask whoever keeps the accounts"
TOO_OLD = "this first password was not used in time; ask whoever keeps the accounts for another"


def attempt_of(
    request: Request, services: Services, name: str, *, is_code: bool = False
) -> SignInAttempt:
    """Return a sign-in attempt: the claimed name, network, and browser if known."""
    browser = signed_cookie(request, services, name)
    known = services.sign_ins.known(name, browser, services.clock()) if browser else ""
    return SignInAttempt(name, network_of(address_of(request)), known, is_code)


def signed_cookie(request: Request, services: Services, name: str) -> str:
    """Return the cookie that proves the browser is known, or ""; needs no database access."""
    browser = request.cookies.get(known_cookie(request), "")
    return browser if services.sign_ins.is_signed(name, browser, services.clock()) else ""


def refuse_early(services: Services, attempt: SignInAttempt) -> None:
    """Raise SignInDelayed for an attempt made before the required wait is over."""
    if services.sign_ins.wait_s(attempt, services.clock()) > 0:
        _refuse_early(services, attempt, _find(services, attempt.name))


def checked_account(services: Services, attempt: SignInAttempt, password: str) -> Account:
    """Return the account that the password opens; raises NotSignedIn, SignInDelayed or TooBusy."""
    account = _find(services, attempt.name)
    _refuse_early(services, attempt, account)

    def check() -> tuple[bool, str | None]:
        # Check again: other attempts may have failed while this one waited for a thread.
        _refuse_early(services, attempt, account)
        # `admits` runs for unknown names too, so that timing does not reveal which names exist.
        is_right = admits(account, password)
        # Rehash only here: the plain password is known only at sign-in.
        is_old = account is not None and is_right and is_outdated(account.password_hash)
        return is_right, hash_password(password) if is_old else None

    is_right, fresh = services.password_gate.run(check)
    if account is None or not is_right:
        _failed(services, attempt, _cause(account), account)
        raise NotSignedIn(NOT_LET_IN)
    lasting = timedelta(hours=services.settings.first_password_hours)
    if account.has_expired_password(services.clock(), lasting):
        _failed(services, attempt, "first_password_expired", account)
        raise NotSignedIn(TOO_OLD)
    if fresh is not None:
        services.accounts.rehash(account.name, account.password_hash, fresh, services.clock())
    return account


def checked_code(services: Services, attempt: SignInAttempt, account: Account, code: str) -> str:
    """Return the kind of the code that was used up; raises NotSignedIn or SignInDelayed."""
    _refuse_early(services, attempt, account)
    kind = services.second_factors.use(account.name, code, services.clock())
    if kind is None:
        _failed(services, attempt, "wrong_code", account)
        raise NotSignedIn("that code is not right now, or was used; wait for the next")
    services.sign_ins.forgive(attempt)
    return kind


def wait_in_words(seconds: float) -> str:
    """Return a waiting time as text."""
    whole = max(1, math.ceil(seconds))
    if whole < 90:
        return say_of(whole, "{count} second", "{count} seconds")
    return say_of(math.ceil(whole / 60), "{count} minute", "{count} minutes")


def known_cookie(request: Request) -> str:
    """Return the name of the cookie that marks a browser as known; it grants no access."""
    return "__Host-tidegate-known" if is_https(request) else "tidegate-known"


def _find(services: Services, name: str) -> Account | None:
    """Return the account of a name; None also for a name that cannot exist."""
    could_be = 0 < len(name) <= MAX_NAME_LENGTH and name.isprintable()
    return services.accounts.find(name) if could_be else None


def _refuse_early(services: Services, attempt: SignInAttempt, account: Account | None) -> None:
    seconds = services.sign_ins.wait_s(attempt, services.clock())
    if seconds > 0:
        name = account.name if account else None
        services.sign_ins.refuse_early(attempt, services.clock(), name)
        log.warning("sign_in_refused", cause="too_soon", account=name, address=attempt.address)
        raise SignInDelayed(
            say(
                "too many attempts failed here; try again in {seconds}",
                seconds=wait_in_words(seconds),
            ),
            retry_after_s=seconds,
        )


def _failed(
    services: Services, attempt: SignInAttempt, cause: str, account: Account | None
) -> None:
    name = account.name if account else None
    next_in_s = services.sign_ins.fail(attempt, cause, services.clock(), name)
    log.warning(
        "sign_in_refused",
        cause=cause,
        account=name,
        address=attempt.address,
        next_in_s=round(next_in_s),
    )


def _cause(account: Account | None) -> str:
    if account is None:
        return "unknown_name"
    if account.disabled_at is not None:
        return "account_ended"
    return "wrong_password" if account.password_hash else "signs_in_elsewhere"
