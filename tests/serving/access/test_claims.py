"""Claims of tokens: found where a path leads, and what can be said of them."""

from typing import Any

import pytest

from serving.access.claims import (
    claim_at,
    has_possible_times,
    is_identifier,
    is_of_human,
    person_elsewhere,
    texts_in,
)

NESTED = {
    "realm_access": {"roles": ["a"]},
    "resource_access": {"tide.gate": {"roles": ["b"]}, "tidegate": {"roles": ["c"]}},
    "a.b": "whole",
    "a": {"b": "by path", "": 1},
    "back\\slash": {"x": "d"},
}


@pytest.mark.parametrize(
    ("path", "claim"),
    [
        ("realm_access.roles", ["a"]),
        (r"resource_access.tide\.gate.roles", ["b"]),
        ("resource_access.tidegate.roles", ["c"]),
        ("resource_access.tide.gate.roles", None),
        ("a.b", "whole"),
        (r"back\\slash.x", "d"),
        ("realm_access.roles.a", None),
        ("realm_access.none.a", None),
        ("none", None),
        ("", NESTED),
    ],
)
def test_a_claim_is_found_where_a_path_leads(path: str, claim: Any) -> None:
    assert claim_at(NESTED, path) == claim


@pytest.mark.parametrize(
    ("claim", "texts"),
    [(None, []), ("a b", ["a b"]), (["a", "b"], ["a", "b"]), ([], []), (7, None), (["a", 7], None)],
)
def test_texts_are_one_or_a_list(claim: Any, texts: list[str] | None) -> None:
    assert texts_in(claim) == texts


def test_a_text_is_parted_where_it_names_several() -> None:
    assert texts_in("a  b", split=True) == ["a", "b"]


@pytest.mark.parametrize("name", ["exp", "nbf", "iat", "auth_time"])
def test_a_time_is_a_second_that_a_calendar_has(name: str) -> None:
    for possible in (0, 253_402_300_799, 1.5e9):
        assert has_possible_times({name: possible})
    for impossible in (-1, 253_402_300_800, float("nan"), float("inf"), True, None, "1", 10**400):
        assert not has_possible_times({name: impossible})


def test_an_identifier_is_printable_and_short() -> None:
    assert is_identifier("x" * 200)
    assert is_identifier("auth0|abc def")
    for wrong in ("", "x" * 201, "a\x00", "a\u202e", "a\ud800", 7, None):
        assert not is_identifier(wrong)


def test_whoever_cannot_be_told_from_a_program_is_no_person() -> None:
    assert is_of_human({"sub": "u", "azp": "c"}, "u")
    assert not is_of_human({"sub": "u"}, "u")
    for claim in ("azp", "client_id", "cid", "appid"):
        assert not is_of_human({"sub": "u", claim: "u"}, "u")
        assert not is_of_human({"sub": "u", claim: "u"}, "another name of it")


def test_one_person_is_named_by_issuer_and_subject() -> None:
    assert person_elsewhere("https://login.example", "u-1") == "https://login.example u-1"
