"""Who acts: an identity that never changes, and a name to show beside it.

Identities compare; names never do. `account:NAME`, `key:KEY_ID`, `token:ISSUER|SUBJECT`,
`cli:UID@HOST`, and `service` for what the service does by itself. What an older release wrote has a
name alone: `former:NAME`.
"""

import os
import pwd
import socket
from dataclasses import dataclass, replace
from typing import Annotated, Self

from pydantic import BeforeValidator

from features.person_names import base_of, may_be_one_person

FORMER = "former:"
# Kinds whose names nobody else can have.
_NAMED_HERE = ("account", "key")


@dataclass(frozen=True)
class Actor:
    """Whoever acts or reads.

    `person` is what acts of two persons are compared by: one human being has one, through whatever
    door; it is empty for machines and for whoever cannot be told apart, who are never a person.
    """

    identity: str
    name: str
    person: str = ""

    @property
    def possible_persons(self) -> frozenset[str]:
        """Persons who may be behind it for now, or it behind them: one gave the other a password.

        It is no field, since no record of who acted has it.
        """
        persons: frozenset[str] = self.__dict__.get("_possible_persons", frozenset())
        return persons

    def with_possible_persons(self, persons: frozenset[str]) -> Self:
        """The same, behind whom these persons may be."""
        same = replace(self)
        same.__dict__["_possible_persons"] = persons
        return same

    @property
    def kind(self) -> str:
        """The kind of the identity: `account`, `key`, `token`, `cli`, `former` or `service`."""
        return self.identity.partition(":")[0]

    @property
    def is_human(self) -> bool:
        """Return whether this is known to be a human being, who counts as one of two."""
        return self.person != ""

    @property
    def shown(self) -> str:
        """The name as a history shows it: nobody passes for the holder of an account."""
        if self.kind in ("key", "token"):
            return f"{self.name} ({self.kind})"
        return f"{self.name} (command line)" if self.kind == "cli" else self.name

    def is_holder(self, holder: Self | None) -> bool:
        """Return whether this holds something; a former name is that of an account or key here."""
        if holder is None:
            return False
        if holder.kind == "former":
            return self.kind in _NAMED_HERE and self.name == holder.name
        is_person = self.is_human and self.person == holder.person
        return is_person or self.identity == holder.identity

    def may_be(self, other: Self) -> bool:
        """Return whether the two could be one human being; what looks alike could be."""
        if self.identity == other.identity:
            return True
        are_human = self.is_human and other.is_human
        is_one_person = are_human and any(
            may_be_one_person(mine, theirs)
            for mine in (self.person, *self.possible_persons)
            for theirs in (other.person, *other.possible_persons)
        )
        return is_one_person or may_be_one_person(base_of(self.name), base_of(other.name))

    @classmethod
    def stored(cls, identity: str, name: str | None) -> Self:
        """An actor as it was stored; without a name beside it, by an older release."""
        return cls(f"{FORMER}{identity}", identity) if name is None else cls(identity, name)

    @classmethod
    def from_command_line(cls) -> Self:
        """Whoever runs this process: the user of the operating system, on this host."""
        user, host = os.getuid(), socket.gethostname()
        try:
            name = pwd.getpwuid(user).pw_name
        except KeyError:  # a container may run as a user that nobody named
            name = str(user)
        return cls(f"cli:{user}@{host}", name)


def _stored(value: object) -> object:
    return Actor.stored(value, None) if isinstance(value, str) else value


# An actor in what is stored; an older release stored a bare name.
StoredActor = Annotated[Actor, BeforeValidator(_stored)]

SERVICE = Actor("service", "the service itself")
