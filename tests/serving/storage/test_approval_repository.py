"""Approvals of a database of either engine: kept with their audit events, and used once."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Engine, select
from sqlalchemy.exc import DatabaseError

from serving.access.accounts import Account
from serving.access.actors import Actor
from serving.access.approval_keys import sign_approval
from serving.access.approvals import GivenApproval, ProposedAct, signer_of, two_persons
from serving.access.errors import ApprovalRefused
from serving.integrity.audit_log import AuditEvent
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.approval_repository import ApprovalRepository
from serving.storage.tables.access import approval_keys, revoked_approval_keys, used_approvals
from serving.storage.tables.audit import audit_events
from serving.storage.write_lock import write_transaction
from tests.serving.access.trusted import NOW
from tests.serving.databases import database
from tests.serving.storage.test_covered_tables import unguarded

CLI = Actor("cli:0@border", "root")
ACT = ProposedAct(kind="switch_on", object_id="all", digest="sha256:1", installation="sha256:2")


@pytest.fixture
def engine(where: Path | str) -> Iterator[Engine]:
    engine = database(where)
    yield engine
    engine.dispose()


@pytest.fixture
def accounts(engine: Engine) -> AccountRepository:
    accounts = AccountRepository(engine)
    for name in ("alpha", "beta", "gamma"):
        accounts.add_account(Account(name, "-", "supervisor", (), NOW))
    return accounts


@pytest.fixture
def register(engine: Engine, accounts: AccountRepository) -> ApprovalRepository:
    return ApprovalRepository(engine)


WRITTEN_DOWN = (
    *("register_approval_key", "revoke_approval_key", "propose_act", "begin_live_use"),
    *("give_approval", "withhold_approval", "use_approval", "switch_on"),
)


def events(engine: Engine) -> list[tuple[str, str]]:
    """What was written down of approvals."""
    query = select(audit_events.c.action, audit_events.c.actor).order_by(audit_events.c.seq)
    with engine.connect() as connection:
        rows = connection.execute(query.where(audit_events.c.action.in_(WRITTEN_DOWN)))
        return [(row.action, row.actor) for row in rows]


def person(register: ApprovalRepository, name: str) -> Ed25519PrivateKey:
    """The key of somebody, registered."""
    key = Ed25519PrivateKey.generate()
    register.register_key(name, key.public_key().public_bytes_raw(), CLI, NOW)
    return key


def signed_by_two(register: ApprovalRepository, act: ProposedAct = ACT) -> list[GivenApproval]:
    alpha, beta = person(register, "alpha"), person(register, "beta")
    return [
        sign_approval(GivenApproval.of(act, "proposer", NOW), alpha),
        sign_approval(GivenApproval.of(act, "approver", NOW), beta),
    ]


def test_an_account_has_one_key_that_counts_and_each_change_is_written_down(
    register: ApprovalRepository, engine: Engine
) -> None:
    key = person(register, "alpha")
    public = key.public_key().public_bytes_raw()

    with pytest.raises(ApprovalRefused, match="alpha has a key"):
        person(register, "alpha")
    with pytest.raises(ApprovalRefused, match="registered before"):
        register.register_key("beta", public, CLI, NOW)
    with pytest.raises(ApprovalRefused, match="no account in use"):
        person(register, "nobody")
    key_id = register.revoke_key("alpha", CLI, NOW + timedelta(hours=1))
    with pytest.raises(ApprovalRefused, match="no key that counts"):
        register.revoke_key("alpha", CLI, NOW)
    with pytest.raises(ApprovalRefused, match="registered before"):
        register.register_key("alpha", public, CLI, NOW)
    person(register, "alpha")

    kept = register.key(key_id)
    assert kept is not None
    assert (kept.account, kept.registered_by) == ("alpha", CLI.identity)
    assert kept.revoked_at == NOW + timedelta(hours=1)
    names = ["register_approval_key", "revoke_approval_key", "register_approval_key"]
    assert events(engine) == [(name, CLI.identity) for name in names]


def test_a_key_that_the_audit_log_does_not_tell_of_counts_for_nothing(
    register: ApprovalRepository, engine: Engine
) -> None:
    """As of whoever can write one table."""
    private = Ed25519PrivateKey.generate()
    mine = private.public_key().public_bytes_raw()
    row = {
        "key_id": "mallory",
        "account": "beta",
        "public_key": mine.hex(),
        "registered_at": NOW,
        "registered_by": CLI.identity,
    }
    with write_transaction(engine) as connection:
        connection.execute(approval_keys.insert(), row)

    assert register.key("mallory") is None
    given = sign_approval(GivenApproval.of(ACT, "approver", NOW), private)
    forged = given.model_copy(update={"key_id": "mallory"})
    with pytest.raises(ApprovalRefused, match="registered to nobody"):
        signer_of(forged, register)


def test_what_the_audit_log_tells_of_revocation_and_use_no_table_takes_back(
    register: ApprovalRepository, engine: Engine
) -> None:
    """As of whoever deletes rows of one table, with a key or an approval of before."""
    both = signed_by_two(register)
    with register.using(both, CLI, NOW):
        pass
    at = NOW + timedelta(hours=1)
    key_id = register.revoke_key("beta", CLI, at)
    with unguarded(engine) as connection:
        for table in (used_approvals, revoked_approval_keys):
            connection.execute(table.delete())

    assert [register.is_used(each.approval_id) for each in both] == [True, True]
    revoked = register.key(key_id)
    assert revoked is not None
    assert revoked.revoked_at == at
    assert register.used_for(ACT) == tuple(both)


def test_two_persons_approve_by_key_once(register: ApprovalRepository, engine: Engine) -> None:
    both = signed_by_two(register)
    found = two_persons(ACT, both, register, AccountRepository(engine), NOW)
    done = AuditEvent(NOW, CLI, "switch_on", "switch", "all")

    with register.using(found.documents, CLI, NOW, done):
        pass

    assert all(register.is_used(each.approval_id) for each in both)
    assert [name for name, _ in events(engine)][2:] == ["use_approval", "use_approval", "switch_on"]
    with pytest.raises(ApprovalRefused, match="used already"):
        two_persons(ACT, both, register, AccountRepository(engine), NOW)
    with pytest.raises(ApprovalRefused, match="used already"), register.using(both, CLI, NOW):
        pytest.fail("an approval was used twice")
    assert len(events(engine)) == 5


def test_what_fails_uses_no_approval(register: ApprovalRepository, engine: Engine) -> None:
    both = signed_by_two(register)
    before = events(engine)

    with pytest.raises(OSError, match="the disk is full"), register.using(both, CLI, NOW):
        raise OSError("the disk is full")

    assert events(engine) == before
    assert not any(register.is_used(each.approval_id) for each in both)
    with register.using(both, CLI, NOW):
        pass


def test_two_persons_approve_in_the_console_once(
    register: ApprovalRepository, engine: Engine, accounts: AccountRepository
) -> None:
    def says(name: str, *, is_agreed: bool = True) -> str | None:
        actor = Actor(f"account:{name}", name, name)
        return register.answer(ACT.act_id, name, actor, NOW, is_agreed=is_agreed)

    with pytest.raises(ApprovalRefused, match="no such act waits"):
        says("alpha")
    register.propose(ACT, {"all": "off since yesterday"}, CLI, NOW)
    register.propose(ACT, {"all": "said again"}, CLI, NOW)
    assert says("gamma", is_agreed=False) is None
    assert says("alpha") == "proposer"
    for name in ("alpha", "gamma"):
        with pytest.raises(ApprovalRefused, match=f"{name} has answered"):
            says(name)
    assert says("beta") == "approver"
    accounts.add_account(Account("delta", "-", "admin", (), NOW))
    with pytest.raises(ApprovalRefused, match="two persons agreed"):
        says("delta")

    (pending,) = register.newest_pending(9)
    assert [(each.account, each.is_agreed) for each in pending.answers] == [
        ("gamma", False),
        ("alpha", True),
        ("beta", True),
    ]
    assert pending.evidence == {"all": "off since yesterday"}
    both = register.given_in_console(ACT, NOW)
    found = two_persons(ACT, both, register, accounts, NOW)
    assert found.names == ("alpha", "beta")
    with register.using(found.documents, CLI, NOW):
        pass
    assert register.newest_pending(9) == []
    assert register.given_in_console(ACT, NOW) == ()
    names = [name for name, _ in events(engine)]
    assert names == [
        "propose_act",
        "withhold_approval",
        "give_approval",
        "give_approval",
        "use_approval",
        "use_approval",
    ]


def test_an_answer_in_the_console_is_nobody_elses_and_of_no_other_act(
    register: ApprovalRepository,
) -> None:
    register.propose(ACT, {}, CLI, NOW)
    register.answer(ACT.act_id, "alpha", Actor("account:alpha", "alpha"), NOW, is_agreed=True)
    (given,) = register.given_in_console(ACT, NOW)

    assert register.is_given(given)
    for other in (
        given.model_copy(update={"account": "beta"}),
        given.model_copy(update={"part": "approver"}),
        given.model_copy(update={"act": ACT.model_copy(update={"object_id": "route"})}),
        given.model_copy(update={"expires_at": given.expires_at + timedelta(days=1)}),
    ):
        assert not register.is_given(other)
    assert register.given_in_console(ACT, given.expires_at) == ()
    assert register.given_in_console(ACT.model_copy(update={"object_id": "route"}), NOW) == ()


def test_the_newest_act_on_a_seat_says_which_pointer_is_in_it(
    register: ApprovalRepository,
) -> None:
    assert register.seated("tidegate-route", "champion") is None
    for pointer, seat in (("a", "tidegate-route"), ("b", "tidegate-route"), ("c", "other")):
        event = AuditEvent(NOW, CLI, "promote", "seat", f"{seat}@champion", {"pointer": pointer})
        with register.using((), CLI, NOW, event):
            pass
    assert register.seated("tidegate-route", "champion") == "b"
    assert register.seated("tidegate-route", "shadow") is None


def test_live_use_begins_once_and_for_good(register: ApprovalRepository, engine: Engine) -> None:
    assert not register.is_live_use()
    for _ in range(2):
        register.begin_live_use(CLI, NOW)
    assert register.is_live_use()
    assert [name for name, _ in events(engine)] == ["begin_live_use"]


@pytest.mark.parametrize(
    "table", ["approval_keys", "revoked_approval_keys", "proposed_acts", "approvals"]
)
@pytest.mark.parametrize("change", ["DELETE FROM {}", "UPDATE {} SET {}"])
def test_the_database_refuses_every_change_of_what_was_done(
    register: ApprovalRepository, engine: Engine, table: str, change: str
) -> None:
    with register.using(signed_by_two(register), CLI, NOW):
        pass
    register.propose(ACT, {}, CLI, NOW)
    register.revoke_key("alpha", CLI, NOW)
    column = {"approval_keys": "account", "revoked_approval_keys": "revoked_by"}.get(
        table, "act_id"
    )

    words = change.format(table, f"{column} = 'mallory'")
    with pytest.raises(DatabaseError), write_transaction(engine) as connection:
        connection.exec_driver_sql(words)


def test_no_event_tells_words_of_a_person(register: ApprovalRepository, engine: Engine) -> None:
    act = replace_words(ACT, "because nobody looks at night")
    register.propose(act, {}, CLI, NOW)
    with register.using(signed_by_two(register, act), CLI, NOW):
        pass
    with engine.connect() as connection:
        told = [row.details for row in connection.execute(select(audit_events))]
    assert "nobody looks" not in json.dumps(told)


def replace_words(act: ProposedAct, because: str) -> ProposedAct:
    return act.model_copy(update={"because": because})
