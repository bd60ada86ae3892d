"""A stream that is killed at each step: one decision for each message, and its answer."""

import random
from collections import defaultdict
from pathlib import Path

import pytest

from tests.clients.conftest import Site
from tests.counts import count
from tests.serving.streams.conftest import Ways, body, running, settings_for, wait_for
from tests.serving.streams.killed import STEPS, is_killed, run_until

MESSAGES = count(60, 10_000)
KILLS = count(4, 100)


@pytest.mark.faults
def test_kills_at_each_step_make_no_second_decision_and_lose_none(
    ways: Ways, site: Site, properties: Path
) -> None:
    before, lots = site.services.decisions.size(), random.Random(7)
    settings = settings_for(site, properties)
    ways.send(*(body(n, ways.name) for n in range(MESSAGES)))

    for kill in range(KILLS):
        step = STEPS[kill % len(STEPS)]
        number = lots.randint(1, MESSAGES // KILLS - ways.plan.in_flight - 1)
        assert is_killed(run_until, step, number, ways.plan, settings), step
    with running(ways.plan, settings):
        wait_for(lambda: ways.done() == MESSAGES, within_s=count(30, 900))

    answers = ways.answers()
    of_each: dict[str, set[str]] = defaultdict(set)
    for headers, document in answers:
        of_each[headers["message-id"]].add(document["decision_id"])
    print(f"{MESSAGES} messages, {KILLS} kills: {len(answers)} answers sent on")
    assert site.services.decisions.size() == before + MESSAGES
    assert len(of_each) == MESSAGES
    assert all(len(decisions) == 1 for decisions in of_each.values())
    assert ways.letters() == []
