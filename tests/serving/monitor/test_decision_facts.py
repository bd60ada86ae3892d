"""What a decision is counted as, and by which probability it weighs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.monitor.decision_facts import NOT_INSPECTED, drawn_at
from serving.monitor.selection_strata import probability_of


@given(st.floats(1e-9, 1.0))
def test_a_probability_is_read_back_within_a_fifth_and_certain_where_it_was(drawn: float) -> None:
    read = probability_of(NOT_INSPECTED.format(share=drawn_at(drawn)))

    assert abs(read - drawn) <= 0.2 * drawn * (1 + 1e-8)
    assert (read == 1) == (drawn > 1 - 1e-9)


@pytest.mark.parametrize(
    ("drawn", "said"),
    [
        *((0.06, "0.06"), (0.07, "0.07"), (0.08, "0.08"), (0.6, "0.6"), (0.9, "0.9")),
        *((0.01, "0.01"), (0.0124, "0.01"), (0.0476, "0.05"), (0.0976, "0.1"), (0.96, "0.95")),
        *((0.0, "0"), (1.0, "1"), (0.7 / (1 - 0.3), "1"), (1 - 2e-16, "1"), (0.999, "0.95")),
    ],
)
def test_a_probability_is_named_by_the_nearest_half_of_its_first_digit(
    drawn: float, said: str
) -> None:
    assert drawn_at(drawn) == said
