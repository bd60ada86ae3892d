"""Rows that grant power, changed behind the service's back and put back, let nobody in."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, select, text

from serving.access.accounts import new_account
from serving.access.actors import SERVICE, Actor
from serving.access.api_keys import new_key
from serving.access.second_factor import recovery_hash
from serving.errors import NotSignedIn
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.second_factor_repository import SecondFactorRepository
from serving.storage.tables.access import api_keys
from serving.storage.verification.audit_verification import verify_audit_log
from tests.serving.access.trusted import NOW
from tests.serving.databases import database

MARIA = new_account("maria", "a password for tests", "reviewer", (), NOW)
HERSELF = Actor("account:maria", "maria", "maria")


@pytest.fixture
def engine(where: Path | str) -> Engine:
    engine = database(where)
    AccountRepository(engine).add_account(MARIA)
    return engine


def change(engine: Engine, statement: str, **values: Any) -> None:
    """As somebody who has the database, behind the service's back."""
    with engine.begin() as connection:
        connection.execute(text(statement), values)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("password_hash", "another"),
        ("role", "admin"),
        ("offices", '["X"]'),
        ("subject", "i|s"),
        ("created_at", "no instant at all"),
    ],
)
def test_a_changed_account_is_found_by_nobody_until_it_is_put_back(
    engine: Engine, column: str, value: str
) -> None:
    register = AccountRepository(engine)
    kept = register.find("maria")
    assert kept is not None
    with engine.connect() as connection:
        before = connection.scalar(text(f"SELECT {column} FROM accounts"))

    change(engine, f"UPDATE accounts SET {column} = :value", value=value)

    assert register.find("maria") is AccountRepository(engine).find("maria") is None
    assert register.of_subject("i|s") is None
    change(engine, f"UPDATE accounts SET {column} = :value", value=before)
    assert register.find("maria") == kept


def test_an_account_that_somebody_inserted_or_brought_back_opens_nothing(engine: Engine) -> None:
    register = AccountRepository(engine)
    columns = "password_hash, role, offices, created_at, credential_origin"
    change(
        engine,
        f"INSERT INTO accounts (name, {columns}) SELECT 'eve', {columns} FROM accounts",
    )
    register.disable("maria", NOW)

    change(engine, "UPDATE accounts SET disabled_at = NULL")

    assert register.find("eve") is register.find("maria") is None


def test_whoever_signs_in_elsewhere_is_not_given_a_changed_account(engine: Engine) -> None:
    register = AccountRepository(engine)
    elsewhere = new_account("olga", "a password for tests", "reviewer", (), NOW)
    claimed = elsewhere.__class__(**(vars(elsewhere) | {"subject": "i|s"}))
    change(engine, "UPDATE accounts SET subject = 'i|s'")

    with pytest.raises(NotSignedIn, match="not as the audit log tells"):
        register.admit(claimed)


def test_an_account_that_the_service_changes_is_found_as_it_is_then(engine: Engine) -> None:
    register, other = AccountRepository(engine), AccountRepository(engine)
    assert other.find("maria") is not None

    register.rehash("maria", MARIA.password_hash, "fresh", NOW)

    for each in (register, other):
        found = each.find("maria")
        assert found is not None
        assert found.password_hash == "fresh"
    assert verify_audit_log(engine).is_whole


@pytest.mark.parametrize(
    ("column", "value"), [("scopes", '["explain"]'), ("offices", "[]"), ("scopes", "no JSON")]
)
def test_a_key_whose_scope_was_changed_opens_nothing(
    engine: Engine, column: str, value: str
) -> None:
    key, _ = new_key("sender", ("score",), ("A",), NOW)
    ApiKeyRepository(engine).add_key(key)
    assert ApiKeyRepository(engine).find(key.key_id) == key

    change(engine, f"UPDATE api_keys SET {column} = :value", value=value)

    assert ApiKeyRepository(engine).find(key.key_id) is None


def test_a_revoked_key_that_is_brought_back_opens_nothing(engine: Engine) -> None:
    keys = ApiKeyRepository(engine)
    key, _ = new_key("sender", ("score",), (), NOW)
    keys.add_key(key)
    fresh, _ = keys.rotate("sender", NOW, SERVICE, overlap=timedelta(days=1))
    live = [keys.find(key.key_id), keys.find(fresh.key_id)]
    assert all(each is not None and each.is_live(NOW) for each in live)
    keys.revoke("sender", NOW)
    for each in (key, fresh):
        found = keys.find(each.key_id)
        assert found is not None
        assert found.revoked_at == NOW

    change(engine, "UPDATE api_keys SET revoked_at = NULL")

    assert keys.find(key.key_id) is keys.find(fresh.key_id) is None
    with engine.connect() as connection:
        assert len(connection.execute(select(api_keys)).all()) == 2


def enrolled(engine: Engine) -> SecondFactorRepository:
    factors = SecondFactorRepository(engine)
    factors.begin("maria")
    made = factors.find("maria")
    assert made is not None
    assert factors.confirm("maria", pyotp.TOTP(made.secret).at(NOW), NOW, HERSELF)
    return factors


@pytest.mark.parametrize(
    "statement", ["DELETE FROM second_factors", "UPDATE second_factors SET confirmed_at = NULL"]
)
def test_a_second_factor_that_was_taken_away_is_still_asked_for(
    engine: Engine, statement: str
) -> None:
    factors = enrolled(engine)

    change(engine, statement)

    assert factors.has("maria")
    factors.remove("maria", NOW, SERVICE)
    assert not factors.has("maria")


def test_a_recovery_code_that_nobody_was_given_counts_for_nothing(engine: Engine) -> None:
    factors = enrolled(engine)
    codes = factors.renew_codes("maria", NOW, HERSELF)
    change(
        engine,
        "INSERT INTO recovery_codes (account, code_sha256) VALUES ('maria', :code)",
        code=recovery_hash("mine-mine-mine"),
    )

    assert factors.use("maria", "mine-mine-mine", NOW) is None
    assert factors.use("maria", codes[0], NOW) == "recovery_code"
    assert factors.use("maria", codes[0], NOW) is None
