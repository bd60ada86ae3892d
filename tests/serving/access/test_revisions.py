"""What was stated of a thing has one name, and another once any of it changes."""

from hypothesis import given
from hypothesis import strategies as st

from serving.access.revisions import revision_of

STATED = st.lists(st.one_of(st.none(), st.text(max_size=3), st.lists(st.text(max_size=2))))


@given(STATED, STATED)
def test_two_have_one_revision_exactly_where_the_same_is_stated(
    one: list[object], other: list[object]
) -> None:
    assert (revision_of(*one) == revision_of(*other)) == (one == other)
