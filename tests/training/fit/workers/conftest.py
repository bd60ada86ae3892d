"""Workers that tests can lay hands on: real processes, of one that has loaded everything before."""

import multiprocessing
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests.training.planted import INPUTS
from training.data.training_set import TrainingSet
from training.fit.workers.connection import Address
from training.fit.workers.rendezvous import rendezvous_socket, workers_at
from training.fit.workers.worker import work
from training.fit.workers.worker_group import WorkerGroup

HERE = "127.0.0.1"
KEY = b"a key that only these tests know"
COME_WITHIN_S = 60.0

Processes = list[ForkServerProcess]
Started = AbstractContextManager[tuple[WorkerGroup, Processes]]


@pytest.fixture(scope="session")
def loaded() -> multiprocessing.context.ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["training.fit.workers.worker", "scipy.sparse"])
    return context


@pytest.fixture(scope="session")
def start(
    loaded: multiprocessing.context.ForkServerContext,
) -> Callable[[Address, int], ForkServerProcess]:
    """Start a worker that comes to an address."""

    def started(where: Address, port: int = 0) -> ForkServerProcess:
        process = loaded.Process(target=work, args=(where, KEY, port), daemon=True)
        process.start()
        return process

    return started


@pytest.fixture(scope="session")
def workers(start: Callable[..., ForkServerProcess]) -> Callable[[int], Started]:
    """So many workers for a block, and their processes; none is left after it."""

    @contextmanager
    def of(count: int, port: int = 0) -> Iterator[tuple[WorkerGroup, Processes]]:
        with ExitStack() as ends, rendezvous_socket((HERE, 0)) as server:
            where = server.getsockname()[:2]
            processes = [start(where, port) for _ in range(count)]
            for process in processes:
                ends.callback(process.join, COME_WITHIN_S)
            with workers_at(server, KEY, count, COME_WITHIN_S) as growers:
                yield growers, processes

    return of


@pytest.fixture(scope="session")
def data(planted: Path) -> TrainingSet:
    return TrainingSet.read(planted, "shipment", INPUTS)
