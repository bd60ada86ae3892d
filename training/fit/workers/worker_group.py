"""The coordinator's view of its workers: distribute rows, collect one model text."""

import re
import time
from collections import defaultdict, deque
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

import numpy as np

from features.errors import TidegateError
from training.data.training_set import TrainingSet
from training.errors import TrainingError, TrainingSetError
from training.fit.fit_trees import LabelledRows, LossProgress, TreeProgress, lightgbm_parameters
from training.fit.workers.connection import WorkerConnection, WorkerMessage
from training.fit.workers.growth_task import GrowthTask
from training.fit.workers.leaf_counts import with_leaf_counts
from training.model.encoding import Encoding
from training.parameters import TrainingParameters
from training.ranking import ScoreRanking, roc_auc

# Messages with the rank of their worker; None if its connection is gone.
Inbox = SimpleQueue[tuple[int, WorkerMessage | None]]

_REASONS_WITHIN_S = 1.0
_KINDS: dict[str, type[TidegateError]] = {
    kind.__name__: kind for kind in (TidegateError, TrainingSetError, TrainingError)
}
# LightGBM parameters that differ between fits, and the placeholders in the model text.
_OF_THE_NETWORK = {"machines": "", "num_machines": "1", "local_listen_port": "12400"}


@dataclass(frozen=True)
class WorkerGroup:
    """Connected workers, all of which run the same code as this process."""

    lines: list[WorkerConnection]
    inbox: Inbox

    def grow(
        self,
        data: TrainingSet,
        rows: LabelledRows,
        held_back: LabelledRows | None,
        encoding: Encoding,
        parameters: TrainingParameters,
        on_tree: TreeProgress = lambda done, total: None,
        on_loss: LossProgress | None = None,
    ) -> str:
        """Return the model text of trees grown on `rows` of `data`, as by `fit_trees`.

        It is the same for any number of workers. Raises TrainingError if one is lost,
        TidegateError if one has another training set, and TrainingError if there are fewer rows
        than workers; the group cannot be used after that.
        """
        trees, rounds = parameters.trees.trees, parameters.trees.early_stopping_rounds
        watched = held_back if rounds or on_loss else None
        self._hold_rows_for_all(rows, watched)
        # Each worker sees only a part of the held-back rows; the coordinator computes the metric.
        settings = lightgbm_parameters(data.inputs, parameters) | {"metric": "None"}
        tasks = GrowthTask.for_each(
            len(self.lines), data, encoding, settings, (trees, rounds), rows, watched
        )
        for rank, (line, task) in enumerate(zip(self.lines, tasks, strict=True)):
            values, arrays = task.packed()
            self._say(line, WorkerMessage("grow", values | {"rank": rank}, arrays))
        waiting = _Waiting(self)
        ready = waiting.one_of_each()
        hosts = [line.other_host for line in self.lines]
        ports = [message.values["port"] for message in ready]
        machines = [f"{host}:{port}" for host, port in zip(hosts, ports, strict=True)]
        self._say_all("go", machines=",".join(machines))
        while (said := waiting.one_of_each())[0].word == "tree":
            tree = said[0].values["tree"]
            on_tree(tree, trees)
            if watched:
                auc = _auc(said, watched)
                if on_loss:
                    on_loss(tree, 1 - auc)
                self._say_all("ranking", auc=auc)
        counts = sum(message.arrays["counts"] for message in said)
        return with_leaf_counts(_without_network(said[0].values["text"]), np.asarray(counts))

    def dismiss(self) -> None:
        """Tell all workers to end."""
        self._say_all("done")

    def _hold_rows_for_all(self, *parts: LabelledRows | None) -> None:
        count = len(self.lines)
        fewest = min(len(part.labels) for part in parts if part is not None)
        if fewest < count:
            raise TrainingError(
                f"there are {count} workers and only {fewest} rows to part; want at most {fewest} "
                "by --workers"
            )

    def _say_all(self, word: str, **values: Any) -> None:
        for line in self.lines:
            self._say(line, WorkerMessage(word, values))

    def _say(self, line: WorkerConnection, message: WorkerMessage) -> None:
        with suppress(OSError):  # the reader thread reports the loss, and why
            line.send(message.word, message.arrays, **message.values)


class _Waiting:
    """Messages of workers that are not processed yet."""

    def __init__(self, growers: WorkerGroup):
        self._growers = growers
        self._said: dict[int, deque[WorkerMessage]] = defaultdict(deque)

    def one_of_each(self) -> list[WorkerMessage]:
        """Return the next message of every worker, in order of rank."""
        everyone = range(len(self._growers.lines))
        while not all(self._said[rank] for rank in everyone):
            rank, message = self._growers.inbox.get()
            if message is None or message.word == "failed":
                raise self._error(rank, message)
            self._said[rank].append(message)
        return [self._said[rank].popleft() for rank in everyone]

    def _error(self, rank: int, message: WorkerMessage | None) -> TidegateError:
        """Return the error of a failed worker, preferably the cause.

        Others fail as a consequence and may report first, so wait a moment for a known cause.
        """
        ends_at = time.monotonic() + _REASONS_WITHIN_S
        failed = {rank: message}
        while all(each and each.values["kind"] not in _KINDS for each in failed.values()):
            try:
                rank, message = self._growers.inbox.get(timeout=max(0, ends_at - time.monotonic()))
            except Empty:
                break
            if message is None or message.word == "failed":
                failed[rank] = message
        rank, message = list(failed.items())[-1]
        return _error(self._name(rank), message)

    def _name(self, rank: int) -> str:
        lines = self._growers.lines
        return f"worker {rank + 1} of {len(lines)}, on {lines[rank].other_host}"


def _error(name: str, message: WorkerMessage | None) -> TidegateError:
    if message is None:
        return TrainingError(f"{name}, is gone; the trees are not grown, and nothing was kept")
    kind, reason = message.values["kind"], message.values["reason"]
    if kind in _KINDS:
        return _KINDS[kind](f"{name}: {reason}")
    return TrainingError(f"{name}: {kind}: {reason}; nothing was kept")


def _auc(said: list[WorkerMessage], rows: LabelledRows) -> float:
    scores = np.concatenate([message.arrays["scores"] for message in said])
    return roc_auc(ScoreRanking.from_scores(rows.labels, scores, weights=rows.weights))


def _without_network(text: str) -> str:
    """Return the text without network settings, so that equal trees have equal texts."""
    for name, value in _OF_THE_NETWORK.items():
        text = re.sub(rf"(?m)^\[{name}: .*\]$", f"[{name}: {value}]", text)
    return text
