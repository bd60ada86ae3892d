"""Names of persons, compared."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.person_names import looks_of, may_be_one_person, names_somebody

UNSEEN = ("\u200b", "\u200d", "\ufeff", "\u00ad", "\u2060", " ", ".", "\u0301")


@pytest.mark.parametrize(
    "typed", ["alpha\u200b", "\u0430lpha", "alpha.", " ALPHA ", "\uff41lpha", "al\u00adpha"]
)
def test_what_looks_like_a_name_is_that_name(typed: str) -> None:
    assert may_be_one_person(typed, "alpha")


@given(name=st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1), data=st.data())
def test_one_name_stays_one_however_it_is_typed(name: str, data: st.DataObject) -> None:
    alike = {"a": "\u0430", "e": "\u0435", "o": "\u03bf"}
    typed = "".join(
        data.draw(st.sampled_from((letter, letter.upper(), alike.get(letter, letter))))
        + data.draw(st.sampled_from(("", *UNSEEN)))
        for letter in name
    )
    form = data.draw(st.sampled_from(("NFC", "NFD", "NFKC", "NFKD")))

    again = unicodedata.normalize(form, typed)
    assert may_be_one_person(again, name)
    assert names_somebody(again)


@given(
    one=st.text("abcdefghijklmnopqrstuvwxyz", min_size=1),
    other=st.text("abcdefghijklmnopqrstuvwxyz", min_size=1),
)
def test_names_of_other_letters_are_of_others(one: str, other: str) -> None:
    """Of Latin letters `I` and `l` look alike, and `rn` and `m`: those names are of one."""
    seen_one, seen_other = (name.replace("i", "l").replace("m", "rn") for name in (one, other))

    assert may_be_one_person(one, other) is (seen_one == seen_other)


@given(
    latin=st.text("bdfgkqtz", min_size=1),
    cyrillic=st.text("джлфцшщэюя", min_size=1),
    greek=st.text("δθλξψω", min_size=1),
)
def test_names_in_letters_that_look_like_none_of_another_script_are_of_others(
    latin: str, cyrillic: str, greek: str
) -> None:
    assert not may_be_one_person(latin, cyrillic)
    assert not may_be_one_person(cyrillic, greek)
    assert not may_be_one_person(greek, latin)


@pytest.mark.parametrize(
    ("one", "other"),
    [("Иван", "Ivan"), ("Γιώργος", "Giorgos"), ("山田", "Yamada"), ("Иван Петров", "Иван Павлов")],
)
def test_what_is_transliterated_is_another_name(one: str, other: str) -> None:
    """An admin gives nobody two accounts; letters alone cannot tell that these two are one."""
    assert not may_be_one_person(one, other)


@pytest.mark.parametrize(("one", "other"), [("Рор", "Pop"), ("АТЕ", "ATE"), ("ΒΟΒ", "BOB")])
def test_names_in_other_letters_that_look_the_same_may_be_of_one(one: str, other: str) -> None:
    assert may_be_one_person(one, other)


@pytest.mark.parametrize("nobody", ["", "  ", "\u200b", "-"])
def test_whoever_has_no_name_may_be_anybody(nobody: str) -> None:
    assert not names_somebody(nobody)
    assert looks_of(nobody) == {""}
    assert may_be_one_person(nobody, "alpha")
    assert may_be_one_person("alpha", nobody)
