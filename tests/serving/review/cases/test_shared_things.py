"""What cases share: a count is one only while all that share it were looked at."""

from serving.review.cases.shared_things import MAX_LOOKED_AT, SharedThing, Sharing


def test_a_thing_is_counted_while_fewer_share_it_than_are_looked_at() -> None:
    others = tuple(Sharing(f"d-{n}", n, (), is_closed=False) for n in range(MAX_LOOKED_AT))

    assert SharedThing("party", "c-1", ("payer",), others[1:]).is_counted
    assert not SharedThing("party", "c-1", ("payer",), others).is_counted
