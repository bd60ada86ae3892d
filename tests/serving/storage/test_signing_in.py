"""Failed attempts, second factors and changes of accounts, on either engine, and what is told."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyotp
import pytest
from sqlalchemy import Engine, delete, select, text

from serving.access.accounts import new_account, with_first_password
from serving.access.actors import Actor
from serving.access.sessions import MAX_SESSIONS, Session
from serving.access.sign_in_delays import SignInAttempt
from serving.errors import Conflict, NotFound
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.second_factor_repository import SecondFactorRepository
from serving.storage.repositories.session_repository import SessionRepository
from serving.storage.repositories.sign_in_repository import SignInRepository
from serving.storage.tables.access import sessions
from serving.storage.write_lock import write_transaction
from tests.serving.access.trusted import NOW
from tests.serving.databases import database

LASTING = timedelta(minutes=30)
ADMIN = Actor("account:chief", "chief")
MARIA = new_account("maria", "a password for tests", "reviewer", (), NOW)
HERE = SignInAttempt("maria", "192.0.2.7")
ELSEWHERE = replace(HERE, address="198.51.100.9")


@pytest.fixture
def engine(where: Path | str) -> Engine:
    engine = database(where)
    AccountRepository(engine).add_account(MARIA, ADMIN)
    return engine


def told(engine: Engine) -> list[tuple[str, str, str]]:
    with engine.connect() as connection:
        query = "SELECT action, actor, object_id FROM audit_events ORDER BY seq"
        return [(row[0], row[1], row[2]) for row in connection.execute(text(query))]


def contents(engine: Engine, table: str) -> str:
    with engine.connect() as connection:
        return str(connection.execute(text(f"SELECT * FROM {table}")).all())


def begun(holder: str = "account:maria") -> Session:
    return Session.begin(holder, NOW, LASTING)[0]


def signed_in(name: str = "maria") -> AuditEvent:
    return AuditEvent(NOW, Actor(f"account:{name}", name), "sign_in", "account", name)


def test_failures_of_all_workers_are_counted_together(where: Path | str, engine: Engine) -> None:
    workers = [SignInRepository(engine), *(SignInRepository(database(where)) for _ in range(2))]

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda n: workers[n % 3].fail(HERE, "wrong", NOW, "maria"), range(8)))

    assert [worker.wait_s(HERE, NOW) for worker in workers] == [8, 8, 8]
    assert [worker.wait_s(ELSEWHERE, NOW) for worker in workers] == [0, 0, 0]


def test_a_sign_in_forgives_this_account_and_address_but_not_the_address(engine: Engine) -> None:
    sign_ins = SignInRepository(engine)
    for number in range(25):
        sign_ins.fail(replace(HERE, name=f"name {number}"), "unknown_name", NOW, None)
    waits = sign_ins.wait_s(HERE, NOW)

    sign_ins.admit(HERE, begun(), signed_in())

    assert waits == sign_ins.wait_s(HERE, NOW) == 20
    assert sign_ins.wait_s(ELSEWHERE, NOW) == 0


def test_whoever_has_a_whole_network_has_no_first_guess_from_each_part(engine: Engine) -> None:
    """Of IPv6 a site has 256 networks and an organisation 65,536; each is a fresh address."""
    sign_ins, free = SignInRepository(engine), {"site": 0, "organisation": 0}
    for name, step in (("site", 1), ("organisation", 256)):
        for number in range(1, 130):
            network = f"2001:db8:{len(name):x}:{number * step:x}::/64"
            attempt = replace(HERE, name=f"name {name} {number}", address=network)
            if sign_ins.wait_s(attempt, NOW) > 0:
                break
            sign_ins.fail(attempt, "unknown_name", NOW, None)
            free[name] += 1

    assert free == {"site": 40, "organisation": 100}
    assert sign_ins.wait_s(HERE, NOW) == 0
    assert sign_ins.wait_s(replace(HERE, address="2001:db8:ffff:1::/64"), NOW) == 0


def test_a_browser_that_was_let_in_waits_for_its_own_failures_alone(engine: Engine) -> None:
    sign_ins = SignInRepository(engine)
    sign_ins.know("maria", "cookie", NOW)
    for _ in range(30):
        sign_ins.fail(HERE, "wrong_password", NOW, "maria")
    known = sign_ins.known("maria", "cookie", NOW)
    hers = replace(HERE, known_browser=known)

    assert sign_ins.wait_s(HERE, NOW) == 900
    assert known
    assert sign_ins.wait_s(hers, NOW) == 0
    for _ in range(6):
        sign_ins.fail(hers, "wrong_password", NOW, "maria")
    assert sign_ins.wait_s(hers, NOW) == 2
    assert sign_ins.known("paul", "cookie", NOW) == sign_ins.known("maria", "other", NOW) == ""
    assert sign_ins.known("maria", "cookie", NOW + timedelta(days=90)) == ""


def test_a_name_that_nobody_has_is_kept_nowhere_in_the_clear(engine: Engine) -> None:
    sign_ins = SignInRepository(engine)
    mistyped = replace(HERE, name="my own password 2026")

    sign_ins.fail(mistyped, "unknown_name", NOW, None)
    sign_ins.fail(HERE, "wrong_password", NOW, "maria")

    for table in ("sign_in_failures", "audit_events"):
        assert "my own password" not in contents(engine, table)
    refusals = [event for event in told(engine) if event[0] == "refuse_sign_in"]
    assert len(refusals) == 2
    assert refusals[0][2].startswith("unknown:")
    assert refusals[1][2] == "maria"


def test_of_attempts_that_do_not_wait_one_is_told_for_each_wait(engine: Engine) -> None:
    sign_ins = SignInRepository(engine)
    for _ in range(6):
        sign_ins.fail(HERE, "wrong_password", NOW, "maria")
    before = len(told(engine))

    for _ in range(50):
        sign_ins.refuse_early(HERE, NOW, "maria")

    assert len(told(engine)) == before + 1
    sign_ins.fail(HERE, "wrong_password", NOW, "maria")
    sign_ins.refuse_early(HERE, NOW, "maria")
    assert len(told(engine)) == before + 3


def test_failures_of_long_ago_are_forgotten(engine: Engine) -> None:
    sign_ins = SignInRepository(engine)
    for number in range(10):
        sign_ins.fail(replace(HERE, name=str(number)), "unknown_name", NOW, None)

    sign_ins.fail(ELSEWHERE, "wrong_password", NOW + timedelta(hours=25), "maria")

    with engine.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM sign_in_failures")) == 3


@pytest.fixture
def factors(engine: Engine) -> SecondFactorRepository:
    return SecondFactorRepository(engine)


def enrolled(factors: SecondFactorRepository) -> tuple[Any, tuple[str, ...]]:
    factors.begin("maria")
    factor = factors.find("maria")
    assert factor is not None
    maker = pyotp.TOTP(factor.secret)
    return maker, factors.confirm("maria", maker.at(NOW), NOW, MARIA.actor)


def test_a_code_counts_once_however_many_workers_are_asked(
    where: Path | str, factors: SecondFactorRepository
) -> None:
    maker, _ = enrolled(factors)
    workers = [factors, *(SecondFactorRepository(database(where)) for _ in range(3))]
    later = NOW + timedelta(seconds=60)

    with ThreadPoolExecutor(4) as pool:
        code = maker.at(later)
        used = list(pool.map(lambda worker: worker.use("maria", code, later), workers))

    assert sorted(map(str, used)) == ["None", "None", "None", "code"]
    assert factors.use("maria", maker.at(NOW), NOW) is None  # the one that confirmed it


def test_each_recovery_code_counts_once_and_those_that_were_replaced_never(
    factors: SecondFactorRepository,
) -> None:
    _, codes = enrolled(factors)

    assert factors.use("maria", codes[0].lower(), NOW) == "recovery_code"
    assert factors.use("maria", codes[0], NOW) is None
    fresh = factors.renew_codes("maria", NOW, MARIA.actor)
    assert factors.use("maria", codes[1], NOW) is None
    assert factors.use("maria", fresh[1], NOW) == "recovery_code"
    found = factors.find("maria")
    assert found is not None
    assert found.recovery_codes == 9


def test_a_factor_that_was_not_confirmed_asks_for_nothing_and_opens_nothing(
    factors: SecondFactorRepository,
) -> None:
    factors.begin("maria")
    factor = factors.find("maria")
    assert factor is not None
    maker = pyotp.TOTP(factor.secret)

    assert not factors.has("maria")
    assert factors.use("maria", maker.at(NOW), NOW) is None
    assert factors.confirm("maria", "000000", NOW, MARIA.actor) == ()
    factors.begin("maria")
    assert factors.confirm("maria", maker.at(NOW), NOW, MARIA.actor) == ()  # another secret by now
    enrolled(factors)
    assert factors.has("maria")
    with pytest.raises(Conflict):
        factors.begin("maria")


def test_neither_secret_nor_recovery_code_is_kept_in_the_clear(
    engine: Engine, factors: SecondFactorRepository
) -> None:
    maker, codes = enrolled(factors)

    kept = "".join(contents(engine, t) for t in ("second_factors", "recovery_codes"))
    assert maker.secret not in kept
    assert "encrypted:accounts:" in kept
    assert not any(code in kept for code in codes)


def test_whoever_resets_a_factor_or_a_password_is_told(
    engine: Engine, factors: SecondFactorRepository
) -> None:
    accounts, sessions = AccountRepository(engine), SessionRepository(engine)
    maker, codes = enrolled(factors)
    sessions.add_session(begun(), NOW)
    SignInRepository(engine).know("maria", "cookie", NOW)

    factors.remove("maria", NOW, ADMIN)
    account, _ = with_first_password(MARIA, NOW)
    accounts.set_password(account, NOW, ADMIN)
    accounts.disable("maria", NOW, ADMIN)

    assert not factors.has("maria")
    assert factors.use("maria", codes[0], NOW) is factors.use("maria", maker.at(NOW), NOW) is None
    assert sessions.of_holder("account:maria", NOW) == []
    assert SignInRepository(engine).known("maria", "cookie", NOW) == ""
    assert [event for event in told(engine) if event[1] == "account:chief"] == [
        (action, "account:chief", "maria")
        for action in ("create_account", "reset_second_factor", "reset_password", "disable_account")
    ]
    with pytest.raises(NotFound):
        factors.remove("maria", NOW, ADMIN)
    with pytest.raises(NotFound):
        accounts.set_password(account, NOW, ADMIN)


def test_who_changes_their_own_password_stays_signed_in_here_alone(engine: Engine) -> None:
    accounts, sessions = AccountRepository(engine), SessionRepository(engine)
    mine, other, of_another = begun(), begun(), begun("account:paul")
    for session in (mine, other, of_another):
        sessions.add_session(session, NOW)

    accounts.set_password(
        replace(MARIA, password_hash="other"), NOW, MARIA.actor, but=mine.cookie_sha256
    )

    assert sessions.of_holder("account:maria", NOW) == [mine]
    assert sessions.of_holder("account:paul", NOW) == [of_another]
    assert told(engine)[-1] == ("change_password", "account:maria", "maria")
    found = accounts.find("maria")
    assert found is not None
    assert found.password_hash == "other"


def test_an_account_has_its_newest_sessions_and_one_too_many_ends_the_oldest(
    engine: Engine,
) -> None:
    repository = SessionRepository(engine)
    times = [NOW + timedelta(seconds=n) for n in range(MAX_SESSIONS + 2)]
    mine = [Session.begin("account:maria", at, timedelta(hours=1))[0] for at in times]
    of_another = begun("account:paul")
    for session in (of_another, *mine):
        repository.add_session(session, session.begun_at)

    assert repository.of_holder("account:maria", times[-1]) == mine[:1:-1]
    assert repository.of_holder("account:paul", times[-1]) == [of_another]
    assert told(engine)[-1] == ("end_sessions", "service", "maria")


def test_an_act_that_fails_is_not_told(engine: Engine) -> None:
    before = told(engine)
    sessions = SessionRepository(engine)

    assert sessions.end_some("account:maria", ["unknown"], NOW, ADMIN) == 0
    with pytest.raises(NotFound):
        AccountRepository(engine).disable("nobody", NOW, ADMIN)

    assert told(engine) == before


def test_whoever_writes_to_the_database_alone_makes_no_session_and_takes_none(
    engine: Engine,
) -> None:
    """Without a trace they would act as somebody else, and as two persons."""
    repository = SessionRepository(engine)
    mine, cookie = Session.begin("account:maria", NOW, timedelta(hours=1))
    theirs, others_cookie = Session.begin("account:paul", NOW, timedelta(hours=1))
    for each in (mine, theirs):
        repository.add_session(each, NOW)
    assert repository.find(cookie, NOW) == mine
    with engine.connect() as connection:
        rows = {row["holder"]: dict(row) for row in connection.execute(select(sessions)).mappings()}
    own, another = rows["account:maria"], rows["account:paul"]
    later = NOW + timedelta(days=9)

    for change in (
        {"holder": "account:paul"},
        {"has_second_factor": 1},
        {"proved_at": later},
        {"expires_at": later},
        {"expires_at": later, "ends_at": later},
        {"form_token": "mine"},
        another | {"cookie_sha256": own["cookie_sha256"]},
    ):
        with write_transaction(engine) as connection:
            connection.execute(delete(sessions))
            connection.execute(sessions.insert(), own | change)
        assert repository.find(cookie, NOW) is None, change

    with write_transaction(engine) as connection:
        connection.execute(delete(sessions))
        connection.execute(sessions.insert(), own)
    assert repository.find(cookie, NOW) == mine
    assert repository.find(others_cookie, NOW) is None
