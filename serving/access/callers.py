"""Callers: the scopes, offices and purposes of a request's sender."""

from dataclasses import dataclass
from typing import Self

from serving.access.actors import Actor
from serving.access.api_keys import ApiKey
from serving.access.roles import Scope, separated
from serving.errors import Forbidden, RequestFault


@dataclass(frozen=True)
class Caller:
    """Holder of a valid key, token or session.

    Empty offices mean all offices.

    `purposes` are those the caller may act for; empty means the installation's purpose. A caller
    with the scope `rescue` loses all other scopes. See `Actor` for `possible_persons`.
    """

    key_id: str
    name: str
    scopes: frozenset[Scope]
    offices: frozenset[str]
    purposes: frozenset[str] = frozenset()
    person: str = ""
    possible_persons: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "scopes", separated(self.scopes))

    @classmethod
    def from_api_key(cls, key: ApiKey) -> Self:
        """Return the caller behind a key, the same before and after a rotation."""
        return cls(
            key.holder,
            key.name,
            frozenset(key.scopes),
            frozenset(key.offices),
            frozenset(key.purposes),
        )

    @property
    def actor(self) -> Actor:
        """Actor for what this caller does."""
        is_key = ":" not in self.key_id
        identity = f"key:{self.key_id}" if is_key else self.key_id
        return Actor(identity, self.name, self.person).with_possible_persons(self.possible_persons)

    def may(self, scope: Scope) -> bool:
        """Return whether the caller has this scope."""
        return scope in self.scopes

    def require(self, *scopes: Scope) -> None:
        """Raise Forbidden unless the caller has one of the scopes."""
        if not any(map(self.may, scopes)):
            raise Forbidden(f"this needs a key with the scope {' or '.join(scopes)}")

    def office_for(self, office_id: str | None) -> str | None:
        """Return the office of a new decision; raises Forbidden for an office not the caller's.

        A subject without an office gets the caller's office if there is exactly one.
        """
        if office_id is None:
            return next(iter(self.offices)) if len(self.offices) == 1 else None
        if self.offices and office_id not in self.offices:
            says = "the subject names an office that this key is not tied to"
            fault = RequestFault("/shipment/office_id", "foreign_office", says)
            raise Forbidden(says, (fault,))
        return office_id
