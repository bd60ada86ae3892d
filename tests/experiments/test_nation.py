"""The simulated nation: its queues against closed forms, and that no request is forgotten."""

import importlib
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

queues = importlib.import_module("experiments.2026-11-28-a-nation.queues")
nation = importlib.import_module("experiments.2026-11-28-a-nation.nation")

TIMES = nation.Times(
    http_s=2e-4,
    group_s=5e-4,
    decide_s=6e-4,
    window_s=4e-6,
    event_s=2e-5,
    message_s=5e-5,
    commit_s=5e-4,
    append_s=1e-4,
    flush_least_s=1e-3,
    flush_more_s=1e-3,
    network_s=1e-4,
)
DESIGN = nation.Design(scorers=3, partitions=4, chains=2, in_flight=4)


def _waits_s(load: float, cost_s: Callable[[], float], jobs: int = 12_000) -> list[float]:
    """How long each of many jobs waits and is served, by a station that takes one at a time."""
    clock, draws, taken_s = queues.Clock(), np.random.default_rng(7), []
    station = queues.Station(clock, most=1)

    def arrive(at_s: float) -> None:
        station.put(queues.Job(cost_s(), lambda: taken_s.append(clock.now_s - at_s), pytest.fail))

    for at_s in np.cumsum(draws.exponential(1 / load, jobs)):
        clock.after(at_s, lambda at_s=at_s: arrive(at_s))
    clock.run()
    return taken_s


def test_one_server_with_random_costs_waits_as_the_closed_form_says() -> None:
    draws = np.random.default_rng(1)

    taken_s = _waits_s(0.7, lambda: draws.exponential(1.0))

    assert len(taken_s) == 12_000
    assert np.mean(taken_s) == pytest.approx(1 / (1 - 0.7), rel=0.12)


def test_one_server_with_equal_costs_waits_as_the_closed_form_says() -> None:
    taken_s = _waits_s(0.7, lambda: 1.0)

    assert np.mean(taken_s) == pytest.approx(1 + 0.7 / (2 * (1 - 0.7)), rel=0.08)


@pytest.mark.parametrize("load", [0.5, 0.8])
def test_groups_of_a_busy_log_grow_as_the_closed_form_says(load: float) -> None:
    """A cycle takes what is fixed and all that arrived in the one before: fixed / (1 - load)."""
    clock, draws, done = queues.Clock(), np.random.default_rng(7), []
    station = queues.Station(clock, lambda: 5.0)
    job = queues.Job(1.0, lambda: done.append(clock.now_s), pytest.fail)
    for at_s in np.cumsum(draws.exponential(1 / load, 8_000)):
        clock.after(at_s, lambda: station.put(job))

    clock.run()

    assert len(done) == station.jobs == 8_000
    assert station.jobs / station.groups == pytest.approx(load * 5 / (1 - load), rel=0.06)


def test_what_a_server_had_when_it_failed_is_lost_and_ends_nothing_later() -> None:
    clock, heard = queues.Clock(), []
    station = queues.Station(clock, lambda: 10.0)

    def put(name: str) -> None:
        ends = [lambda end=end: heard.append((name, end, clock.now_s)) for end in ("done", "lost")]
        station.put(queues.Job(0.0, *ends))

    for at_s, act in (
        (0, lambda: put("served")),
        (1, lambda: put("waiting")),
        (2, lambda: station.fail(takeover_s=2)),
        (3, lambda: put("while it is down")),
        (5, lambda: put("after")),
    ):
        clock.after(at_s, act)
    clock.run()

    assert heard == [
        ("served", "lost", 2),
        ("waiting", "lost", 2),
        ("while it is down", "lost", 3),
        ("after", "done", 15),
    ]


def test_a_log_answers_no_more_than_its_rows_allow_however_large_its_groups() -> None:
    times = replace(TIMES, append_s=0.001)
    design = replace(DESIGN, scorers=40, most_waiting=100_000, chains=1)

    result = nation.Nation(design, times).open_loop(2_000, 1)

    assert 900 < result.per_s <= 1_000


@pytest.mark.parametrize("copies", [1, 2])
@pytest.mark.parametrize("kind", ["scorer", "partition", "chain"])
def test_every_request_ends_once_whatever_fails(kind: str, copies: int) -> None:
    simulated = nation.Nation(replace(DESIGN, copies=copies, most_waiting=100), TIMES)
    simulated.let_fail(nation.Failure(kind, at_s=0.2, takeover_s=0.3))

    result = simulated.open_loop(1_500, 0.7)

    assert result.arrived == result.ended.total() == 1_050
    assert result.ended["answered"] == len(result.latencies_s) > 300
    is_whole = kind == "partition" and copies == 2
    assert (result.ended["answered"] < result.arrived) is not is_whole
    assert (result.ended["lost"] > 0) is (kind == "scorer")


def test_connections_that_ask_again_are_never_more_than_they_are() -> None:
    result = nation.Nation(DESIGN, TIMES).closed_loop(16, 1.0)

    assert result.arrived == result.ended["answered"] > 1_000
    assert result.per_s * np.mean(result.latencies_s) == pytest.approx(16, rel=0.1)


def test_every_time_says_where_it_comes_from() -> None:
    file = Path(nation.__file__).with_name("service_times.toml")
    given = tomllib.loads(file.read_text())

    assert nation.Times.read() == nation.Times(**{name: each["s"] for name, each in given.items()})
    assert all(each["from"] for each in given.values())


def test_the_same_seed_gives_the_same_simulation() -> None:
    first, again = (nation.Nation(DESIGN, TIMES).open_loop(1_000, 0.3) for _ in range(2))

    assert first == again
