"""The gate of passwords: few at once, a few that wait, and nobody beyond."""

import threading
from collections import Counter
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
    running, most, lock, may_end = 0, 0, threading.Lock(), threading.Event()
    both_run, turned_away = threading.Event(), threading.Semaphore(0)

    def work() -> str:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
            if running == 2:
                both_run.set()
        assert may_end.wait(30)
        with lock:
            running -= 1
        return "done"

    def answer(_: int) -> str:
        try:
            return gate.run(work)
        except TooBusy:
            turned_away.release()
            return "turned away"

    with ThreadPoolExecutor(30) as callers:
        answers = callers.map(answer, range(30))
        assert both_run.wait(30)
        for _ in range(25):
            assert turned_away.acquire(timeout=30)
        may_end.set()

    assert Counter(answers) == {"done": 5, "turned away": 25}
    assert most == 2


def test_what_fails_inside_fails_outside_and_gives_its_place_back(gate: PasswordGate) -> None:
    def fail() -> None:
        raise ValueError("inside")

    for _ in range(20):
        with pytest.raises(ValueError, match="inside"):
            gate.run(fail)
    assert gate.run(lambda: 3) == 3
