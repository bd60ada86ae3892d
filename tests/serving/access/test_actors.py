"""Who acts: identities compare, names never do, and nobody passes for somebody else."""

import os
import pwd
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.access.actors import SERVICE, Actor

ADA = Actor("account:ada", "ada", "account:ada")
ADAS_TOKEN = Actor("token:https://login.example|17", "ada +2", "account:ada")
KEY = Actor("key:80391c4d5a74", "harbour")
SHELL = Actor("cli:1000@host", "root")
KINDS = ("account", "key", "token", "cli")

actors = st.builds(
    lambda kind, name, person: Actor(f"{kind}:{name}", name, person),
    st.sampled_from(KINDS),
    st.sampled_from(("ada", "Ada", "bo", "eve")),
    st.sampled_from(("", "account:ada", "account:bo", "account:eve")),
)


@pytest.mark.parametrize(
    ("actor", "kind", "is_human", "shown"),
    [
        (ADA, "account", True, "ada"),
        (ADAS_TOKEN, "token", True, "ada +2 (token)"),
        (KEY, "key", False, "harbour (key)"),
        (SHELL, "cli", False, "root (command line)"),
        (SERVICE, "service", False, "the service itself"),
    ],
)
def test_an_actor_is_shown_with_the_kind_that_it_is_not_an_account_of(
    actor: Actor, kind: str, is_human: bool, shown: str
) -> None:
    assert (actor.kind, actor.is_human, actor.shown) == (kind, is_human, shown)


def test_a_kind_ends_at_the_first_colon() -> None:
    assert Actor("token:https://login.example|key:1", "x").kind == "token"


def test_whoever_holds_a_case_is_its_holder_through_any_door() -> None:
    assert ADA.is_holder(ADA)
    assert ADAS_TOKEN.is_holder(ADA)
    assert KEY.is_holder(Actor(KEY.identity, "renamed since"))
    assert not ADA.is_holder(None)
    assert not ADA.is_holder(Actor("account:bo", "bo", "account:bo"))


def test_an_equal_name_holds_nothing() -> None:
    assert not Actor("key:1", "ada").is_holder(ADA)
    assert not Actor("token:https://login.example|18", "ada", "18").is_holder(ADA)


def test_machines_that_are_nobody_are_not_one_another() -> None:
    assert not Actor("key:1", "harbour").is_holder(Actor("key:2", "harbour"))


@pytest.mark.parametrize(
    ("other", "may_be"),
    [
        (ADA, True),
        (Actor("account:ada", "renamed"), True),
        (Actor("token:https://login.example|17", "augusta", "account:ada"), True),
        (Actor("token:https://login.example|17", "augusta", "account:\u0430da"), True),
        (Actor("key:1", "Ada."), True),
        (Actor("cli:1000@host", "ada +2"), True),
        (Actor("account:bo", "bo", "account:bo"), False),
        (Actor("key:1", "bo"), False),
        (Actor("token:https://login.example|17", "bo", "17"), False),
    ],
)
def test_two_who_look_alike_could_be_one(other: Actor, may_be: bool) -> None:
    assert ADA.may_be(other) is may_be


def test_two_machines_that_are_nobody_are_not_alike_for_that() -> None:
    assert not Actor("key:1", "harbour").may_be(Actor("key:2", "airport"))


@given(actors, actors)
def test_who_could_be_whom_holds_both_ways(one: Actor, other: Actor) -> None:
    assert one.may_be(one)
    assert one.may_be(other) == other.may_be(one)


def test_whoever_runs_a_command_is_a_user_of_this_host_and_no_known_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    user, host = os.getuid(), socket.gethostname()
    named = Actor.from_command_line()

    def unknown(_: int) -> pwd.struct_passwd:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    nameless = Actor.from_command_line()

    assert named == Actor(f"cli:{user}@{host}", named.name)
    assert not named.is_human
    assert named.name == os.popen("id -un").read().strip()
    assert nameless == Actor(f"cli:{user}@{host}", str(user))
