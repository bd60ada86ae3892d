"""Trees fitted by a library, bit for bit reproducible for equal rows, parameters and seed."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from training.fit.encoded_rows import EncodedRows
from training.fit.other_libraries import GrownTree, grow_trees, model_text, ranking_losses
from training.lightgbm_alone import lightgbm
from training.model.encoding import Encoding
from training.model.model_inputs import ModelInputs
from training.parameters import TrainingParameters, TreeParameters
from training.ranking import Floats, Ints

# Called after every tree with the number of trees so far, and the maximum.
TreeProgress = Callable[[int, int], None]

# Called after every tree with the number of trees, and the ranking loss on held-back rows; the mean
# over folds in a cross-fit.
LossProgress = Callable[[int, float], None]


# Rows that determine the edges of bins; more would cost memory and hardly move an edge.
MAX_FOR_EDGES = 50_000


@dataclass(frozen=True)
class LabelledRows:
    """Encoded rows with their labels, and the number of subjects each represents."""

    values: EncodedRows
    labels: Floats
    weights: Floats | None

    def only(self, places: Ints) -> "LabelledRows":
        """Return the rows at `places`."""
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
    """Return the model text of trees fitted to `rows`.

    With `held_back` rows, the fit stops when their ranking loss has not fallen for
    `early_stopping_rounds`, and trees after the best are dropped. An exception from `on_loss` ends
    the fit. Ranking loss, 1 - ROC-AUC, is the weighted share of wrongly ordered pairs of a
    confirmed and a cleared row. Log loss would stop much too early, at overconfidence that
    calibration corrects anyway.
    """
    if parameters.trees.library != "lightgbm":
        (text,), _ = _fit_elsewhere(
            [rows], [held_back], encoding, inputs, parameters, on_tree, on_loss
        )
        return text
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
    """Return the model text of trees on binned rows, up to the best if a callback stops them.

    `loss` replaces LightGBM's own measure, in the form of its `feval`.
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
    """The model texts of trees for each fold, all with `rounds` rounds, fitted without it."""

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
    """Return trees for each of the `folds` (indices into `rows`), fitted on the other rows.

    All folds grow together and stop when their mean ranking loss has not fallen for
    `early_stopping_rounds`. A single fold of some forty confirmed rows may reach its minimum by
    chance, after a dozen trees (`experiments/2026-11-27-early-stopping`).
    """
    others = [np.setdiff1d(np.arange(len(rows.labels)), fold) for fold in folds]
    if parameters.trees.library != "lightgbm":
        fitted = [rows.only(other) for other in others]
        watched = [rows.only(fold) for fold in folds]
        texts, best = _fit_elsewhere(
            fitted, watched, encoding, inputs, parameters, on_tree, on_loss
        )
        return CrossFittedTrees(texts, best)
    settings = lightgbm_parameters(inputs, parameters)
    trees, rounds = parameters.trees.trees, parameters.trees.early_stopping_rounds
    sizes: list[list[int]] = []  # after each round, of each fold
    grown: Any = lightgbm.cv(
        settings,
        _binned(rows, encoding, settings),
        trees,
        folds=list(zip(others, folds, strict=True)),
        callbacks=[
            _telling(on_tree, trees),
            lambda step: sizes.append(step.model.num_trees()),
            *watching(rounds, on_loss),
        ],
        return_cvbooster=True,
    )["cvbooster"]
    best = grown.best_iteration if rounds else trees
    return CrossFittedTrees(
        tuple(
            booster.model_to_string(num_iteration=size)
            for booster, size in zip(grown.boosters, sizes[best - 1], strict=True)
        ),
        best,
    )


def _fit_elsewhere(
    fits: Sequence[LabelledRows],
    held_back: Sequence[LabelledRows | None],
    encoding: Encoding,
    inputs: ModelInputs,
    parameters: TrainingParameters,
    on_tree: TreeProgress,
    on_loss: LossProgress | None,
) -> tuple[tuple[str, ...], int]:
    """Return the model text of each fit by another library than LightGBM, and their rounds.

    All trees are grown before the best number of them is known: only LightGBM can be stopped.
    """
    chosen, constraints = parameters.trees, monotone_constraints(inputs, parameters)
    grown: list[list[GrownTree]] = []
    for done, rows in enumerate(fits):
        on_tree(chosen.trees * done // len(fits), chosen.trees)
        grown.append(
            grow_trees(
                *(chosen.library, rows.values[:], rows.labels, rows.weights),
                *(encoding, constraints, parameters),
            )
        )
    on_tree(chosen.trees, chosen.trees)
    losses = [
        ranking_losses(
            trees, model_text(trees, encoding), rows.values[:], rows.labels, rows.weights
        )
        for trees, rows in zip(grown, held_back, strict=True)
        if rows is not None
    ]
    best = chosen.trees
    if losses and (chosen.early_stopping_rounds or on_loss):
        best = _best_round(map(np.mean, zip(*losses, strict=True)), chosen, on_loss)
    return tuple(model_text(trees[:best], encoding) for trees in grown), best


def _best_round(
    losses: Iterable[np.floating[Any]], chosen: TreeParameters, on_loss: LossProgress | None
) -> int:
    """Return the number of trees that LightGBM's early stopping would keep."""
    best, least = chosen.trees, np.inf
    for round_, loss in enumerate(losses, 1):
        if on_loss:
            on_loss(round_, float(loss))
        if not chosen.early_stopping_rounds:
            continue
        if loss < least:
            best, least = round_, float(loss)
        elif round_ - best >= chosen.early_stopping_rounds:
            break
    return best


def _binned(rows: LabelledRows, encoding: Encoding, settings: dict[str, Any]) -> lightgbm.Dataset:
    """Return rows in bins whose edges come from at most `MAX_FOR_EDGES` of them."""
    sample = sample_for_edges(rows)
    edges = bin_edges(sample.values[:], sample.labels, sample.weights, encoding, settings)
    if len(sample.labels) == len(rows.labels):
        return edges
    return edges.create_valid(rows.values, rows.labels, rows.weights)


def sample_for_edges(rows: LabelledRows) -> LabelledRows:
    """Return the rows that determine the edges of bins, evenly spaced."""
    count = len(rows.labels)
    places = np.linspace(0, count - 1, min(count, MAX_FOR_EDGES))
    return rows.only(np.unique(places.astype(np.int64)))


def bin_edges(
    values: Floats,
    labels: Floats,
    weights: Floats | None,
    encoding: Encoding,
    settings: dict[str, Any],
) -> lightgbm.Dataset:
    """Return a dataset with bin edges of its own, which other rows can share."""
    return lightgbm.Dataset(
        values,
        labels,
        weight=weights,
        feature_name=encoding.names,
        categorical_feature=encoding.categorical_places,
        params=settings,
    )


def watching(rounds: int, on_loss: LossProgress | None) -> list[Any]:
    """Return callbacks that use the ROC-AUC on held-back rows."""
    callbacks: list[Any] = []
    if on_loss:
        callbacks.append(
            lambda step: on_loss(step.iteration + 1, 1 - step.evaluation_result_list[0][2])
        )
    if rounds:
        callbacks.append(lightgbm.early_stopping(rounds, verbose=False))
    return callbacks


def tree_count(booster_text: str) -> int:
    """Return the number of trees in a model text."""
    return int(lightgbm.Booster(model_str=booster_text).num_trees())


def monotone_constraints(inputs: ModelInputs, parameters: TrainingParameters) -> list[int]:
    """Return 1, −1 or 0 per feature, as enforced; all 0 if `monotone` is off."""
    if parameters.trees.monotone == "off":
        return [0] * len(inputs.features)
    return list(inputs.directions)


def lightgbm_parameters(inputs: ModelInputs, parameters: TrainingParameters) -> dict[str, Any]:
    """Return LightGBM's parameters, without the rows and the number of trees."""
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
        # Both together make sums independent of how threads share the work.
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
