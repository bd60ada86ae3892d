"""Who acts: an identity that never changes, and a name to show beside it.

Identities compare; names never do. `account:NAME`, `key:KEY_ID`, `token:ISSUER|SUBJECT`,
`cli:UID@HOST`, and `service` for what the service does by itself.
"""

import os
import pwd
import socket
from dataclasses import dataclass
from typing import Self


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
    def is_human(self) -> bool:
        """Whether this is known to be a human being, who counts as one of two."""
        return self.person != ""

    @classmethod
    def from_command_line(cls) -> Self:
        """Whoever runs this process: the user of the operating system, on this host."""
        user, host = os.getuid(), socket.gethostname()
        try:
            name = pwd.getpwuid(user).pw_name
        except KeyError:  # a container may run as a user that nobody named
            name = str(user)
        return cls(f"cli:{user}@{host}", name)


SERVICE = Actor("service", "the service itself")
