"""People and machines who act, and the same person through several doors."""

from serving.access.actors import Actor
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.reviewer import Reviewer


def person(name: str) -> Actor:
    """The holder of an account."""
    return Actor(f"account:{name}", name, f"account:{name}")


def machine(name: str) -> Actor:
    """The holder of a key."""
    return Actor(f"key:{name}", name)


def stored(actor: Actor) -> dict[str, str]:
    """An actor as a case or an event holds it."""
    return {name: getattr(actor, name) for name in ("identity", "name", "person")}


def reviewer(name: str, *, is_rescue: bool = False) -> Reviewer:
    """The holder of an account, who sees cases of all offices."""
    return Reviewer(person(name), CaseAccess(frozenset(), is_rescue=is_rescue))


ONE, TWO, THREE, CHIEF = map(person, ("one", "two", "three", "chief"))
