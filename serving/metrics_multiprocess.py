"""Metrics of every worker in one scrape, whichever of them it reaches.

Workers of one service share no memory, so each keeps its figures in files of a folder that all of
them read (`prometheus_client`'s multiprocess mode): counts are summed, those of workers that ended
included; gauges are summed over living workers, or the highest is taken.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

FOLDER = "PROMETHEUS_MULTIPROC_DIR"

_KINDS = ("counter", "histogram", *(f"gauge_live{mode}" for mode in ("max", "mostrecent", "sum")))
_RESERVED = 1 << 20
"""Bytes of a worker's file of one kind: some thousand figures; a service has a few hundred."""


@contextmanager
def shared_by_workers() -> Iterator[None]:
    """Let the processes that begin meanwhile keep their figures where all can read them."""
    with TemporaryDirectory(prefix="tidegate-metrics-") as folder:
        os.environ[FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[FOLDER]


def is_shared() -> bool:
    """Whether there are other workers to tell of."""
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
        with (Path(os.environ[FOLDER]) / f"{kind}_{os.getpid()}.db").open("ab") as file:
            os.posix_fallocate(file.fileno(), 0, _RESERVED)


def exposed(own: CollectorRegistry) -> bytes:
    """The figures of the service in Prometheus' text format; `own` are those of this process."""
    if not is_shared():
        return generate_latest(own)
    _forget_the_dead(Path(os.environ[FOLDER]))
    everyone = CollectorRegistry()
    MultiProcessCollector(everyone)  # type: ignore[no-untyped-call]  # prometheus_client has no types
    return generate_latest(everyone)


def _forget_the_dead(folder: Path) -> None:
    """A worker that was killed holds no request any more."""
    for file in folder.glob("gauge_live*_*.db"):
        process_id = int(file.stem.rpartition("_")[2])
        try:
            os.kill(process_id, 0)
        except ProcessLookupError:
            with suppress(FileNotFoundError):  # another worker was faster
                mark_process_dead(process_id)  # type: ignore[no-untyped-call]  # prometheus_client has no types
        except PermissionError:
            pass
