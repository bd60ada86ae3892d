"""The gate of passwords: few at once, a few that wait, and nobody beyond."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from serving.access.password_gate import PasswordGate
from serving.errors import TooBusy


@pytest.fixture
def gate() -> Iterator[PasswordGate]:
    gate = PasswordGate(at_once=2, most_waiting=3)
    yield gate
    gate.close()


def test_few_run_at_once_and_whoever_finds_no_place_is_turned_away(gate: PasswordGate) -> None:
    running, most, lock, may_end = 0, [0], threading.Lock(), threading.Event()

    def work() -> str:
        nonlocal running
        with lock:
            running += 1
            most[0] = max(most[0], running)
        may_end.wait(10)
        with lock:
            running -= 1
        return "done"

    def turned_away_or_done(_: int) -> str:
        try:
            return gate.run(work)
        except TooBusy:
            if turned_away.release() is None and len(refused.append(1) or refused) == 25:
                may_end.set()
            return "turned away"

    turned_away, refused = threading.Semaphore(0), list[int]()
    with ThreadPoolExecutor(30) as callers:
        said = list(callers.map(turned_away_or_done, range(30)))

    assert (said.count("done"), said.count("turned away")) == (5, 25)
    assert most[0] == 2


def test_what_fails_inside_fails_outside_and_gives_its_place_back(gate: PasswordGate) -> None:
    def fail() -> None:
        raise ValueError("inside")

    for _ in range(20):
        with pytest.raises(ValueError, match="inside"):
            gate.run(fail)
    assert gate.run(lambda: 3) == 3
