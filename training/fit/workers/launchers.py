"""Three ways to obtain workers: local processes, Spark tasks, or machines that connect."""

import os
import secrets
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from features.spark.session import spark_errors_in_words, spark_session
from training.errors import TrainingError
from training.fit.workers.connection import KEY_VARIABLE, Address
from training.fit.workers.rendezvous import rendezvous_socket, workers_at
from training.fit.workers.worker_group import WorkerGroup

if TYPE_CHECKING:
    import pyarrow as pa

LOCALHOST = "127.0.0.1"
PROCESSES_COME_WITHIN_S = 60.0
TASKS_COME_WITHIN_S = 300.0
INVITED_COME_WITHIN_S = 3600.0
_ENDS_WITHIN_S = 10.0
_SAID = 600


@contextmanager
def workers_here(count: int) -> Iterator[WorkerGroup]:
    """Start workers as local processes; raises TrainingError if one does not connect."""
    key = secrets.token_hex()
    with rendezvous_socket((LOCALHOST, 0)) as server:
        processes = [_process(server.getsockname()[:2], key) for _ in range(count)]

        def hindrance() -> str | None:
            ended = [process.poll() for process in processes if process.poll() is not None]
            return f"a worker ended with {ended[0]} before it came" if ended else None

        try:
            with workers_at(
                server, key.encode(), count, PROCESSES_COME_WITHIN_S, hindrance
            ) as growers:
                yield growers
        finally:
            for process in processes:
                # Closing the connection ends a worker, but a busy machine may take long to do so.
                try:
                    process.wait(_ENDS_WITHIN_S)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


@contextmanager
def workers_invited(count: int, where: Address, key: str) -> Iterator[WorkerGroup]:
    """Wait for workers that others start with `tidegate fit-worker` and the same key."""
    with (
        rendezvous_socket(where) as server,
        workers_at(server, key.encode(), count, INVITED_COME_WITHIN_S) as growers,
    ):
        yield growers


@contextmanager
def workers_on_spark(count: int, master: str, where: Address | None) -> Iterator[WorkerGroup]:
    """Start workers as Spark tasks that run at the same time and connect to `where`.

    Raises TidegateError, or TrainingError if Spark cannot run all at once.
    """
    key = secrets.token_hex()
    where = where or (_own_host_towards(master), 0)
    with spark_session(master) as spark, rendezvous_socket(where) as server:
        host, port = where[0], server.getsockname()[1]
        task = partial(_as_task, f"{host}:{port}", key)
        # A barrier stage starts all tasks or none: LightGBM waits for every worker.
        tasks = spark.range(0, count, 1, count).mapInArrow(task, "worker long", barrier=True)
        failures: list[BaseException] = []

        def run() -> None:
            try:
                with spark_errors_in_words(master, "the workers"):
                    tasks.collect()
            except BaseException as error:
                failures.append(error)

        def hindrance() -> str | None:
            if failures:
                raise failures[0]
            return None

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        with workers_at(server, key.encode(), count, TASKS_COME_WITHIN_S, hindrance) as growers:
            yield growers
        thread.join(_ENDS_WITHIN_S)


def _process(where: Address, key: str) -> "subprocess.Popen[bytes]":
    host, port = where
    # The key is not an argument: other users of the machine could read it there.
    return subprocess.Popen(  # noqa: S603 - this Python
        [sys.executable, "-m", "training.fit.workers.worker", f"{host}:{port}"],
        stdout=subprocess.DEVNULL,
        env={**os.environ, KEY_VARIABLE: key},
    )


def _as_task(
    where: str, key: str, batches: "Iterator[pa.RecordBatch]"
) -> "Iterator[pa.RecordBatch]":
    """Run a worker in a child process: LightGBM has one network per process."""
    for batch in batches:
        ended = subprocess.run(  # noqa: S603 - this Python
            [sys.executable, "-m", "training.fit.workers.worker", where],
            env={**os.environ, KEY_VARIABLE: key},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
        if ended.returncode:
            raise RuntimeError(f"a worker ended with {ended.returncode}: {ended.stderr[-_SAID:]}")
        yield batch.rename_columns(["worker"])


def _own_host_towards(master: str) -> str:
    """Return the address of this machine that is reachable from the Spark master."""
    if master.startswith("local"):
        return LOCALHOST
    host = urlsplit(f"//{master.partition('://')[2].partition('/')[0].partition(',')[0]}")
    if not host.hostname:
        raise TrainingError(
            f"{master}: give by --listen HOST:PORT the address of this machine for the workers"
        )
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:  # connect sends nothing
        asking.connect((host.hostname, host.port or 1))
        return str(asking.getsockname()[0])
