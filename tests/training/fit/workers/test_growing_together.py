"""One forest grown by several processes, beside what one process grows."""

from collections.abc import Callable

import lightgbm
import pytest

from tests.training.fit.workers.conftest import Started
from tests.training.planted import INPUTS, QUICK
from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.fit.fit_calibrated import CalibratedFit
from training.fit.fit_trees import fit_trees
from training.fit.workers.launchers import workers_here
from training.fit.workers.leaf_counts import rows_of_leaves, with_leaf_counts
from training.parameters import (
    SelectionParameters,
    SplitParameters,
    TrainingParameters,
    TreeParameters,
)
from training.train import train_model

TREES = TreeParameters(trees=30, learning_rate=0.5, monotone="basic", early_stopping_rounds=4)
PARAMETERS = TrainingParameters(**QUICK, trees=TREES).for_workers()


def with_trees(**changed: object) -> TrainingParameters:
    return PARAMETERS.model_copy(update={"trees": PARAMETERS.trees.model_copy(update=changed)})


@pytest.mark.parametrize("thresholds", ["random", "best"])
def test_two_workers_and_three_fit_calibrate_and_stop_to_the_same_bytes(
    thresholds: str, data: TrainingSet, workers: Callable[[int], Started]
) -> None:
    candidates = []
    for count in (2, 3):
        with workers(count) as (growers, _):
            candidates.append(train_model(data, with_trees(thresholds=thresholds), growers=growers))

    two, three = candidates
    assert two.model.digest == three.model.digest
    assert two.losses == three.losses
    assert 4 < len(two.losses) < 30  # it stopped early, for what all of them held back
    assert two.report.inspected.roc_auc.low is not None
    assert two.report.inspected.roc_auc.low > 0.65
    assert two.model.manifest.parameters["trees"]["learner"] == "data_parallel"
    assert "127.0.0.1" not in two.model.booster_text


def test_what_is_refitted_on_both_windows_does_not_depend_on_their_number_either(
    data: TrainingSet, workers: Callable[[int], Started], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two fits by the same workers: one that stops early, and one of as many trees on more rows."""
    monkeypatch.setattr("training.fit.fit_calibrated.MAX_CROSS_FITTED", 0)
    parameters = PARAMETERS.model_copy(update={"split": SplitParameters(refit=True)})

    candidates = []
    for count in (2, 3):
        with workers(count) as (growers, _):
            candidates.append(train_model(data, parameters, growers=growers))

    assert candidates[0].model.digest == candidates[1].model.digest


@pytest.fixture(scope="module")
def numbers(data: TrainingSet) -> CalibratedFit:
    """A fit on numbers alone: no category is frequent enough for a code."""
    split = TimeSplit.from_training_set(data, PARAMETERS.split)
    encoding = data.encoding(split.fit.rows, fewest=len(data))
    return CalibratedFit(data, split, encoding, PARAMETERS, lambda step, done, total: None)


def test_by_best_thresholds_on_numbers_workers_grow_the_trees_of_one_process(
    data: TrainingSet, numbers: CalibratedFit
) -> None:
    """To the last bit, counts of rows among them; what else the text holds is how it was fitted."""
    parameters = with_trees(thresholds="best", learning_rate=0.05, trees=10)
    rows, held_back = (
        numbers.rows_of(each) for each in (numbers.split.fit, numbers.split.calibration)
    )
    losses: list[dict[int, float]] = [{}, {}]

    with workers_here(2) as growers:
        parted = growers.grow(
            data, rows, held_back, numbers.encoding, parameters, on_loss=losses[0].__setitem__
        )
    whole = fit_trees(
        rows, held_back, numbers.encoding, INPUTS, parameters, on_loss=losses[1].__setitem__
    )

    assert trees_of(parted) == trees_of(whole)
    assert losses[0] == pytest.approx(losses[1], abs=1e-12)


def test_rows_that_weigh_alike_part_in_any_order_to_the_same_trees(
    data: TrainingSet, workers: Callable[[int], Started]
) -> None:
    parameters = with_trees(trees=12, early_stopping_rounds=0)
    selection = SelectionParameters(fit="equal")
    parameters = parameters.model_copy(update={"selection": selection})
    split = TimeSplit.from_training_set(data, parameters.split)
    encoding = data.encoding(split.fit.rows, fewest=10)
    fitting = CalibratedFit(data, split, encoding, parameters, lambda step, done, total: None)
    rows = fitting.rows_of(split.fit)

    with workers(2) as (growers, _):
        first = growers.grow(data, rows, None, encoding, parameters)
    with workers(3) as (growers, _):
        second = growers.grow(data, rows, None, encoding, parameters)

    assert first == second


def test_counting_the_rows_of_leaves_gives_what_one_process_wrote(numbers: CalibratedFit) -> None:
    rows = numbers.rows_of(numbers.split.fit)
    parameters = with_trees(trees=5, early_stopping_rounds=0)
    text = fit_trees(rows, None, numbers.encoding, INPUTS, parameters)

    counts = rows_of_leaves(
        lightgbm.Booster(model_str=text), rows.values.batches(), parameters.trees.leaves, 1
    )

    assert with_leaf_counts(text, counts) == text
    assert with_leaf_counts(text, counts + 1) != text
    assert counts.sum(axis=1).tolist() == [len(rows.labels)] * 5
    lightgbm.Booster(model_str=with_leaf_counts(text, counts * 1000))  # its sizes fit


def trees_of(text: str) -> str:
    return text.partition("\nparameters:")[0]
