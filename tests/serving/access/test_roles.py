"""Roles: the scopes that each has."""

from itertools import combinations
from typing import get_args

from serving.access.callers import Caller
from serving.access.roles import ROLE_SCOPES, Scope


def test_each_role_allows_what_it_is_for_and_nothing_else() -> None:
    assert {
        "reviewer": {"review", "explain"},
        "supervisor": {"review", "explain", "supervise", "switch"},
        "rescue": {"rescue"},
        "data_scientist": {"study"},
        "auditor": {"audit", "explain", "supervise", "study"},
        "admin": {"administer", "switch"},
    } == ROLE_SCOPES


def test_whoever_may_rescue_may_do_nothing_else_whatever_was_asked_for() -> None:
    others = [scope for scope in get_args(Scope) if scope != "rescue"]
    for one, two in combinations(others, 2):
        caller = Caller("k", "n", frozenset({"rescue", one, two}), frozenset())
        assert caller.scopes == {"rescue"}
        assert Caller("k", "n", frozenset({one, two}), frozenset()).scopes == {one, two}
