"""Who counts as one of two persons, and when two are two."""

import pytest

from serving.access.actors import SERVICE, Actor
from serving.access.two_persons import require_person, require_second_person
from serving.errors import PersonNeeded
from tests.serving.people import ONE, TWO, machine, person
from tests.serving.refusals import refused_with

MACHINES = (machine("harbour"), Actor("cli:0@host", "root"), SERVICE)
WORDS = "someone else must agree"


@pytest.mark.parametrize("actor", MACHINES, ids=lambda actor: actor.identity)
def test_a_machine_is_neither_a_person_nor_the_second_of_two(actor: Actor) -> None:
    with pytest.raises(PersonNeeded, match="sign in with an account or a token of your own"):
        require_person(actor)
    with pytest.raises(PersonNeeded):
        require_second_person(ONE, actor, WORDS)


def test_two_holders_of_accounts_are_two_persons() -> None:
    require_person(ONE)
    require_second_person(ONE, TWO, WORDS)
    require_second_person(TWO, ONE, WORDS)


@pytest.mark.parametrize(
    "second",
    [
        ONE,
        person("One"),
        person("0ne"),
        person("\u043ene"),
        person("one +2"),
        Actor("token:https://login.example|1", "augusta", "account:one"),
        Actor("token:https://login.example|1", "one", "https://login.example 1"),
    ],
    ids=lambda second: f"{second.identity} {second.name}",
)
def test_who_could_be_the_first_is_not_the_second(second: Actor) -> None:
    with refused_with("same-reviewer", match=WORDS):
        require_second_person(ONE, second, WORDS)
    with refused_with("same-reviewer", match=WORDS):
        require_second_person(second, ONE, WORDS)
