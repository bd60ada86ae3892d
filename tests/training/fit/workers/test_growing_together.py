"""One forest grown by several processes, beside what one process grows."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import lightgbm
import numpy as np
import pytest

from tests.training.fit.workers.conftest import Started
from tests.training.planted import INPUTS, planted_world, write_training_set
from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.errors import ParametersError
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_calibrated import CalibratedFit
from training.fit.fit_trees import LabelledRows, fit_trees
from training.model.encoding import Encoding
from training.parameters import SplitParameters, TrainingParameters, TreeParameters
from training.train import train

BASIC = TreeParameters(trees=60, monotone="basic", early_stopping_rounds=8)
PARAMETERS = TrainingParameters(
    threads=1, split=SplitParameters(refit=False), trees=BASIC
).for_workers()


@pytest.fixture(scope="module")
def fitting(data: TrainingSet) -> CalibratedFit:
    split = TimeSplit.from_training_set(data, PARAMETERS.split)
    encoding = data.encoding(split.fit.rows, fewest=10)
    return CalibratedFit(data, split, encoding, PARAMETERS, lambda step, done, total: None)


@pytest.mark.parametrize("thresholds", ["random", "best"])
def test_two_workers_and_three_fit_calibrate_and_stop_to_the_same_bytes(
    thresholds: str, data: TrainingSet, workers: Callable[[int], Started]
) -> None:
    trees = BASIC.model_copy(update={"thresholds": thresholds})
    parameters = PARAMETERS.model_copy(update={"trees": trees}).for_workers()

    candidates = []
    for count in (2, 3):
        with workers(count) as (growers, _):
            candidates.append(train(data, parameters, growers=growers))

    two, three = candidates
    assert two.model.digest == three.model.digest
    assert two.losses == three.losses
    assert 8 < len(two.losses) < 60  # it stopped early, for what all of them held back
    assert two.report.inspected.roc_auc.low > 0.65


def test_what_is_refitted_on_both_windows_does_not_depend_on_their_number_either(
    data: TrainingSet, workers: Callable[[int], Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two fits by the same workers: one that stops early, and one of as many trees on more rows."""
    monkeypatch.setattr("training.fit.fit_calibrated.MOST_CROSS_FITTED", 0)
    parameters = PARAMETERS.model_copy(update={"split": SplitParameters(refit=True)})

    candidates = []
    for count in (2, 4):
        with workers(count) as (growers, _):
            candidates.append(train(data, parameters, growers=growers))

    assert candidates[0].model.digest == candidates[1].model.digest
    assert candidates[0].model.manifest.parameters["trees"]["learner"] == "data_parallel"
    assert "127.0.0.1" not in candidates[0].model.booster_text


def numbers_only(rows: int) -> tuple[LabelledRows, Encoding]:
    raise NotImplementedError
