"""Roles of accounts, and the scopes that each role has: who may do and see what.

Nobody has two roles, so that whoever judges cases is not who keeps accounts, and whoever studies
models sees no identities.
"""

from typing import Literal, get_args

Scope = Literal[
    "score",
    "explain",
    "ingest",
    "review",
    "rescue",
    "supervise",
    "study",
    "audit",
    "administer",
    "switch",
]

Role = Literal["reviewer", "supervisor", "rescue", "data_scientist", "auditor", "admin"]

ROLE_SCOPES: dict[Role, frozenset[Scope]] = {
    "reviewer": frozenset({"review", "explain"}),
    "supervisor": frozenset({"review", "explain", "supervise", "switch"}),
    "rescue": frozenset({"review", "explain", "rescue"}),
    "data_scientist": frozenset({"study"}),
    "auditor": frozenset({"audit", "explain", "supervise", "study"}),
    "admin": frozenset({"administer", "switch"}),
}
assert ROLE_SCOPES.keys() == set(get_args(Role))
