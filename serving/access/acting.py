"""The actor of a call or command, and extra details for its audit event.

A call begins before its caller is known. Authentication sets the actor as soon as it is, and all
code of that call, in any of its threads, can look it up.
"""

from contextvars import ContextVar
from typing import Any

from serving.access.actors import SERVICE, Actor


class Acting:
    """One call or command: its actor, and further details of its audit event."""

    def __init__(self, actor: Actor):
        self.actor = actor
        self.details: dict[str, Any] = {}


_acting: ContextVar[Acting | None] = ContextVar("_acting", default=None)


def begin_acting(actor: Actor = SERVICE) -> Acting:
    """Begin a call or command, which counts as the service's own until the caller is known."""
    acting = Acting(actor)
    _acting.set(acting)
    return acting


def identify(actor: Actor) -> None:
    """Set the actor of the current call."""
    if acting := _acting.get():
        acting.actor = actor


def current_actor() -> Actor:
    """Return the current actor: the caller, the user of a command, or the service itself."""
    acting = _acting.get()
    return acting.actor if acting else SERVICE


def add_audit_details(**details: Any) -> None:
    """Add details to the audit event of this call: ids of what was shown, counts, a version.

    They must contain neither ids of parties nor text that a person wrote.
    """
    if acting := _acting.get():
        acting.details.update(details)
