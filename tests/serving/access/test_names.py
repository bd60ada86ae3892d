"""Names of accounts and keys: one way to write each, and none that looks like another."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.person_names import base_of, may_be_one_person
from serving.access.errors import NameTaken
from serving.access.names import (
    MAX_NAME_LENGTH,
    RESERVED,
    distinct_name,
    normalise_name,
    require_free,
    require_name,
)
from serving.errors import Unprocessable

CYRILLIC_A = "\u0430"


@pytest.mark.parametrize(
    "name",
    [
        "alpha",
        "Ada Lovelace",
        "O'Neil",
        "border-1",
        "j.b+x@example.org",
        "Иван Петров",
        "山田たろう",
        "山田",
        "马龙",
    ],
)
def test_a_name_in_one_script_and_single_blanks_is_taken(name: str) -> None:
    assert require_name(name) == name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("", "letters or digits"),
        ("...", "letters or digits"),
        ("x" * (MAX_NAME_LENGTH + 1), "at most 64"),
        ("\uff41lpha", "`alpha`"),
        ("al  pha", "`al pha`"),
        (" alpha", "`alpha`"),
        ("alpha\n", "`alpha`"),
        ("alpha\u200b", "`alpha`"),
        ("alpha\u202e", "`alpha`"),
        ("al\x00pha", "`alpha`"),
        ("al\ud800pha", "`alpha`"),
        ("account:alpha", "`accountalpha`"),
        ("<b>alpha", "`balpha`"),
        ("alpha +2", "reserved for accounts"),
        ("alpha+2", "reserved for accounts"),
        (f"alph{CYRILLIC_A}", "several scripts"),
        ("αlpha", "several scripts"),
    ],
)
def test_a_name_that_could_be_read_in_two_ways_is_refused(name: str, words: str) -> None:
    with pytest.raises(Unprocessable, match=words):
        require_name(name)


LIKE_ALPHA = ["alpha", "Alpha", "ALPHA", "alpha.", "al pha", "álpha", "A1PHA", "aIpha", "al-pha"]


@pytest.mark.parametrize("name", [*LIKE_ALPHA, f"{CYRILLIC_A}lph{CYRILLIC_A}", "\uff41lpha"])
def test_what_looks_like_a_name_is_taken_with_it(name: str) -> None:
    with pytest.raises(NameTaken, match="`alpha` is or was in use"):
        require_free(name, ["beta", "alpha"])


@pytest.mark.parametrize("name", RESERVED)
def test_nobody_is_called_as_the_service_is(name: str) -> None:
    with pytest.raises(NameTaken):
        require_free(name, [])


def test_who_is_refused_a_name_is_told_one_that_is_free() -> None:
    with pytest.raises(NameTaken, match="`alpha-3` is free"):
        require_free("alpha", ["alpha", "Alpha 2"])
    require_free("alpha-3", ["alpha", "Alpha 2"])


@given(st.text(max_size=70))
def test_a_name_looks_the_same_in_every_form(name: str) -> None:
    near = normalise_name(name)

    assert normalise_name(near) == near
    for same in (near.upper(), near.lower(), near.title(), f" {near}.", f"{near}\u200b"):
        is_same_name = normalise_name(same).casefold().strip(" .") == near.casefold().strip(" .")
        if is_same_name:  # capitals of some scripts have no small letter
            assert may_be_one_person(same, near)


@given(st.text(max_size=80), st.lists(st.text(max_size=20), max_size=5), st.text(max_size=9))
def test_whatever_others_call_somebody_they_have_a_name_of_their_own(
    wanted: str, taken: list[str], subject: str
) -> None:
    name = distinct_name(wanted, subject, taken)

    assert normalise_name(name) == name
    assert require_name(base_of(name)) == base_of(name)
    require_free(name, taken)
