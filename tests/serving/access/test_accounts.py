"""Accounts of people: what opens them, and what their holders may do."""

from dataclasses import FrozenInstanceError, replace

import pytest

from serving.access.accounts import Account, admits, new_account
from serving.access.callers import Caller
from tests.serving.access.trusted import NOW

PASSWORD = "a password for tests"


@pytest.fixture(scope="module")
def account() -> Account:
    return new_account("maria", PASSWORD, "reviewer", ("DE004600",), NOW)


def test_of_a_password_only_its_argon2_hash_is_kept(account: Account) -> None:
    assert account.password_hash.startswith("$argon2id$")
    assert replace(account, password_hash="") == Account(
        "maria", "", "reviewer", ("DE004600",), NOW
    )


def test_an_account_is_opened_by_its_password_until_it_is_ended(account: Account) -> None:
    assert admits(account, PASSWORD)
    for wrong in ("", PASSWORD + " "):
        assert not admits(account, wrong)
    assert not admits(replace(account, disabled_at=NOW), PASSWORD)


def test_no_password_opens_an_account_that_is_not_there_or_has_none(account: Account) -> None:
    for password in (PASSWORD, "nobody has this password"):
        assert not admits(None, password)
        assert not admits(replace(account, password_hash=""), password)


def test_a_holder_may_do_what_the_role_allows_in_the_offices_of_the_account(
    account: Account,
) -> None:
    assert account.caller() == Caller(
        "account:maria",
        "maria",
        frozenset({"review", "explain"}),
        frozenset({"DE004600"}),
        person="account:maria",
    )


def test_the_role_of_an_account_is_not_changed_in_place(account: Account) -> None:
    with pytest.raises(FrozenInstanceError):
        account.role = "admin"  # type: ignore[misc]  # what is tried
