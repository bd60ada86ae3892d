"""Roles of accounts, and the scopes of each role.

An account has one role, so that those who judge cases do not manage accounts, and those who study
models see no identities. Rescue and enforcement are separate: those who rescue may do nothing
else, so that nothing learned in a rescue leads to an inspection, and no helper judges the people
helped.
"""

from collections.abc import Iterable
from typing import Literal, get_args

# Maximum length of the name of an account, key or team, in characters.
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
    "exchange",
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
    """Return the effective scopes: `rescue` excludes all others."""
    wanted = frozenset(scopes)
    return frozenset({"rescue"}) if "rescue" in wanted else wanted


assert ROLE_SCOPES.keys() == set(get_args(Role))
