"""Accounts and sessions of a database: until when a browser is let in, and who stays out."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from itertools import product
from pathlib import Path

import pytest
from sqlalchemy import Engine

from serving.access.accounts import Account
from serving.access.api_keys import new_key
from serving.access.errors import NameTaken
from serving.access.sessions import Session
from serving.errors import NotFound, NotSignedIn
from serving.storage.engine import open_database
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.api_key_repository import ApiKeyRepository
from serving.storage.repositories.session_repository import SessionRepository
from tests.serving.access.trusted import NOW
from tests.serving.databases import database

MOMENT, LASTING = timedelta(microseconds=1), timedelta(minutes=30)
MARIA = Account("maria", "", "reviewer", ("DE004600",), NOW, subject="https://login.example u-1")


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_database(tmp_path / "log.db", is_service=False)
    yield engine
    engine.dispose()


@pytest.fixture
def accounts(engine: Engine) -> AccountRepository:
    return AccountRepository(engine)


@pytest.fixture
def sessions(engine: Engine) -> SessionRepository:
    return SessionRepository(engine)


def begun(sessions: SessionRepository, holder: str = "account:maria") -> tuple[Session, str]:
    session, cookie = Session.begin(holder, NOW, LASTING)
    sessions.add_session(session, NOW)
    return session, cookie


def test_a_session_is_open_up_to_its_end(sessions: SessionRepository) -> None:
    session, cookie = begun(sessions)

    assert sessions.find(cookie, NOW + LASTING - MOMENT) == session
    assert sessions.find(cookie, NOW + LASTING) is None
    assert sessions.find(cookie + "x", NOW) is None


def test_a_session_that_is_closed_is_closed_alone(sessions: SessionRepository) -> None:
    (_, first), (session, second) = begun(sessions), begun(sessions)

    sessions.end(first)

    assert sessions.find(first, NOW) is None
    assert sessions.find(second, NOW) == session


def test_sessions_that_are_over_are_forgotten(sessions: SessionRepository) -> None:
    _, cookie = begun(sessions)
    later, _ = Session.begin("account:paul", NOW + LASTING, LASTING)

    sessions.add_session(later, NOW + LASTING)

    assert sessions.find(cookie, NOW) is None


def test_whose_account_is_ended_has_no_session_left(
    accounts: AccountRepository, sessions: SessionRepository
) -> None:
    accounts.add_account(MARIA)
    (_, hers), (other, another) = begun(sessions), begun(sessions, "account:paul")

    accounts.disable("maria", NOW)

    assert accounts.find("maria") == replace(MARIA, disabled_at=NOW)
    assert sessions.find(hers, NOW) is None
    assert sessions.find(another, NOW) == other
    with pytest.raises(NotFound):
        accounts.disable("maria", NOW)


def test_who_comes_from_elsewhere_has_the_newest_role_and_no_other_name(
    accounts: AccountRepository,
) -> None:
    accounts.add_account(Account("paul", "hash", "auditor", (), NOW))
    assert accounts.admit(MARIA) == MARIA
    promoted = replace(MARIA, role="supervisor", offices=())

    assert accounts.admit(promoted) == promoted == accounts.find("maria")
    other = accounts.admit(replace(MARIA, name="Paul", subject="https://login.example u-2"))
    assert other.name == "Paul +2"
    assert accounts.admit(replace(other, name="Paul")) == other
    accounts.disable("maria", NOW)
    with pytest.raises(NotSignedIn, match="was ended here"):
        accounts.admit(MARIA)


ALIKE = ["alpha", "Alpha", "alpha.", "al pha", "A1pha", "\u0430\u04cf\u0440\u04bb\u0430"]


@pytest.mark.parametrize("former", ["account", "key", "ended account", "revoked key"])
def test_no_new_name_looks_like_one_that_anybody_has_or_had(where: Path | str, former: str) -> None:
    engine = database(where)
    accounts, keys = AccountRepository(engine), ApiKeyRepository(engine)

    def make(kind: str, name: str) -> None:
        if kind == "account":
            accounts.add_account(Account(name, "hash", "reviewer", (), NOW))
        else:
            keys.add_key(new_key(name, ("review",), (), NOW)[0])

    make(former.rpartition(" ")[2], "alpha")
    if former == "ended account":
        accounts.disable("alpha", NOW)
    if former == "revoked key":
        keys.revoke("alpha", NOW)

    for kind, name in product(("account", "key"), ALIKE):
        with pytest.raises(NameTaken, match=r"`alpha` is or was in use, .* is free"):
            make(kind, name)
        assert len(accounts.all()) + len(keys.all()) == 1, (kind, name)
    make("account", "alpine")
    make("key", "alpestrine")


def test_of_two_who_take_a_name_at_once_one_has_it(where: Path | str) -> None:
    engine = database(where)
    accounts, keys = AccountRepository(engine), ApiKeyRepository(engine)

    def make(number: int) -> bool:
        try:
            if number % 2:
                accounts.add_account(Account(ALIKE[number % 5], "hash", "reviewer", (), NOW))
            else:
                keys.add_key(new_key(ALIKE[number % 5], ("review",), (), NOW)[0])
        except NameTaken:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(make, range(12))) == 1
