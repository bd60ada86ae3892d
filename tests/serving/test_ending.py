"""A service that is told to stop before it is ready, in processes of their own."""

import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from features.folders import written_whole
from serving.commands.start_progress import Standing
from tests.ports import free_port
from tests.processes import in_a_session, wait_until_nobody_is_left
from tests.serving.postgres import Server

SERVE = [sys.executable, "-m", "serving.commands.main", "serve"]
SOON_S = 5.0


@contextmanager
def compiling(home: Path, cache: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """A service whose start has just compiled its first function and goes on with the next."""
    command = [*SERVE, "--home", str(home), "--port", str(free_port()), *arguments]
    with in_a_session(command, {"NUMBA_CACHE_DIR": str(cache)}) as process:
        while process.poll() is None and not any(cache.rglob("*.nbi")):
            time.sleep(0.05)
        yield process


@pytest.mark.parametrize(("told", "code"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_start_that_is_told_to_stop_ends_at_once_without_a_traceback(
    home: Path, tmp_path: Path, told: signal.Signals, code: int
) -> None:
    with compiling(home, tmp_path / "cache", "--progress") as process:
        process.send_signal(told)
        _, said = process.communicate(timeout=SOON_S)

        assert process.returncode == code
        standings = [Standing.of_line(line) for line in said.splitlines()]
        assert [each and each.stage for each in standings[:2]] == [
            "opening the database",
            "reading history",
        ]
        assert standings[-1] is not None, "the last word is no traceback"
        assert standings[-1].compiled >= 1
    half_written = {*home.glob(".state.*")}
    with written_whole(home / "state"):
        assert half_written.isdisjoint(home.glob(".state.*"))


def test_workers_that_are_told_to_stop_while_they_start_end_at_once(
    home: Path, tmp_path: Path, postgres: Server
) -> None:
    arguments = ("--workers", "2", "--database-url", postgres.new_database())
    with compiling(home, tmp_path / "cache", *arguments) as process:
        process.send_signal(signal.SIGTERM)
        _, said = process.communicate(timeout=SOON_S)

        assert process.returncode == 0
        assert "Traceback" not in said
        wait_until_nobody_is_left(process)
