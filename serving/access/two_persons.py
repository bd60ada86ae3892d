"""Rules for acts that need two people.

Keys, commands and the service are not people; a person is a human being who signed in, by any
means. Identities that look alike count as one person: an act refused for that reason can still be
done by a third person.
"""

from serving.access.actors import Actor
from serving.errors import Conflict, PersonNeeded


def require_person(actor: Actor, words: str | None = None) -> None:
    """Raise PersonNeeded, with `words` if given, unless the actor is known to be a human being."""
    if not actor.is_human:
        raise PersonNeeded(
            words or "this takes a person: sign in with an account or a token of your own"
        )


def require_second_person(first: Actor, second: Actor, words: str) -> None:
    """Raise PersonNeeded for a machine, and Conflict if both could be the same person."""
    require_person(second)
    if first.may_be(second):
        raise Conflict(words, code="same-reviewer")
