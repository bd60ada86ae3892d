"""No act that takes two persons is done by one: every act, by every pair of identities.

One human being comes by an account, by another account that looks like it, by a key of that name,
by tokens through several clients, by an account of their organisation, and by a command.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice, product
from pathlib import Path
from typing import Any

import pytest

from serving.access.accounts import Account, new_account
from serving.access.actors import SERVICE, Actor
from serving.access.api_keys import new_key
from serving.access.callers import Caller
from serving.access.claims import person_elsewhere
from serving.access.published_keys import PublishedKeys
from serving.access.tokens import Tokens
from serving.errors import Conflict, PersonNeeded
from serving.models.kill_switch import decline_switching_on, record_switch, switch_on_by_two
from serving.review.acts.agree import agree
from serving.review.acts.claim import claim
from serving.review.acts.disagree import disagree
from serving.review.acts.order import order
from serving.review.acts.reopen import reopen
from serving.review.acts.state_result import state_result
from serving.review.cases.case_change import CaseChange
from serving.review.cases.case_of_decision import CASE
from serving.review.cases.case_state import Case
from serving.review.letters.case_letters import CaseLetter
from serving.review.letters.letter_rules import (
    confirm_deferral,
    defer_letter,
    release_letter,
    write_letter,
)
from serving.storage.repositories.account_repository import AccountRepository
from serving.storage.repositories.kill_switch_repository import KillSwitchRepository
from tests.serving.access.trusted import KEY, NOW, published, signed
from tests.serving.databases import database
from tests.serving.people import person
from tests.serving.refusals import refused_with
from tests.serving.review.cases.stated import FOUND, HOLD, INSPECT

ISSUER = "https://login.example"
AT = datetime(2026, 11, 24, 12, tzinfo=UTC)
WHY = "a reason in words"


def account(name: str, subject: str | None = None) -> Actor:
    return Account(name, "", "reviewer", (), AT, subject=subject).caller().actor


def key(name: str) -> Actor:
    return Caller.from_api_key(new_key(name, ("review",), (), AT)[0]).actor


@pytest.fixture(scope="module")
def believed(tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Actor]:
    """Whoever brings a token, as the service believes it."""
    file = tmp_path_factory.mktemp("trusted") / "keys.json"
    file.write_bytes(published(KEY))
    tokens = Tokens(PublishedKeys(str(file)), "tidegate", ISSUER, lambda: NOW)

    def caller(subject: str, client: str) -> Actor:
        claims = {"iss": ISSUER, "aud": "tidegate", "sub": subject, "client_id": client}
        return tokens.caller(signed(claims | {"exp": int(NOW.timestamp()) + 600})).actor

    return caller


OF_THE_ORGANISATION = {
    "account of the organisation": account("alpha", person_elsewhere(ISSUER, "u-7")),
    "account of the organisation, named apart": account(
        "alpha +2", person_elsewhere(ISSUER, "u-7")
    ),
}


@pytest.fixture(scope="module")
def alpha(believed: Callable[..., Actor]) -> dict[str, Actor]:
    """One human being, by every identity that tells the name."""
    return OF_THE_ORGANISATION | {
        "account": account("alpha"),
        "account in capitals": account("ALPHA"),
        "account with a point": account("alpha."),
        "account in other letters": account("\u0430lph\u0430"),
        "account in wide letters": account("\uff41lpha"),
        "account with a mark nobody sees": account("al\u200bpha"),
        "token": believed("alpha", "desktop-app"),
        "token by another client": believed("alpha", "mobile-app"),
    }


@pytest.fixture(scope="module")
def seven(believed: Callable[..., Actor]) -> dict[str, Actor]:
    """One human being, by every identity that tells who they are in their organisation."""
    return OF_THE_ORGANISATION | {
        "token": believed("u-7", "desktop-app"),
        "token by another client": believed("u-7", "mobile-app"),
    }


@pytest.fixture(scope="module")
def machines(believed: Callable[..., Actor]) -> dict[str, Actor]:
    """What is no human being, or cannot be told to be one."""
    return {
        "token of a program": believed("alpha", "alpha"),
        "key of that name": key("alpha"),
        "key of another name": key("desk"),
        "command": Actor.from_command_line(),
        "service": SERVICE,
    }


def kept(change: CaseChange) -> Case:
    """The case after an act, as it is stored and read again."""
    return CASE.validate_json(CASE.dump_json(change[0]))


def proposed(first: Actor) -> Case:
    """A case with an offence that a first person proposed."""
    claimed = kept(claim(Case("c"), first, AT))
    ordered = kept(order(claimed, first, AT, INSPECT))
    return kept(state_result(ordered, first, AT, FOUND))


def viewed(case: Case, second: Actor) -> Case:
    """The same, once a second person has said what they think."""
    return kept(state_result(kept(claim(case, second, AT)), second, AT, FOUND))


def end_adversely(first: Actor, second: Actor) -> bool:
    judging = viewed(proposed(first), second)
    return kept(agree(judging, second, AT)).status == "closed"


def hold_goods(first: Actor, second: Actor) -> bool:
    claimed = kept(claim(Case("c"), first, AT))
    held = kept(order(claimed, first, AT, HOLD))
    again = kept(order(kept(claim(held, second, AT)), second, AT, INSPECT))
    return kept(agree(again, second, AT)).action == HOLD


ENDED = Case("c", "closed", person("two"), action=INSPECT, result=FOUND)
ENDED = replace(ENDED, ended_by=(person("one"), person("two")))


def open_again(first: Actor, second: Actor) -> bool:
    asked = kept(reopen(ENDED, first, AT, WHY))
    if asked.status == "open":
        return True
    return kept(reopen(asked, second, AT, WHY)).status == "open"


def overrule_an_end(first: Actor, second: Actor) -> bool:
    judging = viewed(proposed(first), second)
    return kept(disagree(judging, second, AT, WHY)).proposal != judging.proposal


def release_a_letter(first: Actor, second: Actor) -> bool:
    letter = CaseLetter("consignee", "c-1", WHY, "{}", "sha256:0", first, AT)
    written = kept(write_letter(ENDED, letter))
    released = kept(release_letter(written, second, AT, "consignee", WHY))
    return released.letters[0].released_at is not None


def hold_letters_back(first: Actor, second: Actor) -> bool:
    until = AT + timedelta(days=30)
    held = kept(defer_letter(ENDED, first, AT, "security", until, WHY))
    agreed = kept(confirm_deferral(held, second, AT))
    return agreed.deferral is not None and agreed.deferral.ends_at == until


ACTS = [
    end_adversely,
    hold_goods,
    open_again,
    overrule_an_end,
    release_a_letter,
    hold_letters_back,
]
REFUSED = (PersonNeeded, Conflict, Conflict, Conflict, Conflict)


def pairs(*people: dict[str, Actor]) -> Iterator[tuple[str, Actor, Actor]]:
    """Every pair of identities of one human being, an identity with itself too."""
    for identities in people:
        for (one, first), (other, second) in product(identities.items(), repeat=2):
            yield f"{one}, then {other}", first, second


@pytest.mark.parametrize("act", ACTS)
def test_no_act_of_two_persons_is_done_by_one(
    act: Any, alpha: dict[str, Actor], seven: dict[str, Actor], machines: dict[str, Actor]
) -> None:
    for words, first, second in pairs(alpha | machines, seven | machines):
        try:
            is_done = act(first, second)
        except REFUSED:
            continue
        assert not is_done, words


@pytest.mark.parametrize("act", ACTS)
def test_two_persons_do_it_by_whatever_door_each_comes(
    act: Any,
    alpha: dict[str, Actor],
    seven: dict[str, Actor],
    believed: Callable[..., Actor],
) -> None:
    others = (
        account("beta"),
        believed("beta", "desktop-app"),
        account("beta +2", person_elsewhere(ISSUER, "u-9")),
    )

    for first, second in product((alpha | seven).values(), others):
        assert act(first, second)
        assert act(second, first)


@pytest.mark.parametrize("act", ACTS)
def test_nobody_but_a_person_is_one_of_two(act: Any, machines: dict[str, Actor]) -> None:
    for machine in machines.values():
        for first, second in ((machine, account("beta")), (account("beta"), machine)):
            with pytest.raises(REFUSED):
                act(first, second)


@pytest.fixture(scope="module")
def known_to_chief(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Actor]:
    """An admin, and all into whose accounts they could sign in, as sessions tell them."""
    accounts = AccountRepository(database(tmp_path_factory.mktemp("made") / "log.db"))
    chief = new_account("chief", "a password for tests", "admin", (), AT)
    names = {"who makes accounts": "chief", "made": "nour", "made too": "omar", "reset": "vera"}
    for name, by in (("chief", SERVICE), ("nour", chief), ("omar", chief), ("vera", SERVICE)):
        bare = replace(chief, name=name)
        accounts.add_account(bare, by.actor if isinstance(by, Account) else by)
    accounts.set_password(replace(chief, name="vera"), AT, chief.actor)
    return {
        words: account(name).with_possible_persons(accounts.one_person_with(name, AT))
        for words, name in names.items()
    }


@pytest.mark.parametrize("act", ACTS)
def test_whoever_knows_a_colleagues_first_password_is_no_second_person(
    act: Any, known_to_chief: dict[str, Actor]
) -> None:
    for words, first, second in pairs(known_to_chief):
        with pytest.raises(REFUSED):
            assert act(first, second), words
    for each in known_to_chief.values():
        assert act(each, account("beta"))
        assert act(account("beta"), each)


def test_models_are_switched_on_by_two_persons_alone(
    where: Path | str,
    alpha: dict[str, Actor],
    seven: dict[str, Actor],
    machines: dict[str, Actor],
    known_to_chief: dict[str, Actor],
) -> None:
    switches = KillSwitchRepository(database(where))

    with_machines = [
        (words, *pair)
        for words, each in machines.items()
        for pair in ((each, account("beta")), (account("beta"), each))
    ]
    by_one = (*pairs(seven, known_to_chief), *with_machines, *islice(pairs(alpha), 0, None, 3))
    for words, first, second in by_one:
        record_switch(switches, "route", is_on=False, by=SERVICE, because=WHY, at=AT)
        with suppress(PersonNeeded, Conflict):
            switch_on_by_two(switches, "route", first, WHY, AT)
            switch_on_by_two(switches, "route", second, WHY, AT)
        assert not switches.latest_by_kind()["route"].is_on, words

    record_switch(switches, "route", is_on=False, by=SERVICE, because=WHY, at=AT)
    switch_on_by_two(switches, "all", alpha["account"], WHY, AT)
    switch_on_by_two(switches, "route", account("beta"), WHY, AT)
    assert switches.latest_by_kind()["route"].is_on
    assert switches.proposals() == {}


def test_what_was_proposed_is_over_once_it_is_declined_or_switched(where: Path | str) -> None:
    switches = KillSwitchRepository(database(where))
    one, two = account("alpha"), account("beta")
    with pytest.raises(Conflict, match="are on"):
        switch_on_by_two(switches, "route", one, WHY, AT)
    with pytest.raises(Conflict, match="nobody proposes"):
        decline_switching_on(switches, "route", two, WHY, AT)

    record_switch(switches, "route", is_on=False, by=SERVICE, because=WHY, at=AT)
    switch_on_by_two(switches, "route", one, WHY, AT)
    with refused_with("same-reviewer"):
        decline_switching_on(switches, "route", one, WHY, AT)
    decline_switching_on(switches, "route", two, WHY, AT)
    assert switches.proposals() == {}

    switch_on_by_two(switches, "route", two, WHY, AT)
    assert switches.proposals()["route"].by == two
    record_switch(switches, "route", is_on=False, by=SERVICE, because=WHY, at=AT)
    assert switches.proposals() == {}
    switch_on_by_two(switches, "route", one, WHY, AT)
    assert not switches.latest_by_kind()["route"].is_on
