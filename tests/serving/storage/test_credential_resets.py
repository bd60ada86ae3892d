"""Whoever makes or resets a colleague's account counts as one person with them."""

from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

import pyotp
import pytest
from pydantic import TypeAdapter
from sqlalchemy import Engine

from serving.access.accounts import Account, new_account, with_first_password
from serving.access.actors import SERVICE, Actor
from serving.access.two_persons import require_second_person
from serving.errors import Conflict
from serving.integrity.audit_log import AuditEvent
from serving.storage.credential_resets import COUNTS_FOR
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.audit_repository import AuditRepository
from serving.storage.repositories.second_factor_repository import SecondFactorRepository
from tests.serving.access.trusted import NOW
from tests.serving.databases import database
from tests.serving.refusals import refused_with

HOUR = timedelta(hours=1)
PEOPLE = {
    name: new_account(name, "a password for tests", "admin", (), NOW)
    for name in ("maria", "olga", "chief", "second")
}


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    engine = database(tmp_path / "log.db")
    for account in PEOPLE.values():
        AccountRepository(engine).add_account(account)
    return engine


def actor(engine: Engine, name: str, now: datetime) -> Actor:
    possible = AccountRepository(engine).one_person_with(name, now)
    person = f"account:{name}"
    return Actor(person, name, person).with_possible_persons(possible)


def reset(engine: Engine, account: Account, by: str, now: datetime) -> None:
    AccountRepository(engine).set_password(account, now, PEOPLE[by].actor)


def are_two(engine: Engine, first: str, second: str, now: datetime) -> bool:
    """Whether the second confirms what the first proposed, as it was stored."""
    stored = TypeAdapter(Actor).dump_python(actor(engine, first, now))
    assert set(stored) == {"identity", "name", "person"}
    try:
        require_second_person(Actor(**stored), actor(engine, second, now), "another person")
    except Conflict:
        return False
    return True


def test_nobody_who_was_reset_is_a_second_person_to_whoever_did_for_a_week(engine: Engine) -> None:
    assert are_two(engine, "maria", "chief", NOW)

    reset(engine, PEOPLE["maria"], "chief", NOW)

    for at, is_over in ((NOW + HOUR, False), (NOW + COUNTS_FOR + HOUR, True)):
        assert are_two(engine, "maria", "chief", at) is is_over
        assert are_two(engine, "chief", "maria", at) is is_over
        assert are_two(engine, "second", "maria", at)


def test_two_that_one_admin_reset_are_one_person(engine: Engine) -> None:
    for name in ("maria", "olga"):
        reset(engine, PEOPLE[name], "chief", NOW)

    assert not are_two(engine, "maria", "olga", NOW + HOUR)
    assert are_two(engine, "maria", "second", NOW + HOUR)


def test_whoever_changes_their_own_password_stays_a_person_of_their_own(engine: Engine) -> None:
    reset(engine, PEOPLE["maria"], "maria", NOW)

    assert are_two(engine, "maria", "chief", NOW + HOUR)


def gives_code(engine: Engine, at: datetime) -> None:
    event = AuditEvent(at, PEOPLE["maria"].actor, "give_second_factor", "account", "maria")
    AuditRepository(engine).append(event)


def enrols(engine: Engine, at: datetime) -> None:
    factors = SecondFactorRepository(engine)
    factors.begin("maria")
    made = factors.find("maria")
    assert made is not None
    code = pyotp.TOTP(made.secret).at(at)
    assert factors.confirm("maria", code, at, PEOPLE["maria"].actor)


def test_a_code_of_an_older_second_factor_shows_the_holder(engine: Engine) -> None:
    enrols(engine, NOW)
    reset(engine, PEOPLE["maria"], "chief", NOW + HOUR)
    assert not are_two(engine, "maria", "chief", NOW + HOUR)

    gives_code(engine, NOW + 2 * HOUR)

    assert are_two(engine, "maria", "chief", NOW + 2 * HOUR)


@pytest.mark.parametrize("had_one", [False, True])
def test_a_code_of_a_second_factor_that_was_set_up_since_shows_nothing(
    engine: Engine, had_one: bool
) -> None:
    if had_one:
        enrols(engine, NOW)
        SecondFactorRepository(engine).remove("maria", NOW + HOUR, PEOPLE["chief"].actor)
    reset(engine, PEOPLE["maria"], "chief", NOW + HOUR)
    enrols(engine, NOW + 2 * HOUR)

    gives_code(engine, NOW + 3 * HOUR)

    assert not are_two(engine, "maria", "chief", NOW + 3 * HOUR)


def test_another_admin_confirms_the_holder_and_nobody_behind_the_account(engine: Engine) -> None:
    register = AccountRepository(engine)
    for name in ("maria", "olga"):
        reset(engine, PEOPLE[name], "chief", NOW)
    for name in ("chief", "maria", "olga"):
        with refused_with("same-reviewer"):
            register.confirm_holder("maria", NOW + HOUR, PEOPLE[name].actor)

    register.confirm_holder("maria", NOW + HOUR, PEOPLE["second"].actor)

    assert are_two(engine, "maria", "chief", NOW + HOUR)
    assert are_two(engine, "maria", "olga", NOW + HOUR)
    assert not are_two(engine, "olga", "chief", NOW + HOUR)


def make(engine: Engine, name: str, by: Actor, now: datetime) -> None:
    bare = Account(name, "", "admin", (), now)
    AccountRepository(engine).add_account(with_first_password(bare, now)[0], by)


def test_whoever_makes_an_account_is_no_second_person_to_it_for_a_week(engine: Engine) -> None:
    make(engine, "nour", PEOPLE["chief"].actor, NOW)
    own = replace(PEOPLE["maria"], name="nour", credential_origin="own")
    AccountRepository(engine).set_password(own, NOW + HOUR, own.actor)

    for at, is_over in ((NOW + 2 * HOUR, False), (NOW + COUNTS_FOR + HOUR, True)):
        assert are_two(engine, "nour", "chief", at) is is_over
        assert are_two(engine, "chief", "nour", at) is is_over
        assert are_two(engine, "second", "nour", at)


def test_two_that_one_admin_made_are_one_person_until_another_confirms(engine: Engine) -> None:
    register = AccountRepository(engine)
    for name in ("nour", "omar"):
        make(engine, name, PEOPLE["chief"].actor, NOW)
    reset(engine, PEOPLE["maria"], "chief", NOW)
    later = NOW + HOUR
    for other in ("omar", "maria"):
        assert not are_two(engine, "nour", other, later)
        with refused_with("same-reviewer"):
            register.confirm_holder("nour", later, PEOPLE["maria"].actor)

    register.confirm_holder("nour", later, PEOPLE["second"].actor)

    assert are_two(engine, "nour", "chief", later)
    assert are_two(engine, "nour", "omar", later)
    assert not are_two(engine, "omar", "chief", later)


def test_a_code_of_the_second_factor_of_a_new_account_shows_no_holder(engine: Engine) -> None:
    make(engine, "nour", PEOPLE["chief"].actor, NOW)
    factors = SecondFactorRepository(engine)
    factors.begin("nour")
    made = factors.find("nour")
    assert made is not None
    nour = Actor("account:nour", "nour", "account:nour")
    assert factors.confirm("nour", pyotp.TOTP(made.secret).at(NOW + HOUR), NOW + HOUR, nour)
    AuditRepository(engine).append(
        AuditEvent(NOW + HOUR, nour, "give_second_factor", "account", "nour")
    )

    assert not are_two(engine, "nour", "chief", NOW + 2 * HOUR)


@pytest.mark.parametrize("by", [Actor("cli:1000@host", "ada"), SERVICE])
def test_accounts_that_no_account_made_are_persons_of_their_own(engine: Engine, by: Actor) -> None:
    for name in ("nour", "omar"):
        make(engine, name, by, NOW)

    assert are_two(engine, "nour", "omar", NOW + HOUR)


def test_who_made_an_account_mends_its_role_and_it_changes_nothing_of_theirs(
    engine: Engine,
) -> None:
    register, chief = AccountRepository(engine), PEOPLE["chief"].actor
    make(engine, "nour", chief, NOW)
    nour = actor(engine, "nour", NOW)

    register.change("nour", "reviewer", (), NOW, chief)

    with refused_with("same-reviewer"):
        register.change("chief", "reviewer", (), NOW, nour)
    reset(engine, PEOPLE["maria"], "chief", NOW)
    register.set_password(replace(PEOPLE["maria"], name="nour"), NOW, chief)
    with refused_with("same-reviewer"):
        register.change("nour", "admin", (), NOW, chief)
