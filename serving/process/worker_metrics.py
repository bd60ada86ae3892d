"""Metrics of every worker in one scrape, whichever of them it reaches.

Workers of one service share no memory, so each keeps its figures in files of a folder that all of
them read (`prometheus_client`'s multiprocess mode): counts are summed, those of workers that ended
included; gauges are summed over living workers, or the highest is taken.
"""

import fcntl
import os
import shutil
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.values import MultiProcessValue

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_PREFIX = "tidegate-metrics-"
# A folder that is younger may not be held yet by its maker.
_YOUNG_S = 60.0

_KINDS = ("counter", "histogram", *(f"gauge_live{mode}" for mode in ("max", "mostrecent", "sum")))
# Bytes of a worker's file of one kind: some thousand figures; a service has a few hundred.
_RESERVED = 1 << 20


@contextmanager
def shared_by_workers() -> Iterator[None]:
    """Let the processes that begin meanwhile keep their figures where all can read them.

    What services that were killed have left is removed first.
    """
    _remove_abandoned(Path(gettempdir()))
    with TemporaryDirectory(prefix=_PREFIX) as folder, _held(Path(folder)):
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def is_shared() -> bool:
    """Return whether this service has several workers."""
    return FOLDER in os.environ


def shared_folder() -> Path | None:
    """A folder that all workers of this service share while they run; None where there is one."""
    return Path(os.environ[FOLDER]) if is_shared() else None


def reserve() -> None:
    """Take room for the figures of this process, before there are any; raises OSError without it.

    They are written into mapped memory: where a disk has no room left for a page of that, the
    kernel ends the process in the middle of whatever it does.
    """
    for kind in _KINDS:
        _reserve(kind)


class WorkersReplaced:
    """Counts the workers that ended and were replaced.

    Where no figures are shared nothing is counted.
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
        """Count one more."""
        if is_shared():
            self._value.inc(1)


def exposed(own: CollectorRegistry) -> bytes:
    """The figures of the service in Prometheus' text format; `own` are those of this process."""
    if not is_shared():
        return generate_latest(own)
    _forget_the_dead(Path(os.environ[FOLDER]))
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]  # prometheus_client has no types
    return generate_latest(everyone)


def _reserve(kind: str) -> None:
    with (Path(os.environ[FOLDER]) / f"{kind}_{os.getpid()}.db").open("ab") as file:
        os.posix_fallocate(file.fileno(), 0, _RESERVED)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Let others see that somebody uses a folder, whose processes they may not see."""
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
    """Return whether a folder is this user's own and of no process that lives."""
    found = folder.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not is_own or time.time() - found.st_mtime < _YOUNG_S:
        return False
    if any(_is_alive(_process_of(file)) for file in folder.glob("*_*.db")):
        return False
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
        pass
    return True


def _forget_the_dead(folder: Path) -> None:
    """A worker that was killed holds no request any more."""
    for file in folder.glob("gauge_live*_*.db"):
        if not _is_alive(process_id := _process_of(file)):
            with suppress(FileNotFoundError):  # another worker was faster
                mark_process_dead(process_id)  # type: ignore[no-untyped-call]  # prometheus_client has no types
