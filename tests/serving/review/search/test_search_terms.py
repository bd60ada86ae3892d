"""How a search is read, and its codes: what begins alike has codes that begin alike."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.crypto.prefix_codes import MAX_SYMBOLS, MIN_SYMBOLS, prefix_code, prefix_span
from serving.errors import Unprocessable
from serving.review.search.search_terms import normalised, read_search

KEY = b"a key for this test"
SYMBOLS = st.text("ab1", min_size=MIN_SYMBOLS, max_size=MAX_SYMBOLS + 3)


@pytest.mark.parametrize(
    "text", ["MSCU1234567", "mscu 123-4567", "MSCU/123.4567", "ｍｓｃｕ1234567"]
)
def test_case_width_and_separators_count_for_nothing(text: str) -> None:
    assert read_search(text) == "mscu1234567"


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("", "at least 3"),
        ("ab", "at least 3"),
        ("- - a - b -", "at least 3"),
        ("MSC*", "no wildcard"),
        ("MSCU%", "no wildcard"),
        ("MS?U123", "no wildcard"),
        ("MSCU\x00123", "control characters"),
        ("MSCU\n123", "control characters"),
        ("MSCU\ud800", "control characters"),
        ("MSCU\ue000", "control characters"),
        ("M" * 201, "at most 200"),
    ],
)
def test_what_cannot_be_searched_for_is_refused_with_what_is_wanted(text: str, want: str) -> None:
    with pytest.raises(Unprocessable) as refusal:
        read_search(text)

    (fault,) = refusal.value.faults
    assert (fault.pointer, want in fault.detail) == ("/q", True)
    assert text == "" or text not in str(refusal.value)


@given(st.text(max_size=12))
def test_any_text_is_searched_for_or_refused(text: str) -> None:
    with suppress(Unprocessable):
        assert read_search(text) == normalised(text)


@given(SYMBOLS, SYMBOLS)
def test_a_span_has_the_codes_of_whatever_begins_so(text: str, symbols: str) -> None:
    span = prefix_span(KEY, symbols)

    is_in = span.first <= prefix_code(KEY, text) <= span.last

    assert is_in == text.startswith(symbols[:MAX_SYMBOLS])


@given(SYMBOLS)
def test_a_code_is_another_under_another_key_and_shorter_for_a_shorter_text(text: str) -> None:
    assert prefix_code(KEY, text) != prefix_code(b"another key", text)
    assert len(prefix_code(KEY, text[:-1] + "x")) == len(prefix_code(KEY, text))
    assert prefix_code(KEY, text).startswith(prefix_span(KEY, text[:MIN_SYMBOLS]).first)
