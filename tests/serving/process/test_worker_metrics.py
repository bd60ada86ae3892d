"""What workers keep of their figures where all of them read it."""

import fcntl
import os
import subprocess
import sys
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from serving.process.worker_metrics import FOLDER, WorkersReplaced, exposed, shared_by_workers

TELL = """
from serving.process.worker_metrics import reserve
from serving.observability import Metrics
reserve()
metrics = Metrics()
for route in range(40):
    metrics.requests.observe("GET", f"/{route}", 200, 0.01)
"""


def test_a_worker_that_counts_writes_to_no_page_that_a_full_disk_could_refuse(
    tmp_path: Path,
) -> None:
    """A page of mapped memory without a block on disk ends the process where none is left."""
    subprocess.run(
        [sys.executable, "-c", TELL], env={**os.environ, FOLDER: str(tmp_path)}, check=True
    )

    files = [each.stat() for each in tmp_path.glob("*.db")]
    assert len(files) >= 3
    assert all(512 * file.st_blocks >= file.st_size for file in files)


def test_workers_that_were_replaced_are_counted_where_any_worker_shows_them() -> None:
    with shared_by_workers():
        replaced = WorkersReplaced()
        replaced.count()
        replaced.count()
        shown = exposed(CollectorRegistry()).decode()

    assert "tidegate_workers_replaced_total 2.0" in shown


HOLD = (
    TELL
    + """
import sys
print("ready", flush=True)
sys.stdin.read()
"""
)


def test_processes_are_added_up_over_the_workers_that_live() -> None:
    with shared_by_workers():
        workers = [
            subprocess.Popen(
                [sys.executable, "-c", HOLD],
                env=dict(os.environ),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
            )
            for _ in range(2)
        ]
        for worker in workers:
            assert worker.stdout is not None
            assert worker.stdout.readline() == b"ready\n"
        both = resident_bytes()
        workers[0].communicate()
        one = resident_bytes()
        workers[1].communicate()

    assert one > 1e7
    assert both == pytest.approx(2 * one, rel=0.2)


def resident_bytes() -> float:
    lines = exposed(CollectorRegistry()).decode().splitlines()
    (line,) = (each for each in lines if each.startswith("process_resident_memory_bytes "))
    return float(line.split()[1])


NOBODY = 1 << 22  # more than any process has


def test_what_a_service_that_was_killed_left_is_removed_and_nothing_of_those_who_live(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for name in ("killed", "working", "held", "young"):
        folder = tmp_path / f"tidegate-metrics-{name}"
        folder.mkdir()
        process_id = os.getpid() if name == "working" else NOBODY
        (folder / f"counter_{process_id}.db").touch()
        os.utime(folder, None if name == "young" else (0, 0))

    descriptor = os.open(tmp_path / "tidegate-metrics-held", os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    with shared_by_workers():
        pass
    os.close(descriptor)

    left = {each.name.removeprefix("tidegate-metrics-") for each in tmp_path.iterdir()}
    assert left == {"working", "held", "young"}
