"""Trees fitted by LightGBM, the same to the last bit for the same rows, parameters and seed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import lightgbm
import numpy as np

from training.fit.encoded_rows import EncodedRows
from training.model.encoding import Encoding
from training.model.model_inputs import ModelInputs
from training.parameters import TrainingParameters
from training.ranking import Floats, Ints

# Called after every tree: how many there are, and how many there may be.
TreeProgress = Callable[[int, int], None]

# Called after every tree: how many there are, and the ranking loss on rows held back; of several
# folds its mean.
LossProgress = Callable[[int, float], None]


# Rows that settle where bins end; more would cost memory and move no edge to speak of.
MOST_FOR_EDGES = 50_000


@dataclass(frozen=True)
class LabelledRows:
    """Encoded rows with their labels, and how many subjects each stands for."""

    values: EncodedRows
    labels: Floats
    weights: Floats | None

    def only(self, places: Ints) -> "LabelledRows":
        """The rows at `places`."""
        weights = None if self.weights is None else self.weights[places]
        return LabelledRows(self.values.only(places), self.labels[places], weights)


def fit_trees(
    rows: LabelledRows,
    held_back: LabelledRows | None,
    encoding: Encoding,
    inputs: ModelInputs,
    parameters: TrainingParameters,
    on_tree: TreeProgress = lambda done, total: None,
    on_loss: LossProgress | None = None,
) -> str:
    """The model text of trees fitted to `rows`.

    With rows `held_back`, the fit stops where their ranking loss has not fallen for
    `early_stopping_rounds`, and the trees after the best are left out. What `on_loss` raises
    ends it.
    Ranking loss is the weighted share of pairs of a confirmed and a cleared row in wrong order,
    1 - ROC-AUC: log loss would stop far too soon, at the overconfidence that calibration undoes.
    """
    settings = lightgbm_parameters(inputs, parameters)
    data = _binned(rows, encoding, settings)
    trees, rounds = parameters.trees.trees, parameters.trees.early_stopping_rounds
    if held_back is None or not (rounds or on_loss):
        return grow(data, None, settings, trees, [_telling(on_tree, trees)])
    watched = data.create_valid(held_back.values, held_back.labels, held_back.weights)
    callbacks = [_telling(on_tree, trees), *watching(rounds, on_loss)]
    return grow(data, watched, settings, trees, callbacks)


def grow(
    data: lightgbm.Dataset,
    held_back: lightgbm.Dataset | None,
    settings: dict[str, Any],
    trees: int,
    callbacks: list[Any],
    loss: Callable[..., Any] | None = None,
) -> str:
    """The model text of trees on rows in bins, up to the best of them where a callback stops them.

    `loss` is a measure in place of LightGBM's own, as LightGBM asks for one.
    """
    sizes: list[int] = []  # after each round: one that finds no split adds no tree
    booster = lightgbm.train(
        settings,
        data,
        trees,
        valid_sets=[] if held_back is None else [held_back],
        feval=loss,
        callbacks=[*callbacks, lambda step: sizes.append(step.model.num_trees())],
    )
    best = booster.best_iteration
    return str(booster.model_to_string(num_iteration=sizes[best - 1] if best else -1))


def _telling(on_tree: TreeProgress, trees: int) -> Any:
    return lambda step: on_tree(step.iteration + 1, trees)


@dataclass(frozen=True)
class CrossFittedTrees:
    """For each fold the model text of trees that never saw it, all grown for as many `rounds`."""

    texts: tuple[str, ...]
    rounds: int


def cross_fit_trees(
    rows: LabelledRows,
    folds: Sequence[Ints],
    encoding: Encoding,
    inputs: ModelInputs,
    parameters: TrainingParameters,
    on_tree: TreeProgress = lambda done, total: None,
    on_loss: LossProgress | None = None,
) -> CrossFittedTrees:
    """Trees for each of the `folds`, places in `rows`, fitted on the rows outside of it.

    All folds grow together and stop where the mean of their ranking losses has not fallen for
    `early_stopping_rounds`. A single fold of some forty confirmed rows may have its least loss by
    chance, after a dozen trees (`experiments/2026-11-27-early-stopping`).
    """
    settings = lightgbm_parameters(inputs, parameters)
    trees, rounds = parameters.trees.trees, parameters.trees.early_stopping_rounds
    sizes: list[list[int]] = []  # after each round, of each fold
    grown: Any = lightgbm.cv(
        settings,
        _binned(rows, encoding, settings),
        trees,
        folds=[(np.setdiff1d(np.arange(len(rows.labels)), fold), fold) for fold in folds],
        callbacks=[
            _telling(on_tree, trees),
            lambda step: sizes.append(step.model.num_trees()),
            *watching(rounds, on_loss),
        ],
        return_cvbooster=True,
    )["cvbooster"]
    best = grown.best_iteration if rounds else trees
    texts = (
        booster.model_to_string(num_iteration=size)
        for booster, size in zip(grown.boosters, sizes[best - 1], strict=True)
    )
    return CrossFittedTrees(tuple(texts), best)


def _binned(rows: LabelledRows, encoding: Encoding, settings: dict[str, Any]) -> lightgbm.Dataset:
    """The rows in bins, whose edges are those of at most `MOST_FOR_EDGES` of them."""
    sample = sample_for_edges(rows)
    edges = bin_edges(sample.values[:], sample.labels, sample.weights, encoding, settings)
    if len(sample.labels) == len(rows.labels):
        return edges
    return edges.create_valid(rows.values, rows.labels, rows.weights)


def sample_for_edges(rows: LabelledRows) -> LabelledRows:
    """The rows that settle where bins end, evenly spaced among all."""
    count = len(rows.labels)
    places = np.linspace(0, count - 1, min(count, MOST_FOR_EDGES))
    return rows.only(np.unique(places.astype(np.int64)))


def bin_edges(
    values: Floats,
    labels: Floats,
    weights: Floats | None,
    encoding: Encoding,
    settings: dict[str, Any],
) -> lightgbm.Dataset:
    """Rows in bins of their own, which others may be put into."""
    return lightgbm.Dataset(
        values,
        labels,
        weight=weights,
        feature_name=encoding.names,
        categorical_feature=encoding.categorical_places,
        params=settings,
    )


def watching(rounds: int, on_loss: LossProgress | None) -> list[Any]:
    """Callbacks that look at the ROC-AUC of rows held back."""
    callbacks: list[Any] = []
    if on_loss:
        callbacks.append(
            lambda step: on_loss(step.iteration + 1, 1 - step.evaluation_result_list[0][2])
        )
    if rounds:
        callbacks.append(lightgbm.early_stopping(rounds, verbose=False))
    return callbacks


def tree_count(booster_text: str) -> int:
    """Return how many trees a model text holds."""
    return int(lightgbm.Booster(model_str=booster_text).num_trees())


def monotone_constraints(inputs: ModelInputs, parameters: TrainingParameters) -> list[int]:
    """1, −1 or 0 per feature, as enforced; all 0 where `monotone` is off."""
    if parameters.trees.monotone == "off":
        return [0] * len(inputs.features)
    return list(inputs.directions)


def lightgbm_parameters(inputs: ModelInputs, parameters: TrainingParameters) -> dict[str, Any]:
    """LightGBM's parameters besides the rows and the number of trees."""
    trees = parameters.trees
    settings: dict[str, Any] = {
        "objective": "binary",
        "metric": "auc",
        "num_leaves": trees.leaves,
        "learning_rate": trees.learning_rate,
        "min_data_in_leaf": trees.min_data_in_leaf,
        "lambda_l1": trees.l1,
        "lambda_l2": trees.l2,
        "feature_fraction": trees.feature_share,
        "bagging_fraction": trees.row_share,
        "bagging_freq": 1 if trees.row_share < 1 else 0,
        "cat_smooth": trees.category_smoothing,
        "extra_trees": trees.thresholds == "random",
        "seed": parameters.seed,
        "num_threads": parameters.threads,
        # The two together make sums independent of how threads share the work.
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
    constraints = monotone_constraints(inputs, parameters)
    if any(constraints):
        settings |= {
            "monotone_constraints": constraints,
            "monotone_constraints_method": trees.monotone,
        }
    return settings
