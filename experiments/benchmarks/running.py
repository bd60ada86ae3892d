"""Servers in processes of their own, and what they have had of a processor."""

import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

READY_WITHIN_S = 600.0
"""A first start compiles for a minute, and for several beside other work."""

_NO_CHANGES: Mapping[str, str] = {}


class Started(NamedTuple):
    """A server that is ready, and what it took until then."""

    pid: int
    wall_s: float
    cpu_s: float


@contextmanager
def running(
    port: int,
    health: str,
    command: list[str],
    folder: Path | None = None,
    changes: Mapping[str, str] = _NO_CHANGES,
) -> Iterator[Started]:
    """A server begun in a folder, with changes to the environment; ready when `health` says so."""
    began = time.perf_counter()
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # where mlflow finds uvicorn
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "PATH": path, **changes}
        process = subprocess.Popen(command, stdout=log, stderr=log, env=environment, cwd=folder)
        try:
            _wait(port, health, process)
            yield Started(process.pid, time.perf_counter() - began, cpu_s(process.pid))
        finally:
            process.terminate()
            process.wait(30)


def _wait(port: int, path: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < until:
        if process.poll() is not None:
            raise RuntimeError("a server ended before it was ready")
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as tried:
                tried.sendall(
                    f"GET {path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()
                )
                if b" 200 " in tried.recv(64)[:16]:
                    return
        except OSError:
            pass
        time.sleep(0.02)
    raise RuntimeError("a server did not get ready")


def cpu_s(pid: int) -> float:
    """Return the seconds of CPU that a process and all processes below it have used."""
    ticks = 0
    for one in _with_children(pid):
        with suppress(OSError):
            fields = Path(f"/proc/{one}/stat").read_text().rpartition(")")[2].split()
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def io_calls(pid: int) -> int:
    """Return how often a process and all below it called read or write, of files or sockets."""
    calls = 0
    for one in _with_children(pid):
        with suppress(OSError):
            lines = Path(f"/proc/{one}/io").read_text().splitlines()
            counted = dict(line.split(": ") for line in lines)
            calls += int(counted["syscr"]) + int(counted["syscw"])
    return calls


def _with_children(pid: int) -> list[int]:
    children: dict[int, list[int]] = {}
    for status in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parent = status.read_text().rpartition(")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(status.parent.name))
    found = [pid]
    for one in found:  # grows while it is gone through
        found.extend(children.get(one, []))
    return found


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])
