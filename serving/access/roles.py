"""Roles of accounts, and the scopes that each role has: who may do and see what.

Nobody has two roles, so that whoever judges cases is not who keeps accounts, and whoever studies
models sees no identities. Between rescue and enforcement stands a wall: whoever may rescue may do
nothing else, so that nothing of a rescue serves to inspect, and nobody helped is tried by a helper.
"""

from collections.abc import Iterable
from typing import Literal, get_args

# Characters in the name of an account, a key or a team.
MAX_NAME_LENGTH = 64


Scope = Literal[
    "score",
    "explain",
    "ingest",
    "events",
    "review",
    "rescue",
    "supervise",
    "study",
    "audit",
    "administer",
    "switch",
    "monitor",
]

Role = Literal["reviewer", "supervisor", "rescue", "data_scientist", "auditor", "admin"]

ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    "reviewer": frozenset({"review", "explain"}),
    "supervisor": frozenset({"review", "explain", "supervise", "switch"}),
    "rescue": frozenset({"rescue"}),
    "data_scientist": frozenset({"study"}),
    "auditor": frozenset({"audit", "explain", "supervise", "study"}),
    "admin": frozenset({"administer", "switch"}),
}


def separated(scopes: Iterable[Scope]) -> frozenset[Scope]:
    """The scopes that count: with that of rescue, none beside it."""
    wanted = frozenset(scopes)
    return frozenset({"rescue"}) if "rescue" in wanted else wanted


assert ROLE_SCOPES.keys() == set(get_args(Role))
