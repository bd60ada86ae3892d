"""The draw of cases that are judged blind."""

from serving.review.cases.blind_cases import is_blind


def test_a_share_of_cases_is_blind_and_always_the_same() -> None:
    ids = [f"case-{number}" for number in range(4_000)]
    tenth = {each for each in ids if is_blind(each, 0.1)}

    assert 300 < len(tenth) < 500
    assert tenth <= {each for each in ids if is_blind(each, 0.2)}
    assert not any(is_blind(each, 0.0) for each in ids)
    assert all(is_blind(each, 1.0) for each in ids)
