"""Who may change a case that somebody works on."""

from dataclasses import replace

from serving.access.actors import Actor
from serving.review.acts.give_back import give_back
from tests.serving.people import ONE, TWO
from tests.serving.refusals import refused_with
from tests.serving.review.cases.states import AT, MINE, OPEN


def test_whoever_held_a_case_under_a_name_alone_holds_it_still() -> None:
    held = replace(MINE, owner=Actor.stored("one", None))

    assert give_back(held, ONE, AT)[0] == OPEN
    for other in (
        TWO,
        Actor("token:https://login.example|one", "one", "https://login.example one"),
    ):
        with refused_with("not-yours"):
            give_back(held, other, AT)
