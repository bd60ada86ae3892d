"""Actors: an identity that never changes, and a name for display.

Only identities are compared, never names. They are `account:NAME`, `key:KEY_ID`,
`token:ISSUER|SUBJECT`, `cli:UID@HOST`, and `service` for the service itself.
"""

import os
import pwd
import socket
from dataclasses import dataclass, replace
from typing import Self

from features.person_names import base_of, may_be_one_person


@dataclass(frozen=True)
class Actor:
    """Someone or something that acts or reads.

    `person` is compared where an act needs two people: a human being has one value, however they
    signed in. It is empty for machines and for anyone who cannot be told apart from one; these
    never count as a person.
    """

    identity: str
    name: str
    person: str = ""

    @property
    def possible_persons(self) -> frozenset[str]:
        """People who could currently act under this identity, or it under theirs.

        This is the case after one gave the other a password. It is not a dataclass field, because
        no record of an act stores it.
        """
        persons: frozenset[str] = self.__dict__.get("_possible_persons", frozenset())
        return persons

    def with_possible_persons(self, persons: frozenset[str]) -> Self:
        """Return the same actor with these possible people."""
        same = replace(self)
        same.__dict__["_possible_persons"] = persons
        return same

    @property
    def kind(self) -> str:
        """Kind of the identity: `account`, `key`, `token`, `cli` or `service`."""
        return self.identity.partition(":")[0]

    @property
    def is_human(self) -> bool:
        """Return whether this is known to be a human being, who counts as one of two people."""
        return self.person != ""

    @property
    def shown(self) -> str:
        """Name for display, marked so that nobody can pass for the holder of an account."""
        if self.kind in ("key", "token"):
            return f"{self.name} ({self.kind})"
        return f"{self.name} (command line)" if self.kind == "cli" else self.name

    def is_holder(self, holder: Self | None) -> bool:
        """Return whether this actor holds something."""
        if holder is None:
            return False
        is_person = self.is_human and self.person == holder.person
        return is_person or self.identity == holder.identity

    def may_be(self, other: Self) -> bool:
        """Return whether two actors could be the same human being, which includes similar names."""
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
    def from_command_line(cls) -> Self:
        """Return the user of the operating system who runs this process, on this host."""
        user, host = os.getuid(), socket.gethostname()
        try:
            name = pwd.getpwuid(user).pw_name
        # Containers may run as a user id without a name.
        except KeyError:
            name = str(user)
        return cls(f"cli:{user}@{host}", name)


SERVICE = Actor("service", "the service itself")
