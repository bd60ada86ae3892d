from dataclasses import replace

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from tests.training.planted import INPUTS
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import (
    LabelledRows,
    cross_fit_trees,
    fit_trees,
    monotone_constraints,
    tree_count,
)
from training.model.encoding import Encoding, ModelInput
from training.parameters import TrainingParameters, TreeParameters

ENCODING = Encoding(
    tuple(
        ModelInput(name=f.name, categories=("a", "b") if f.is_categorical else None)
        for f in INPUTS.features
    )
)


def drawn(rows: int, seed: int) -> LabelledRows:
    """Late payments lower the risk here, against the direction that the catalogue allows."""
    lots = np.random.default_rng(seed)
    values = np.column_stack(
        [
            lots.normal(size=rows),
            lots.poisson(2, rows),
            lots.integers(0, 2, rows),
            lots.normal(size=rows),
        ]
    ).astype(float)
    risk = 1 / (1 + np.exp(-(values[:, 0] - 0.7 * values[:, 1] + values[:, 2])))
    return LabelledRows(
        EncodedRows.from_matrix(values), (lots.random(rows) < risk).astype(float), None
    )


def with_trees(**trees: object) -> TrainingParameters:
    return TrainingParameters(threads=1, trees=TreeParameters(**trees))


def test_the_same_rows_parameters_and_seed_grow_the_same_text() -> None:
    parameters = with_trees(trees=30, row_share=0.7)
    rows, held_back = drawn(800, seed=1), drawn(400, seed=2)

    texts = [fit_trees(rows, held_back, ENCODING, INPUTS, parameters) for _ in range(2)]
    other = fit_trees(rows, held_back, ENCODING, INPUTS, parameters.model_copy(update={"seed": 8}))

    assert texts[0] == texts[1]
    assert other != texts[0]


@pytest.mark.parametrize("method", ["basic", "intermediate", "advanced"])
def test_no_score_falls_where_the_catalogue_says_it_may_only_rise(method: str) -> None:
    text = fit_trees(
        drawn(1_500, seed=3), None, ENCODING, INPUTS, with_trees(trees=60, monotone=method)
    )
    rows = np.repeat(drawn(100, seed=4).values[:], 12, axis=0)
    rows[:, 1] = np.tile(np.arange(12), 100)

    margins = Margins.from_text(text, threads=1).predict(rows).reshape(100, 12)

    assert (np.diff(margins, axis=1) >= -1e-12).all()


def test_without_constraints_the_same_rows_do_fall() -> None:
    parameters = with_trees(trees=60, monotone="off")
    text = fit_trees(drawn(1_500, seed=3), None, ENCODING, INPUTS, parameters)
    rows = np.repeat(drawn(1, seed=4).values[:], 12, axis=0)
    rows[:, 1] = np.arange(12)

    assert np.diff(Margins.from_text(text, threads=1).predict(rows)).min() < -0.1
    assert monotone_constraints(INPUTS, parameters) == [0, 0, 0, 0]
    assert monotone_constraints(INPUTS, with_trees()) == [0, 1, 0, 0]


def test_bins_from_a_part_of_the_rows_grow_nearly_the_same_trees(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows, asked = drawn(4_000, seed=3), drawn(1_000, seed=4).values[:]
    whole = fit_trees(rows, None, ENCODING, INPUTS, with_trees(trees=40))

    monkeypatch.setattr("training.fit.fit_trees.MAX_FOR_EDGES", 800)
    part = fit_trees(rows, None, ENCODING, INPUTS, with_trees(trees=40))

    assert part != whole
    margins = [Margins.from_text(text, threads=1).predict(asked) for text in (whole, part)]
    assert np.corrcoef(margins)[0, 1] > 0.98


def test_only_random_thresholds_depend_on_the_seed() -> None:
    """One split of the only feature that tells anything: the best is the best for every seed."""
    rows = drawn(800, seed=9)
    rows = replace(rows, labels=(rows.values[:][:, 0] > 0).astype(float))

    def thresholds(kind: str) -> set[str]:
        one = with_trees(trees=1, leaves=2, feature_share=1, monotone="off", thresholds=kind)
        texts = [
            fit_trees(rows, None, ENCODING, INPUTS, one.model_copy(update={"seed": seed}))
            for seed in range(8)
        ]
        return {line for text in texts for line in text.split("\n") if line[:10] == "threshold="}

    assert len(thresholds("best")) == 1
    assert len(thresholds("random")) > 1


def test_growth_stops_where_held_back_rows_gain_nothing_more() -> None:
    few, many = drawn(80, seed=5), drawn(2_000, seed=6)  # some rounds find no split

    losses: list[float] = []
    stopping = with_trees(trees=500, early_stopping_rounds=60)
    never = with_trees(trees=120, early_stopping_rounds=0, thresholds="best")

    stopped = fit_trees(
        few, many, ENCODING, INPUTS, stopping, on_loss=lambda _, loss: losses.append(loss)
    )
    whole = fit_trees(drawn(300, seed=5), many, ENCODING, INPUTS, never)

    assert 0 < tree_count(stopped) < losses.index(min(losses)) + 1 < len(losses) < 500
    assert loss_of(stopped, many) == pytest.approx(min(losses))
    assert tree_count(whole) == 120


def loss_of(text: str, rows: LabelledRows) -> float:
    margins = Margins.from_text(text, threads=1).predict_all(rows.values)
    return 1 - roc_auc_score(rows.labels, margins, sample_weight=rows.weights)


def test_all_folds_stop_where_the_mean_of_their_losses_is_least() -> None:
    rows = replace(drawn(240, seed=5), weights=np.geomspace(1, 20, 240))
    folds = np.array_split(np.arange(240), 4)
    losses: list[float] = []
    stopping = with_trees(trees=500, early_stopping_rounds=30)

    fitted = cross_fit_trees(
        rows, folds, ENCODING, INPUTS, stopping, on_loss=lambda _, loss: losses.append(loss)
    )
    own = [loss_of(text, rows.only(fold)) for text, fold in zip(fitted.texts, folds, strict=True)]

    assert fitted.rounds == losses.index(min(losses)) + 1
    assert len(losses) == fitted.rounds + 30
    assert np.mean(own) == pytest.approx(min(losses))


def test_trees_of_a_fold_learn_nothing_from_its_labels() -> None:
    rows, folds = drawn(400, seed=5), np.array_split(np.arange(400), 4)
    turned = rows.labels.copy()
    turned[folds[1]] = 1 - turned[folds[1]]
    never = with_trees(trees=20, early_stopping_rounds=0)

    fitted, after = (
        cross_fit_trees(each, folds, ENCODING, INPUTS, never)
        for each in (rows, replace(rows, labels=turned))
    )

    assert fitted.rounds == after.rounds == 20
    is_same = [one == other for one, other in zip(fitted.texts, after.texts, strict=True)]
    assert is_same == [False, True, False, False]


def test_each_tree_is_judged_by_the_weighted_share_of_pairs_in_wrong_order() -> None:
    held_back = replace(drawn(400, seed=8), weights=np.geomspace(1, 100, 400))
    losses: list[float] = []

    text = fit_trees(
        drawn(800, seed=7),
        held_back,
        ENCODING,
        INPUTS,
        with_trees(trees=20, early_stopping_rounds=0),
        on_loss=lambda trees, loss: losses.append(loss),
    )

    assert len(losses) == 20
    assert losses[-1] == pytest.approx(loss_of(text, held_back))
