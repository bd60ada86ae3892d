"""Acts that take two persons: who counts as one, and when two are two.

A key, a command and the service are nobody; a person is a human being who signed in, by whatever
door. Who looks alike is taken for one person: what is refused so can be done by a third.
"""

from serving.access.actors import Actor
from serving.errors import Conflict, PersonNeeded


def require_person(actor: Actor, words: str | None = None) -> None:
    """Raise PersonNeeded, in these words, for anyone who is not known to be a human being."""
    if not actor.is_human:
        raise PersonNeeded(
            words or "this takes a person: sign in with an account or a token of your own"
        )


def require_second_person(first: Actor, second: Actor, words: str) -> None:
    """Raise PersonNeeded for a machine, Conflict for whoever could be the first."""
    require_person(second)
    if first.may_be(second):
        raise Conflict(words, code="same-reviewer")
