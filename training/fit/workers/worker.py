"""A worker that grows trees on its own rows together with others, until it is dismissed.

python -m training.fit.workers.worker HOST:PORT

The key comes from the environment, because any user of the machine can read command lines.
"""

import logging
import os
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue
from typing import Any

import numpy as np

from features.errors import TidegateError
from training.data.training_set import training_set_digest
from training.errors import TrainingError
from training.fit.fit_trees import bin_edges, grow, watching
from training.fit.workers.connection import (
    GREETS_WITHIN_S,
    KEY_VARIABLE,
    Address,
    NotOurs,
    WorkerConnection,
    WorkerMessage,
)
from training.fit.workers.environment_fingerprint import CODE
from training.fit.workers.growth_task import FileRows, GrowthTask
from training.fit.workers.leaf_counts import rows_of_leaves
from training.fit.workers.row_groups import RowGroup, row_groups
from training.lightgbm_alone import lightgbm
from training.ranking import Floats

COORDINATOR, WORKER = b"coordinator", b"worker"
# Exit code of a worker whose coordinator is gone.
LEFT_ALONE = 3

_CALLS_EVERY_S = 0.2
# Rows per batch when counting leaves: each row takes one number per tree.
_COUNTED_AT_A_TIME = 4096
# Large, so that a training with a neighbouring seed does not reuse the seeds of these trees.
_SEED_STEP = 1_000_003
_MAX_SEEDS = 2**31


def work(where: Address, key: bytes, port: int = 0, waits_s: float = 0) -> None:
    """Serve the coordinator at an address until it sends no more tasks.

    Other workers reach this one at `port`, or any free one for 0. Raises TrainingError if no
    coordinator that knows the key answers in time. Ends the process if the coordinator is gone.
    """
    lightgbm.register_logger(logging.getLogger(__name__))  # the default logger prints to stdout
    line = _called(where, key, time.monotonic() + waits_s)
    asked: SimpleQueue[WorkerMessage] = SimpleQueue()
    _listen(line, asked)
    line.send("hello", code=CODE)
    while (message := asked.get()).word == "grow":
        try:
            _grow(line, asked, message, port)
        except Exception as error:  # the coordinator must learn of every failure
            line.send("failed", kind=type(error).__name__, reason=str(error))
    line.close()


def _called(where: Address, key: bytes, until_s: float) -> WorkerConnection:
    host, port = where
    try:
        connection = _connection(where, until_s)
    except OSError as error:
        raise TrainingError(
            f"{host}:{port}: nobody trains there ({error.strerror or error}); begin with "
            "`tidegate train --workers … --listen HOST:PORT` on that machine"
        ) from None
    try:
        return WorkerConnection.greeted(connection, key, WORKER, COORDINATOR)
    except NotOurs:
        connection.close()
        raise TrainingError(
            f"{host}:{port}: the process there has another {KEY_VARIABLE}; give both the same"
        ) from None
    except OSError as error:
        connection.close()
        raise TrainingError(
            f"{host}:{port}: the process there did not answer a worker ({error}); it waits for "
            "none any more, or is no training"
        ) from None


def _connection(where: Address, until_s: float) -> socket.socket:
    while True:
        try:
            return socket.create_connection(where, GREETS_WITHIN_S)
        except OSError:
            if time.monotonic() >= until_s:
                raise
            time.sleep(_CALLS_EVERY_S)


def _listen(line: WorkerConnection, asked: "SimpleQueue[WorkerMessage]") -> None:
    """Queue messages, and end the process if the coordinator is gone.

    LightGBM may wait for other workers forever, and no exception can interrupt it there.
    """
    is_over = threading.Event()

    def heard(message: WorkerMessage) -> None:
        if message.word == "done":
            is_over.set()
        asked.put(message)

    def gone() -> None:
        if not is_over.is_set():
            os._exit(LEFT_ALONE)

    line.hear(heard, gone)


def _grow(
    line: WorkerConnection, asked: "SimpleQueue[WorkerMessage]", message: WorkerMessage, port: int
) -> None:
    rank = message.values.pop("rank")
    task = GrowthTask.unpacked(message.values, message.arrays)
    _hold_same(task)
    groups = row_groups(task.folder, task.own.places, task.encoding)
    data, held_back = _in_bins(task, groups)
    line.send("ready", port=_free(port))
    machines: str = asked.get().values["machines"]
    text = grow(
        data,
        held_back,
        _with_network(task.settings, machines, rank),
        task.trees,
        _callbacks(task, line, held_back is None),
        None if held_back is None else _asking(line, asked),
    )
    grown = lightgbm.Booster(model_str=text)
    leaves, threads = task.settings["num_leaves"], task.settings["num_threads"]
    counts = rows_of_leaves(grown, _matrices(groups), leaves, threads)
    # All workers grow the same trees, so only the first sends them.
    line.send("grown", {"counts": counts}, **({} if rank else {"text": text}))


def _hold_same(task: GrowthTask) -> None:
    try:
        # The path is the same on all machines; the content may not be.
        found = training_set_digest(task.folder)
    except OSError as error:
        raise TidegateError(
            f"{task.folder} cannot be read there ({error.strerror}); every worker needs the "
            "training set at the same path"
        ) from None
    if found != task.digest:
        raise TidegateError(
            f"{task.folder} holds {found[:19]}… there, and {task.digest[:19]}… where the training "
            "began; every worker needs the same training set"
        )


def _in_bins(
    task: GrowthTask, groups: list[RowGroup]
) -> tuple[lightgbm.Dataset, lightgbm.Dataset | None]:
    """Return the rows in bins that all workers share.

    Must run before LightGBM has a network: with one, each worker would compute the edges of some
    columns from its own rows.
    """
    edges = bin_edges(*task.sample, task.encoding, task.settings)

    data = _put(task, task.own, groups, edges)
    if task.held_back is None:
        return data, None
    watched = row_groups(task.folder, task.held_back.places, task.encoding)
    return data, _put(task, task.held_back, watched, data)


def _put(
    task: GrowthTask, rows: FileRows, groups: list[RowGroup], into: lightgbm.Dataset
) -> lightgbm.Dataset:
    read: list[lightgbm.Sequence] = [*groups]
    return into.create_valid(read, rows.labels, rows.weights, params=task.settings).construct()


def _matrices(groups: list[RowGroup]) -> Iterator[Floats]:
    for group in groups:
        rows = group[:]
        for begins in range(0, len(rows), _COUNTED_AT_A_TIME):
            yield rows[begins : begins + _COUNTED_AT_A_TIME]


def _free(port: int) -> int:
    """Return a free port: `port` itself, or any for 0; raises TrainingError if it is taken."""
    try:
        # Closed again at once, because LightGBM binds the port itself.
        with socket.create_server(("", port)) as free:
            return int(free.getsockname()[1])
    except OSError as error:
        raise TrainingError(
            f"port {port} cannot be opened ({error.strerror}); name another one by --port"
        ) from None


def _with_network(settings: dict[str, Any], machines: str, rank: int) -> dict[str, Any]:
    addresses = machines.split(",")
    return settings | {
        "tree_learner": "data",
        "machines": machines,
        "num_machines": len(addresses),
        "local_listen_port": int(addresses[rank].rpartition(":")[2]),
    }


def _callbacks(task: GrowthTask, line: WorkerConnection, tells: bool) -> list[Any]:
    callbacks: list[Any] = []
    if tells:
        callbacks.append(lambda step: line.send("tree", tree=step.iteration + 1))
    if task.settings["extra_trees"]:
        # Random thresholds get a new seed for each tree. Otherwise each feature has one sequence
        # for all trees, which advances only in the worker that evaluates the feature, so that the
        # trees would depend on the number of workers.
        seed = task.settings["seed"]
        redrawn = lightgbm.reset_parameter(
            extra_seed=lambda tree: (seed + _SEED_STEP * (tree + 1)) % _MAX_SEEDS
        )
        callbacks.append(redrawn)
    return [*callbacks, *watching(0 if tells else task.rounds, None)]


def _asking(
    line: WorkerConnection, asked: "SimpleQueue[WorkerMessage]"
) -> Callable[..., tuple[str, float, bool]]:
    """Return a measure that asks the coordinator for the ranking of all held-back rows."""
    trees = iter(range(1, sys.maxsize))

    def ranking(scores: Floats, _: lightgbm.Dataset) -> tuple[str, float, bool]:
        line.send("tree", {"scores": np.asarray(scores)}, tree=next(trees))
        return "auc", asked.get().values["auc"], True

    return ranking


def main(where: str) -> None:
    """Work for the coordinator at HOST:PORT; exit 1 with the reason on stderr."""
    host, _, port = where.rpartition(":")
    try:
        work((host, int(port)), os.environ[KEY_VARIABLE].encode())
    except TrainingError as error:
        sys.exit(f"a worker: {error}")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(sys.argv[1])
