"""Whatever fails, a rescue is called within a minute and acknowledged, or it goes on."""

from pathlib import Path

import pytest

from tests.counts import count
from tests.serving.review.rescue.call_faults import simulate


@pytest.mark.faults
def test_with_servers_that_fail_and_restarts_each_call_is_made_in_a_minute_and_has_an_end(
    tmp_path: Path,
) -> None:
    calls = count(60, 1_000)
    figures = simulate(tmp_path, calls, seed=3)

    assert 0 < figures.longest_minutes_to_call <= 1
    assert figures.neither == 0
    assert figures.acknowledged > calls / 3
    assert figures.escalated > calls / 12
    assert figures.restarts > 0
    assert figures.refused_attempts > 10
