"""Workers as tasks of Spark: Sail's by `make spark`, barrier tasks of Spark by `make cluster`."""

from pathlib import Path

import pytest

from features.errors import TidegateError
from tests.training.planted import INPUTS
from training.data.training_set import TrainingSet
from training.fit.workers.launchers import workers_here, workers_on_spark
from training.parameters import SplitParameters, TrainingParameters, TreeParameters
from training.train import train_model

PARAMETERS = TrainingParameters(
    threads=1, split=SplitParameters(refit=False), trees=TreeParameters(trees=20)
).for_workers()


def test_tasks_of_spark_grow_what_processes_grow_and_end_where_the_training_does(
    planted: Path, master: str
) -> None:
    data = TrainingSet.read(planted, "shipment", INPUTS)

    def stop(step: str, done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), workers_on_spark(2, master, None) as growers:
        train_model(data, PARAMETERS, stop, growers)
    with workers_on_spark(2, master, None) as growers:  # there is room again
        there = train_model(data, PARAMETERS, growers=growers)
    with workers_here(2) as growers:
        here = train_model(data, PARAMETERS, growers=growers)

    assert there.model.digest == here.model.digest


def test_a_spark_that_is_not_there_is_said_at_once() -> None:
    with (
        pytest.raises(TidegateError, match="nobody answers there"),
        workers_on_spark(2, "sc://127.0.0.1:1", None),
    ):
        pass
