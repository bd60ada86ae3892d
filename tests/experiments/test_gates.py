"""The gate of groups at a real agency's size: fair scores are not refused, raised groups are."""

from itertools import islice

from experiments.gates.__main__ import group_rows

YEARS = 12


def test_fair_scores_are_hardly_refused_and_a_raised_group_never_passes() -> None:
    """Over 104 groups at once, so the number of groups alone refuses nobody."""
    rows = [found for _, found in islice(group_rows(YEARS, seed=3), 3)]
    champion, truth, raised = rows

    assert champion["refused"] == truth["refused"] == 0
    assert champion["passed"] >= 0.6 * YEARS
    assert raised["passed"] == 0
    assert raised["refused"] >= 0.8 * YEARS
