"""What the service does over and over goes on whatever fails, until it is told to stop."""

import threading

from structlog.testing import capture_logs

from serving.errors import LogUnavailable
from serving.process.background_threads import PREFIX, PollingThread

AWAY = LogUnavailable("the database failed (OperationalError); nothing was decided")


def test_a_thread_outlives_every_failure_and_tells_once_of_a_database_that_is_away() -> None:
    failures = iter([AWAY, AWAY, ValueError("a secret"), None, AWAY])
    done = threading.Event()

    def act() -> None:
        failure = next(failures, done)
        if failure is done:
            done.set()
        elif isinstance(failure, Exception):
            raise failure

    polling = PollingThread("tests", act, waits="tests_wait")
    with capture_logs() as written:
        polling.start(0.001)
        assert done.wait(10)
        polling.stop()

    told = [(line["event"], line.get("exception")) for line in written]
    assert told == [("tests_wait", None), ("polling_failed", "ValueError"), ("tests_wait", None)]
    assert "secret" not in str(written)


def test_a_thread_that_is_told_to_stop_finishes_its_turn_and_takes_no_other() -> None:
    turns: list[str] = []
    began, goes_on = threading.Event(), threading.Event()

    def act() -> None:
        turns.append(threading.current_thread().name)
        began.set()
        assert goes_on.wait(10)
        turns.append("ended")

    polling = PollingThread("tests", act, waits="tests_wait")
    assert not polling.is_over
    polling.start(0.001)
    assert began.wait(10)
    stopping = threading.Thread(target=polling.stop)
    stopping.start()
    goes_on.set()
    stopping.join(10)

    assert polling.is_over
    assert turns == [f"{PREFIX}tests", "ended"]


def test_a_thread_that_never_began_is_stopped_too() -> None:
    PollingThread("tests", lambda: None, waits="tests_wait").stop()
