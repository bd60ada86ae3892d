"""Whatever fails, a rescue is called within a minute and acknowledged, or it goes on."""

from pathlib import Path

from tests.serving.review.call_faults import simulate


def test_with_servers_that_fail_and_restarts_each_call_is_made_in_a_minute_and_has_an_end(
    tmp_path: Path,
) -> None:
    figures = simulate(tmp_path, calls=60, seed=3)

    assert 0 < figures.longest_minutes_to_call <= 1
    assert figures.neither == 0
    assert figures.acknowledged > 20
    assert figures.escalated > 5
    assert figures.restarts > 0
    assert figures.refused_attempts > 10
