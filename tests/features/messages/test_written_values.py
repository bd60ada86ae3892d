"""What messages may write for a number or an instant, and nothing else."""

from datetime import UTC, datetime

import pytest

from features.messages.element import Element
from features.messages.grammar import CLOCK
from features.messages.written_values import decimal_of, instant_of


@pytest.mark.parametrize("text", ["١٢٣", "１２", "1٫5", "1e٣", "-٣", ".٣"])
def test_digits_of_other_scripts_are_no_number(text: str) -> None:
    assert decimal_of(text) is None


def test_a_leap_second_is_the_one_before_and_none_after_it_is_any() -> None:
    assert instant_of("2016-12-31T23:59:60Z", UTC) == (
        datetime(2016, 12, 31, 23, 59, 59, tzinfo=UTC),
        True,
    )
    for second in range(61, 100):
        assert instant_of(f"2021-03-10T11:00:{second}Z", UTC) is None
        assert not CLOCK.is_met(Element("Time", "/", "text", f"11:00:{second}"))
    assert CLOCK.is_met(Element("Time", "/", "text", "23:59:60"))
