"""Roles: the scopes that each has."""

from serving.access.roles import ROLE_SCOPES


def test_each_role_allows_what_it_is_for_and_nothing_else() -> None:
    assert {
        "reviewer": {"review", "explain"},
        "supervisor": {"review", "explain", "supervise", "switch"},
        "rescue": {"review", "explain", "rescue"},
        "data_scientist": {"study"},
        "auditor": {"audit", "explain", "supervise", "study"},
        "admin": {"administer", "switch"},
    } == ROLE_SCOPES
