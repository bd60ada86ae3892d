"""Names of persons, compared."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.person_names import comparable_name, may_be_one_person

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

    assert comparable_name(unicodedata.normalize(form, typed)) == comparable_name(name)


@given(
    one=st.text("abcdefghijklmnopqrstuvwxyz", min_size=1),
    other=st.text("abcdefghijklmnopqrstuvwxyz", min_size=1),
)
def test_names_of_other_letters_are_of_others(one: str, other: str) -> None:
    assert may_be_one_person(one, other) is (one == other)


@pytest.mark.parametrize("nobody", ["", "  ", "\u200b", "-"])
def test_whoever_has_no_name_may_be_anybody(nobody: str) -> None:
    assert comparable_name(nobody) == ""
    assert may_be_one_person(nobody, "alpha")
    assert may_be_one_person("alpha", nobody)
