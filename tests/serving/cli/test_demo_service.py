"""The service that the demonstration starts: it never outlives it, and its port is its own."""

import signal
import socket
import subprocess
import sys
import time
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from features.errors import TidegateError
from serving.cli.demo_service import _listener
from serving.process.listening_socket import bound, listen
from tests.counts import count
from tests.forked_command import ForkedCommand
from tests.ports import free_port
from tests.processes import SOON_S, in_a_session, wait_until_nobody_is_left

# The demonstration from its fourth step on, over a home that was prepared before.
DEMO = """
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from serving.cli import demo
demo._prepare = lambda *_: (datetime(2026, 1, 1, tzinfo=UTC), {})
if "--without-end" in sys.argv:
    demo._live = lambda *_: time.sleep(600)
demo.demo(once=True, home=Path(sys.argv[1]), port=int(sys.argv[2]))
"""


def demonstration(home: Path, *options: str) -> AbstractContextManager["subprocess.Popen[str]"]:
    """The demonstration in a session of its own; `--without-end`: until it is interrupted."""
    return in_a_session([sys.executable, "-c", DEMO, str(home), str(free_port()), *options])


@pytest.mark.parametrize(
    ("told", "code"),
    [(signal.SIGTERM, 143), (signal.SIGKILL, -9), (signal.SIGHUP, 129), (signal.SIGINT, -2)][
        : count(2, 4)
    ],
)
def test_a_demonstration_that_is_interrupted_leaves_no_process_behind(
    home: Path, told: signal.Signals, code: int
) -> None:
    with demonstration(home, "--without-end") as process:
        log = home / "service.log"
        while process.poll() is None and not (log.exists() and log.stat().st_size):
            time.sleep(0.02)
        process.send_signal(told)

        assert process.wait(SOON_S) == code
        wait_until_nobody_is_left(process)


def test_a_demonstration_that_fails_leaves_no_process_behind(home: Path) -> None:
    with demonstration(home) as process:  # it has no world whose traffic could be scored
        _, said = process.communicate()

        assert process.returncode == 1
        assert "RecordsError" in said
        wait_until_nobody_is_left(process)


def test_a_service_that_cannot_start_is_not_waited_for(home: Path) -> None:
    (home / "tidegate.db").write_bytes(b"no database of anyone's" * 1_000)
    with demonstration(home) as process:
        _, said = process.communicate()

    assert process.returncode == 1
    assert "the database failed" in said


@pytest.mark.parametrize("theirs", ["127.0.0.1", "0.0.0.0"])
def test_another_port_is_taken_where_somebody_listens(theirs: str) -> None:
    with bound(theirs, 0) as other:
        listen(other)
        port = other.getsockname()[1]
        with _listener(port) as own:
            assert own.getsockname()[1] != port


def test_the_port_belongs_to_the_demonstration_from_then_on() -> None:
    with _listener(free_port()) as own, pytest.raises(TidegateError, match="in use"):
        bound(*own.getsockname())


def test_of_two_that_start_at_once_the_second_to_listen_is_refused() -> None:
    with bound("127.0.0.1", 0) as one, bound(*one.getsockname()) as other:
        listen(other)
        with pytest.raises(TidegateError, match="in use; give another with --port"):
            listen(one)


def test_a_port_that_is_taken_is_said_in_one_line_before_anything_else(home: Path) -> None:
    with socket.create_server(("", 0)) as other:
        port = other.getsockname()[1]
        arguments = ["serve", "--home", str(home), "--port", str(port)]
        refused = ForkedCommand.start(arguments, home / "errors")

        assert refused.wait(60) == 1
    said = f"cannot listen at port {port} of 127.0.0.1: Address already in use"
    assert refused.errors.read_text() == f"tidegate: {said}; give another with --port\n"
    assert not (home / "tidegate.db").exists()
