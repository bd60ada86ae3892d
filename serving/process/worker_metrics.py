"""Metrics of all workers in one scrape, whichever worker answers it.

Workers share no memory, so each writes its metrics to files in a common folder
(`prometheus_client`'s multiprocess mode). Counters are summed, including those of ended workers;
gauges are summed, or the maximum is taken, over living workers.
"""

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector
from prometheus_client.values import MultiProcessValue

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_PREFIX = "tidegate-metrics-"
# Seconds. The creator of a younger folder may not have locked it yet.
_YOUNG_S = 60.0

_KINDS = ("counter", "histogram", *(f"gauge_live{mode}" for mode in ("max", "mostrecent", "sum")))
# Bytes reserved per worker and kind of metric: room for thousands; a service has hundreds.
_RESERVED = 1 << 20


@contextmanager
def shared_by_workers() -> Iterator[None]:
    """Make child processes share their metrics while the block runs.

    First removes the folders of services that were killed.
    """
    _remove_abandoned(Path(gettempdir()))
    with TemporaryDirectory(prefix=_PREFIX) as folder, _held(Path(folder)):
        # Set before the workers start: prometheus_client reads it when it is imported.
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def is_shared() -> bool:
    """Return whether this service has several workers."""
    return FOLDER in os.environ


def shared_folder() -> Path | None:
    """Return the folder that the workers of this service share; None with a single process."""
    return Path(os.environ[FOLDER]) if is_shared() else None


def reserve() -> None:
    """Reserve disk space for the metrics of this process; raises OSError if the disk is full.

    Metrics live in mapped files: without space for a page, the kernel kills the process (SIGBUS) at
    whatever it is doing.
    """
    for kind in _KINDS:
        _reserve(kind)


class WorkersReplaced:
    """A counter of workers that ended and were replaced.

    Counts nothing if metrics are not shared.
    """

    def __init__(self) -> None:
        if is_shared():
            _reserve("counter")
            name, says = (
                "tidegate_workers_replaced",
                "Workers that ended or hung, and were replaced",
            )
            value = MultiProcessValue()  # type: ignore[no-untyped-call]  # prometheus_client has no types
            self._value = value("counter", name, f"{name}_total", (), (), says)

    def count(self) -> None:
        """Add one to the counter."""
        if is_shared():
            self._value.inc(1)


def exposed(own: CollectorRegistry) -> bytes:
    """Return the metrics of the service in Prometheus' text format.

    `own` are those of this process, used if metrics are not shared.
    """
    processes = CollectorRegistry()
    if not is_shared():
        processes.register(_Processes([os.getpid()]))
        return generate_latest(own) + generate_latest(processes)
    folder = Path(os.environ[FOLDER])
    _forget_the_dead(folder)
    processes.register(_Processes(sorted({*map(_process_of, folder.glob("gauge_live*_*.db"))})))
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]  # prometheus_client has no types
    return generate_latest(everyone) + generate_latest(processes)


class _Processes(Collector):
    """The usual figures of a process, summed over several; of starts and limits the lowest."""

    def __init__(self, process_ids: Iterable[int]):
        self._process_ids = process_ids

    def collect(self) -> Iterator[Metric]:
        """Yield each figure once; a process that just ended is left out."""
        found: dict[str, list[Metric]] = {}
        for process_id in self._process_ids:
            own = ProcessCollector(pid=partial(str, process_id), registry=None)
            for metric in own.collect():
                found.setdefault(metric.name, []).append(metric)
        for name, metrics in found.items():
            (first, *_), *_ = samples = [metric.samples for metric in metrics]
            values = [each[0].value for each in samples]
            lowest = name.endswith(("start_time_seconds", "max_fds"))
            metrics[0].samples = [first._replace(value=min(values) if lowest else sum(values))]
            yield metrics[0]


def _reserve(kind: str) -> None:
    with (Path(os.environ[FOLDER]) / f"{kind}_{os.getpid()}.db").open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, _RESERVED)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Lock a folder while the block runs, to mark it as in use.

    A lock also works where process ids do not, such as between containers that share /tmp.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH)
        yield
    finally:
        os.close(descriptor)


def _remove_abandoned(temporary: Path) -> None:
    for folder in temporary.glob(f"{_PREFIX}*"):
        with suppress(OSError):  # somebody else was faster
            if _is_abandoned(folder):
                shutil.rmtree(folder)


def _is_abandoned(folder: Path) -> bool:
    """Return whether a folder belongs to this user and to no living process."""
    found = folder.lstat()
    # /tmp is shared: never remove what another user placed there under our prefix.
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not is_own or time.time() - found.st_mtime < _YOUNG_S:
        return False
    if any(_is_alive(_process_of(file)) for file in folder.glob("*_*.db")):
        return False
    # O_NOFOLLOW: a symbolic link put there since must not lead elsewhere.
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    finally:
        os.close(descriptor)
    return True


def _process_of(file: Path) -> int:
    return int(file.stem.rpartition("_")[2])


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        # The process exists but belongs to another user.
        pass
    return True


def _forget_the_dead(folder: Path) -> None:
    """Drop the gauges of dead workers: a killed worker holds no requests."""
    for file in folder.glob("gauge_live*_*.db"):
        if not _is_alive(process_id := _process_of(file)):
            with suppress(FileNotFoundError):  # another worker was faster
                mark_process_dead(process_id)  # type: ignore[no-untyped-call]  # prometheus_client has no types
