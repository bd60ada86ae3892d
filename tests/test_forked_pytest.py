"""Runs of pytest in forks: each sees the code as it is now, and leaves nothing behind."""

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.forked_pytest import compile_sources, process_with_libraries, run_pytest
from tests.processes import SOON_S

LONG_S = 60.0


@pytest.fixture(scope="module")
def process() -> Iterator[ProcessPoolExecutor]:
    with process_with_libraries([]) as process:  # what is tried here imports none
        yield process


def test_a_file_that_changed_within_its_second_and_size_is_run_as_it_is(
    tmp_path: Path, process: ProcessPoolExecutor
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "features.py").write_text("TRUE = 1\n")
    (tmp_path / "test_it.py").write_text(
        "import features\ndef test_it(): assert features.TRUE == 1\n"
    )
    written = os.stat(tmp_path / "features.py").st_mtime_ns
    compile_sources(tmp_path)

    for value, status in ((1, 0), (2, 1), (1, 0)):
        (tmp_path / "features.py").write_text(f"TRUE = {value}\n")
        os.utime(tmp_path / "features.py", ns=(written, written))
        running = process.submit(run_pytest, tmp_path, ("test_it.py",), LONG_S)
        assert running.result() == status


def test_what_tests_start_ends_with_them(tmp_path: Path, process: ProcessPoolExecutor) -> None:
    (tmp_path / "test_it.py").write_text(
        "import subprocess\n"
        "def test_it():\n"
        "    started = subprocess.Popen(['sleep', '600'])\n"
        "    open('pid', 'w').write(str(started.pid))\n"
    )

    running = process.submit(run_pytest, tmp_path, ("test_it.py",), LONG_S)

    assert running.result() == 0
    ends_at = time.monotonic() + SOON_S
    while is_running(int((tmp_path / "pid").read_text())):
        assert time.monotonic() < ends_at, "a process is left behind"
        time.sleep(0.02)


def test_what_takes_too_long_is_killed(tmp_path: Path, process: ProcessPoolExecutor) -> None:
    (tmp_path / "test_it.py").write_text("import time\ndef test_it(): time.sleep(600)\n")

    running = process.submit(run_pytest, tmp_path, ("test_it.py",), 0.5)

    assert running.result() == -signal.SIGKILL


def is_running(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.exists() and status.read_text().rpartition(")")[2].split()[0] != "Z"
