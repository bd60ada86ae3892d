from hypothesis import given
from hypothesis import strategies as st
from stdnum import iso6346

from features.derived.shipment import is_container_number

usual = st.from_regex(r"[A-Z]{3}[UJZR][0-9]{7}", fullmatch=True)
any_text = st.text("ABUZ0123456789 -.é", max_size=14)


@given(st.one_of(usual, any_text))
def test_a_container_number_is_judged_as_the_library_judges_it(text: str) -> None:
    assert is_container_number(text) == iso6346.is_valid(text)


@given(usual)
def test_exactly_one_check_digit_is_right_for_each_number(text: str) -> None:
    right = [d for d in "0123456789" if is_container_number(text[:10] + d)]

    assert len(right) == 1
