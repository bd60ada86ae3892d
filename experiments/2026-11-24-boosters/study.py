"""Is LightGBM the right booster? `python study.py WORLD` prints one JSON document.

WORLD is a folder that `tidegate synth` filled as `parameters.toml` says. XGBoost and CatBoost are
no dependencies: install them where only this study looks, and name that folder in PYTHONPATH.
"""

import json
import sys
import tempfile
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import catboost
import lightgbm
import numpy as np
import pandas as pd
import xgboost

from features.matrix import build_training_set
from features.records import SubjectKind

Floats = np.ndarray
Choice = dict[str, float]
Booster = Callable[
    ["Rows", "Rows | None", Choice, int], tuple[Callable[[pd.DataFrame], Floats], int]
]
"""Grown on rows, stopped by others where given: what scores, and how many trees there are."""


@dataclass(frozen=True)
class Rows:
    """Inputs with labels and weights."""

    inputs: pd.DataFrame
    labels: Floats
    weights: Floats

    def only(self, which: Floats) -> "Rows":
        """The rows that a mask selects."""
        return Rows(self.inputs[which], self.labels[which], self.weights[which])


def by_lightgbm(
    rows: Rows, held_back: Rows | None, choice: Choice, trees: int
) -> tuple[Callable[[pd.DataFrame], Floats], int]:
    """LightGBM with a tree of as many leaves as the depth allows."""
    settings = {
        "objective": "binary",
        "learning_rate": choice["learning_rate"],
        "num_leaves": 2 ** int(choice["depth"]),
        "lambda_l2": choice["l2"],
        "feature_fraction": choice["feature_share"],
        "num_threads": 1,
        "seed": 7,
        "verbose": -1,
    }
    data = lightgbm.Dataset(rows.inputs, rows.labels, weight=rows.weights)
    watched, callbacks = [], []
    if held_back:
        watched = [data.create_valid(held_back.inputs, held_back.labels, held_back.weights)]
        callbacks = [lightgbm.early_stopping(trees, verbose=False)]
    model = lightgbm.train(settings, data, trees, valid_sets=watched, callbacks=callbacks)
    best = model.best_iteration or trees
    return lambda inputs: np.asarray(model.predict(inputs, num_iteration=best)), best


def by_xgboost(
    rows: Rows, held_back: Rows | None, choice: Choice, trees: int
) -> tuple[Callable[[pd.DataFrame], Floats], int]:
    """XGBoost by histograms, with categories as such."""
    model = xgboost.XGBClassifier(
        n_estimators=trees,
        learning_rate=choice["learning_rate"],
        max_depth=int(choice["depth"]),
        reg_lambda=choice["l2"],
        colsample_bynode=choice["feature_share"],
        tree_method="hist",
        enable_categorical=True,
        early_stopping_rounds=trees if held_back else None,
        n_jobs=1,
        random_state=7,
    )
    watched = [(held_back.inputs, held_back.labels)] if held_back else None
    weights = [held_back.weights] if held_back else None
    model.fit(
        rows.inputs,
        rows.labels,
        sample_weight=rows.weights,
        eval_set=watched,
        sample_weight_eval_set=weights,
        verbose=False,
    )
    best = model.best_iteration + 1 if held_back else trees
    return lambda inputs: model.predict_proba(inputs)[:, 1], best


def by_catboost(
    rows: Rows, held_back: Rows | None, choice: Choice, trees: int
) -> tuple[Callable[[pd.DataFrame], Floats], int]:
    """CatBoost with its own way with categories."""
    model = catboost.CatBoostClassifier(
        iterations=trees,
        learning_rate=choice["learning_rate"],
        depth=int(choice["depth"]),
        l2_leaf_reg=choice["l2"],
        rsm=choice["feature_share"],
        thread_count=1,
        random_seed=7,
        verbose=False,
        allow_writing_files=False,
        use_best_model=held_back is not None,
    )
    model.fit(_pool(rows), eval_set=_pool(held_back) if held_back else None)
    return lambda inputs: model.predict_proba(_texts(inputs))[:, 1], int(model.tree_count_)


BOOSTERS: dict[str, Booster] = {
    "lightgbm": by_lightgbm,
    "xgboost": by_xgboost,
    "catboost": by_catboost,
}


def _texts(inputs: pd.DataFrame) -> pd.DataFrame:
    names = inputs.select_dtypes("category").columns
    return inputs.assign(
        **{name: inputs[name].astype(object).fillna("").astype(str) for name in names}
    )


def _pool(rows: Rows) -> catboost.Pool:
    names = list(rows.inputs.select_dtypes("category").columns)
    return catboost.Pool(_texts(rows.inputs), rows.labels, cat_features=names, weight=rows.weights)


def choices(asked: dict[str, Any]) -> list[Choice]:
    """The same trials for every booster."""
    random = np.random.default_rng(asked["seed"])
    drawn = [
        {name: span[random.integers(len(span))] for name, span in asked["spans"].items()}
        for _ in range(asked["trials"] - 1)
    ]
    return [{name: span[0] for name, span in asked["spans"].items()}, *drawn]


def tuned(grow: Booster, rows: Rows, asked: dict[str, Any]) -> tuple[Choice, int]:
    """The choice and number of trees with the least weighted log loss on the newest rows."""
    is_newest = np.arange(len(rows.labels)) >= (1 - asked["tuned_on"]) * len(rows.labels)
    newest = rows.only(is_newest)
    tried = []
    for choice in choices(asked):
        score, trees = grow(rows.only(~is_newest), newest, choice, asked["most_trees"])
        chance = np.clip(score(newest.inputs), 1e-6, 1 - 1e-6)
        losses = -np.where(newest.labels == 1, np.log(chance), np.log1p(-chance))
        tried.append((float(np.average(losses, weights=newest.weights)), choice, trees))
    _, choice, trees = min(tried, key=lambda trial: trial[0])
    return choice, trees


def studied(world: Path, kind: SubjectKind, work: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Every booster tuned and grown on what was inspected and known, judged on the truth after."""
    build_training_set(world, kind, work)
    rows = pd.read_parquet(work / "features.parquet")
    oracle = pd.read_parquet(world / "oracle.parquet").set_index("subject_id").loc[rows.subject_id]
    known = pd.read_parquet(work / "outcomes.parquet").set_index("subject_id")
    known = known.reindex(rows.subject_id)
    inputs = rows.drop(columns=["subject_id", "declared_at"])
    for name in inputs.columns.difference(inputs.select_dtypes("number").columns):
        inputs[name] = inputs[name].astype("category")
    first, last = rows.declared_at.min(), rows.declared_at.max()
    cut = first + asked["trained_until"] * (last - first)
    is_conclusive = known.result.isin(["confirmed", "not_confirmed"]).to_numpy()
    usable = (known.known_at < cut).to_numpy() & is_conclusive
    inverse = 1 / known.selection_probability.fillna(1.0).clip(lower=1e-3)
    learnt = Rows(
        inputs[usable],
        (known.result == "confirmed").to_numpy()[usable].astype(float),
        inverse.clip(upper=asked["weight_clip"]).to_numpy()[usable],
    )
    is_after = (rows.declared_at >= cut).to_numpy()
    probability = oracle.true_probability.to_numpy()[is_after]
    scores, told = {}, {}
    for name, grow in BOOSTERS.items():
        choice, trees = tuned(grow, learnt, asked)
        score, _ = grow(learnt, None, choice, trees)
        scores[name] = score(inputs[is_after])
        told[name] = {"choice": choice, "trees": trees}
        print(kind, name, told[name], file=sys.stderr)
    figures = compared(scores, probability, asked)
    return {name: told.get(name, {}) | figure for name, figure in figures.items()}


def compared(
    scores: dict[str, Floats], probability: Floats, asked: dict[str, Any]
) -> dict[str, Any]:
    """Share of the oracle's precision of each, and its lead over LightGBM on the same redraws."""
    random = np.random.default_rng(asked["seed"])
    number, draws = len(probability), {name: [] for name in scores}
    for _ in range(asked["redraws"]):
        drawn = random.integers(number, size=number)
        for name, score in scores.items():
            draws[name].append(_share(score[drawn], probability[drawn], asked["inspected_share"]))
    return {
        name: {
            "share_of_oracle": round(_share(score, probability, asked["inspected_share"]), 3),
            "interval": _interval(np.array(draws[name])),
            "lead_over_lightgbm": _interval(np.array(draws[name]) - np.array(draws["lightgbm"])),
        }
        for name, score in scores.items()
    }


def _share(score: Floats, probability: Floats, share: float) -> float:
    chosen, best = (np.argsort(-by, kind="stable") for by in (score, probability))
    many = int(len(score) * share)
    return float(probability[chosen[:many]].mean() / probability[best[:many]].mean())


def _interval(values: Floats) -> list[float]:
    return [round(float(value), 3) for value in np.quantile(values, [0.025, 0.975])]


def main() -> None:
    """Print what each booster reaches for both kinds of subject."""
    asked = tomllib.loads(Path(__file__).with_name("parameters.toml").read_text("utf-8"))
    kinds: tuple[SubjectKind, ...] = ("route", "shipment")
    with tempfile.TemporaryDirectory() as work:
        found = {k: studied(Path(sys.argv[1]), k, Path(work) / k, asked) for k in kinds}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
