"""What ends a fit by several workers: no process waits for a lost one, and the reason is stated."""

import signal
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from multiprocessing.context import ForkServerProcess
from pathlib import Path

import pytest

from tests.training.fit.workers.conftest import HERE, KEY, Started
from tests.training.planted import QUICK
from training.data.training_set import TrainingSet
from training.errors import TidegateError, TrainingError
from training.fit.workers.connection import NotOurs, WorkerConnection
from training.fit.workers.launchers import workers_here
from training.fit.workers.rendezvous import rendezvous_socket, workers_at
from training.fit.workers.worker import LEFT_ALONE, work
from training.parameters import TrainingParameters, TreeParameters
from training.train import train_model

PARAMETERS = TrainingParameters(**QUICK, trees=TreeParameters(trees=8)).for_workers()
SOON_S = 20.0


@pytest.mark.parametrize("dies_at", [1, 4])
def test_where_a_worker_dies_the_fit_ends_and_so_do_the_others(
    dies_at: int, data: TrainingSet, workers: Callable[[int], Started]
) -> None:
    started = workers(3)
    growers, processes = started.__enter__()

    def kill(_: str, done: int, __: int) -> None:
        if done == dies_at:
            processes[1].kill()

    with pytest.raises(TrainingError, match=r"worker \d of 3, on 127.0.0.1, is gone") as raised:
        train_model(data, PARAMETERS, kill, growers)
    started.__exit__(raised.type, raised.value, raised.tb)  # whoever trains is gone, too

    assert [process.exitcode for process in processes] == [LEFT_ALONE, -signal.SIGKILL, LEFT_ALONE]


def refused(kind: type[TidegateError], reason: str, data: TrainingSet, started: Started) -> None:
    with pytest.raises(kind, match=reason), started as (growers, _):
        train_model(data, PARAMETERS, growers=growers)


def test_a_worker_that_sees_another_training_set_is_named(
    data: TrainingSet, workers: Callable[[int], Started]
) -> None:
    other = replace(data, digest="sha256:" + "0" * 64)

    refused(TidegateError, r"worker \d of 2.*holds sha256:.*sha256:0000", other, workers(2))


def test_a_worker_that_sees_no_training_set_is_named(
    data: TrainingSet, workers: Callable[[int], Started], tmp_path: Path
) -> None:
    elsewhere = replace(data, folder=tmp_path)

    refused(TidegateError, "cannot be read there .No such file", elsewhere, workers(2))


def test_a_port_that_is_taken_is_named(data: TrainingSet, workers: Callable[..., Started]) -> None:
    with socket.create_server(("", 0)) as taken:
        port = taken.getsockname()[1]
        reason = f"port {port} cannot be opened .Address already in use"
        refused(TrainingError, reason, data, workers(2, port))
        with (
            pytest.raises(TrainingError, match=rf"{HERE}:{port} cannot be opened"),
            rendezvous_socket((HERE, port)),
        ):
            pass


def test_a_worker_with_other_code_is_refused(
    workers: Callable[[int], Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("training.fit.workers.rendezvous.CODE", "tidegate 0.0.9, lightgbm 3.3.5")

    with (
        pytest.raises(TidegateError, match=r"has tidegate .*lightgbm 4.*lightgbm 3\.3\.5"),
        workers(2),
    ):
        pass


def test_fewer_rows_than_workers_are_refused(
    data: TrainingSet, workers: Callable[[int], Started]
) -> None:
    with workers(2) as (growers, _):
        many = replace(growers, lines=growers.lines * 5_000)
        with pytest.raises(TrainingError, match=r"10000 workers and only \d+ rows"):
            train_model(data, PARAMETERS, growers=many)


def test_a_process_without_the_key_is_no_worker(
    start: Callable[..., ForkServerProcess],
) -> None:
    with rendezvous_socket((HERE, 0)) as server:
        where = server.getsockname()[:2]
        process = start(where)
        ends_at = time.monotonic() + SOON_S
        while process.exitcode is None and time.monotonic() < ends_at:
            with (
                pytest.raises(TrainingError, match="of 1 workers 0 came"),
                workers_at(server, KEY + b"?", 1, 1.0),
            ):
                pass
            process.join(0.5)
        assert process.exitcode == 1


def test_our_own_proof_is_nobody_elses() -> None:
    """Somebody without the key sends back what he is sent: the question, and then the answer."""
    ours, theirs = socket.socketpair()

    def echo() -> None:
        while part := theirs.recv(32):
            theirs.sendall(part)

    threading.Thread(target=echo, daemon=True).start()
    with ours, theirs, pytest.raises(NotOurs):
        WorkerConnection.greeted(ours, KEY, b"coordinator", b"worker")


def test_a_worker_says_where_it_found_nobody() -> None:
    with socket.create_server((HERE, 0)) as once:
        where = once.getsockname()[:2]

    with pytest.raises(TrainingError, match=rf"{HERE}:{where[1]}: nobody trains there"):
        work(where, KEY)


def test_a_process_that_never_comes_ends_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")

    with pytest.raises(TrainingError, match="ended with 1 before it came"), workers_here(2):
        pass
