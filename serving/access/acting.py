"""Who acts in a call or a command, and what of it the audit log is told, wherever it is known.

A call begins before anybody knows whose it is: the door says so as soon as the caller has shown it,
and whatever writes then, in whichever thread of that call, finds who acts.
"""

from contextvars import ContextVar
from typing import Any

from serving.access.actors import SERVICE, Actor


class Acting:
    """One call or command: who acts, and what its audit event tells besides."""

    def __init__(self, actor: Actor):
        self.actor = actor
        self.details: dict[str, Any] = {}


_acting: ContextVar[Acting | None] = ContextVar("_acting", default=None)


def begin_acting(actor: Actor = SERVICE) -> Acting:
    """Begin a call or a command, which acts for the service until it is known for whom."""
    acting = Acting(actor)
    _acting.set(acting)
    return acting


def identify(actor: Actor) -> None:
    """Say who acts, once the call has shown it."""
    if acting := _acting.get():
        acting.actor = actor


def whoever_acts() -> Actor:
    """Who acts here: the caller, whoever runs the command, or the service by itself."""
    acting = _acting.get()
    return acting.actor if acting else SERVICE


def tell_audit(**details: Any) -> None:
    """Let the audit event of this call tell more: ids of what was shown, counts, a version.

    Neither ids of parties nor words of a person.
    """
    if acting := _acting.get():
        acting.details.update(details)
