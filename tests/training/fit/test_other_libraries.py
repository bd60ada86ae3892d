from collections.abc import Callable
from pathlib import Path
from typing import Any

import lightgbm
import numpy as np
import pytest
import sklearn.ensemble
import sklearn.metrics
import xgboost

from serving.models.scores import PreparedTrees
from serving.models.tree_text import read_forest
from tests.counts import count
from tests.training.planted import INPUTS
from training.data.training_set import TrainingSet
from training.errors import TrainingError
from training.fit.other_libraries import (
    GrownTree,
    grow_trees,
    largest_below,
    model_text,
    ranking_losses,
)
from training.model.encoding import Encoding, ModelInput
from training.parameters import TrainingParameters, TreeParameters
from training.ranking import Floats
from training.train import train_model

COLOURS = tuple(f"colour {number}" for number in range(40))
ENCODING = Encoding(
    (
        ModelInput(name="weight"),
        ModelInput(name="colour", categories=COLOURS),
        ModelInput(name="tenths"),
        ModelInput(name="mode", categories=("air", "road", "sea")),
        ModelInput(name="age"),
    )
)
KINDS = ["q", "c", "q", "c", "q"]
RISING = [1, 0, 0, 0, 1]


def parameters(library: str, **trees: Any) -> TrainingParameters:
    plain = {"thresholds": "best", "monotone": "basic", "trees": 40, "leaves": 12}
    return TrainingParameters(
        threads=1, trees=TreeParameters.model_validate(plain | {"library": library} | trees)
    )


def drawn(rows: int, seed: int) -> Floats:
    """Rows with gaps; of 40 colours, the last two are seen only with seed 1 and above."""
    lots = np.random.default_rng(seed)
    values = np.column_stack(
        [
            lots.normal(size=rows),
            lots.integers(0, 38 if seed == 0 else 40, rows),
            lots.integers(0, 5, rows) / 10,
            lots.integers(0, 3, rows),
            lots.exponential(size=rows),
        ]
    )
    values[lots.random(values.shape) < 0.1] = np.nan
    return values


def labels_of(values: Floats) -> Floats:
    plain = np.nan_to_num(values)
    odds = plain[:, 0] + 1.5 * (values[:, 1] % 3 == 1) + np.isnan(values[:, 2]) + plain[:, 4]
    risk = 1 / (1 + np.exp(1.5 + (values[:, 3] == 2) - odds))
    return (np.random.default_rng(9).random(len(values)) < risk).astype(float)


Grown = tuple[list[GrownTree], Callable[[Floats], Floats]]


LIBRARIES = ("scikit-learn", "xgboost")


@pytest.fixture(scope="module", params=LIBRARIES)
def grown(request: pytest.FixtureRequest) -> Grown:
    return grown_by(request.param, drawn(2_000, seed=0), parameters(request.param))


def grown_by(library: str, rows: Floats, asked: TrainingParameters) -> Grown:
    """Trees, and the margins that the library itself gives."""
    kept: list[Any] = []
    train = xgboost.train

    class Kept(sklearn.ensemble.HistGradientBoostingClassifier):
        def fit(self, *rows: Any) -> Any:
            kept.append(self)
            return super().fit(*rows)

    def trained(*asked: Any) -> Any:
        kept.append(train(*asked))
        return kept[-1]

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sklearn.ensemble, "HistGradientBoostingClassifier", Kept)
        patched.setattr(xgboost, "train", trained)
        weights = np.random.default_rng(4).uniform(0.5, 2, len(rows))
        trees = grow_trees(
            *(library, rows, labels_of(rows), weights),
            *(ENCODING, RISING, asked),
        )

    def margins(values: Floats) -> Floats:
        if library == "scikit-learn":
            return np.asarray(kept[0].decision_function(values))
        matrix = xgboost.DMatrix(values, feature_types=KINDS, enable_categorical=True)
        return np.asarray(kept[0].predict(matrix, output_margin=True), np.float64)

    return trees, margins


def test_margins_are_those_of_the_library_also_for_gaps_and_unseen_categories(
    grown: Grown,
) -> None:
    trees, margins = grown
    booster = lightgbm.Booster(model_str=model_text(trees, ENCODING))

    assert any(tree.sets for tree in trees)
    # XGBoost adds with 32 bits.
    for values in (drawn(2_000, seed=0), drawn(5_000, seed=1)):
        ours = booster.predict(values, raw_score=True)
        np.testing.assert_allclose(ours, margins(values), rtol=0, atol=3e-6)


@pytest.mark.faults
@pytest.mark.parametrize("fit", range(count(1, 6)))
@pytest.mark.parametrize("library", LIBRARIES)
def test_scores_of_larger_fits_are_the_librarys_and_contributions_are_lightgbms(
    library: str, fit: int
) -> None:
    size = count(2_000, 20_000)
    shape = [
        {},
        {"leaves": 63},
        {"trees": 150},
        {"leaves": 4},
        {"l2": 20.0},
        {"min_data_in_leaf": 200},
    ][fit]
    trees, margins = grown_by(library, drawn(size, seed=fit), parameters(library, **shape))
    text, asked = model_text(trees, ENCODING), drawn(size, seed=fit + 100)

    explained = PreparedTrees.from_text(text).explain(asked)
    theirs = lightgbm.Booster(model_str=text).predict(asked, pred_contrib=True)

    np.testing.assert_allclose(explained.margins, margins(asked), rtol=0, atol=1e-5)
    np.testing.assert_allclose(explained.parts, np.asarray(theirs)[:, :-1], rtol=0, atol=1e-9)


def test_the_strict_reader_takes_the_text_and_knows_how_many_rows_reached_a_node(
    grown: Grown,
) -> None:
    trees, margins = grown
    forest = read_forest(model_text(trees, ENCODING))

    assert set(forest.count[forest.node_start[:-1]]) == {2_000}
    assert forest.expected == pytest.approx(margins(drawn(2_000, seed=0)).mean(), abs=1e-5)


def test_a_direction_that_is_asked_for_is_kept(grown: Grown) -> None:
    _, margins = grown
    row = np.repeat(drawn(1, seed=5), 200, axis=0)
    row[:, 0] = np.linspace(-3, 3, 200)

    assert (np.diff(margins(row)) >= 0).all()


def test_the_loss_is_that_of_the_first_trees(grown: Grown) -> None:
    trees, _ = grown
    rows = drawn(2_000, seed=0)
    text = model_text(trees, ENCODING)

    losses = list(ranking_losses(trees, text, rows, labels_of(rows), None))

    part = lightgbm.Booster(model_str=model_text(trees[:7], ENCODING)).predict(rows)
    auc = sklearn.metrics.roc_auc_score(labels_of(rows), part)
    assert losses[6] == pytest.approx(1 - auc, abs=1e-12)
    assert len(losses) == len(trees)


def test_a_tree_of_one_leaf_is_written_as_lightgbm_reads_it() -> None:
    leaf = np.zeros(1, np.int64)
    tree = GrownTree(
        *(leaf, np.zeros(1), leaf.astype(bool), {}), *(leaf, leaf, np.full(1, -1.25), leaf + 9)
    )
    text = model_text([tree, tree], ENCODING)

    assert lightgbm.Booster(model_str=text).predict(drawn(1, 0), raw_score=True) == [-2.5]
    assert read_forest(text).expected == -2.5


def test_a_threshold_of_32_bits_divides_numbers_of_64_bits_as_rounded_ones() -> None:
    lots = np.random.default_rng(8)
    thresholds = np.r_[lots.normal(size=2_000) * 10.0 ** lots.integers(-30, 30, 2_000), 0, -np.inf]
    below = thresholds.astype(np.float32)
    largest = largest_below(below)

    next_ = np.nextafter(largest[:-1], np.inf)
    assert (largest.astype(np.float32) < below)[:-1].all()
    assert not (next_.astype(np.float32) < below[:-1]).any()
    assert largest[-1] == -np.inf  # to which nothing finite is sent


@pytest.mark.parametrize("library", ["scikit-learn", "xgboost"])
def test_a_column_without_values_is_never_split(library: str) -> None:
    rows = drawn(300, seed=0)
    labels = labels_of(rows)
    rows[:, 1] = rows[:, 4] = np.nan

    trees = grow_trees(library, rows, labels, None, ENCODING, RISING, parameters(library, trees=9))

    split = np.concatenate([tree.feature[tree.left > 0] for tree in trees])
    assert {1, 4}.isdisjoint(split.tolist())


@pytest.mark.parametrize("library", ["scikit-learn", "xgboost"])
def test_a_training_calibrates_and_describes_its_model_as_it_does_lightgbms(
    library: str, planted: Path
) -> None:
    data = TrainingSet.read(planted, "shipment", INPUTS)
    asked = parameters(library, trees=60, leaves=4, early_stopping_rounds=10)

    candidate = train_model(data, asked)

    manifest = candidate.model.manifest
    auc = candidate.report.inspected.roc_auc
    assert auc.low is not None
    assert auc.low > 0.65
    assert library in manifest.libraries
    for golden in manifest.golden:
        total = manifest.base_log_odds + sum(golden.contributions)
        assert total == pytest.approx(golden.log_odds, abs=1e-9)


def test_more_categories_than_scikit_learn_can_split_are_refused_by_name() -> None:
    many = ModelInput(name="colour", categories=tuple(map(str, range(256))))
    encoding = Encoding((many,))
    rows = np.zeros((10, 1))

    with pytest.raises(TrainingError, match=r"colour has more than 255 categories.*want a higher"):
        grow_trees(
            "scikit-learn", rows, rows[:, 0], None, encoding, [0], parameters("scikit-learn")
        )


def test_another_major_version_of_xgboost_is_refused_with_those_that_are_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(xgboost, "__version__", "4.0.1")
    rows = drawn(50, 0)

    with pytest.raises(TrainingError, match=r"XGBoost 4\.0\.1 is not supported; want a version 3"):
        grow_trees("xgboost", rows, labels_of(rows), None, ENCODING, RISING, parameters("xgboost"))
