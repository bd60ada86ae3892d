"""Is LightGBM the right booster? `python study.py WORLD` prints one JSON document.

WORLD is a folder that `tidegate synth` filled as `parameters.toml` says. XGBoost and CatBoost are
no dependencies: install them where only this study looks, and name that folder in PYTHONPATH.
"""

import json
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Literal

import catboost
import lightgbm
import numpy as np
import pandas as pd
import xgboost

from features.build_training_set import build_training_set
from features.records import SubjectKind
from training.data.time_split import TimeSplit, TimeWindow
from training.data.training_set import TrainingSet
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_trees import LabelledRows as EncodedTaught
from training.fit.fit_trees import fit_trees, tree_count
from training.fit.sample_weights import weighted_rows
from training.model.encoding import Encoding
from training.model.model_inputs import ModelInputs
from training.parameters import TrainingParameters, TreeParameters
from training.ranking import ScoreRanking, roc_auc

Floats = np.ndarray
Choice = dict[str, float]
Booster = Callable[
    ["LabelledRows", "LabelledRows | None", Choice, int],
    tuple[Callable[[pd.DataFrame], Floats], int],
]
"""Grown on rows, stopped by others where given: what scores, and how many trees there are."""

USUAL = TrainingParameters()


@dataclass(frozen=True)
class LabelledRows:
    """Inputs with what trees are told of them; `encoding` is how training would read them."""

    inputs: pd.DataFrame
    targets: Floats
    weights: Floats
    encoding: Encoding
    catalogue: ModelInputs

    @property
    def encoded(self) -> EncodedTaught:
        """As training hands rows to LightGBM."""
        values = EncodedRows.from_matrix(self.encoding.encode_frame(self.inputs))
        return EncodedTaught(values, self.targets, self.weights)


def by_lightgbm(
    rows: LabelledRows,
    held_back: LabelledRows | None,
    choice: Choice,
    trees: int,
    thresholds: Literal["best", "random"] = "random",
) -> tuple[Callable[[pd.DataFrame], Floats], int]:
    """LightGBM as training grows it, with a tree of as many leaves as the depth allows."""
    chosen = TreeParameters(
        thresholds=thresholds,
        trees=trees,
        leaves=2 ** int(choice["depth"]),
        learning_rate=choice["learning_rate"],
        l2=choice["l2"],
        feature_share=choice["feature_share"],
        early_stopping_rounds=trees if held_back else 0,
    )
    text = fit_trees(
        rows.encoded,
        held_back.encoded if held_back else None,
        rows.encoding,
        rows.catalogue,
        USUAL.model_copy(update={"trees": chosen}),
    )
    model = lightgbm.Booster(model_str=text)
    return lambda inputs: model.predict(rows.encoding.encode_frame(inputs)), tree_count(text)


def by_xgboost(
    rows: LabelledRows, held_back: LabelledRows | None, choice: Choice, trees: int
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
        eval_metric="auc",
        early_stopping_rounds=trees if held_back else None,
        n_jobs=1,
        random_state=7,
    )
    watched = [(held_back.inputs, held_back.targets)] if held_back else None
    model.fit(
        rows.inputs,
        rows.targets,
        sample_weight=rows.weights,
        eval_set=watched,
        sample_weight_eval_set=[held_back.weights] if held_back else None,
        verbose=False,
    )
    best = model.best_iteration + 1 if held_back else trees
    return lambda inputs: model.predict_proba(inputs)[:, 1], best


def by_catboost(
    rows: LabelledRows, held_back: LabelledRows | None, choice: Choice, trees: int
) -> tuple[Callable[[pd.DataFrame], Floats], int]:
    """CatBoost with its own way with categories."""
    model = catboost.CatBoostClassifier(
        iterations=trees,
        learning_rate=choice["learning_rate"],
        depth=int(choice["depth"]),
        l2_leaf_reg=choice["l2"],
        rsm=choice["feature_share"],
        eval_metric="AUC:type=Classic;use_weights=true;hints=skip_train~true",
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
    "lightgbm_best_thresholds": partial(by_lightgbm, thresholds="best"),
    "xgboost": by_xgboost,
    "catboost": by_catboost,
}


def _texts(inputs: pd.DataFrame) -> pd.DataFrame:
    names = inputs.select_dtypes("category").columns
    return inputs.assign(
        **{name: inputs[name].astype(object).fillna("").astype(str) for name in names}
    )


def _pool(rows: LabelledRows) -> catboost.Pool:
    names = list(rows.inputs.select_dtypes("category").columns)
    return catboost.Pool(_texts(rows.inputs), rows.targets, cat_features=names, weight=rows.weights)


def choices(asked: dict[str, Any]) -> list[Choice]:
    """The same trials for every booster."""
    random = np.random.default_rng(asked["seed"])
    drawn = [
        {name: span[random.integers(len(span))] for name, span in asked["spans"].items()}
        for _ in range(asked["trials"] - 1)
    ]
    return [{name: span[0] for name, span in asked["spans"].items()}, *drawn]


def tuned(
    fit_trees: Booster, fit: LabelledRows, newest: LabelledRows, asked: dict[str, Any]
) -> tuple[Choice, int]:
    """The choice and number of trees with the least ranking loss on the newest rows."""
    tried = []
    for choice in choices(asked):
        score, trees = fit_trees(fit, newest, choice, asked["most_trees"])
        ranking = ScoreRanking.from_scores(
            newest.targets, score(newest.inputs), weights=newest.weights
        )
        tried.append((1 - roc_auc(ranking), choice, trees))
    _, choice, trees = min(tried, key=lambda trial: trial[0])
    return choice, trees


def studied(world: Path, kind: SubjectKind, work: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Every booster tuned on the windows that training would take, judged on the truth after."""
    build_training_set(world, kind, work)
    data = TrainingSet.read(work, kind)
    split = TimeSplit.from_training_set(data, USUAL.split)
    encoding = data.encoding(split.fit.rows, fewest=USUAL.trees.fewest_per_category)
    inputs = data.frame.copy()
    for name in inputs.columns.difference(inputs.select_dtypes("number").columns):
        inputs[name] = inputs[name].astype("category")

    def told(window: TimeWindow) -> LabelledRows:
        lesson = weighted_rows(window, data, USUAL.selection)
        weights = np.ones(len(lesson.rows)) if lesson.weights is None else lesson.weights
        return LabelledRows(
            inputs.iloc[lesson.rows], lesson.targets, weights, encoding, data.inputs
        )

    fit, newest = told(split.fit), told(split.calibration)
    learnt = told(split.before_evaluation(data, USUAL.split))
    after = data.span(split.evaluation.begins, split.evaluation.ends)
    oracle = pd.read_parquet(world / "oracle.parquet").set_index("subject_id")
    probability = oracle.true_probability.loc[data.subject_ids[after]].to_numpy()
    scores, facts = {}, {}
    for name, booster in BOOSTERS.items():
        began = time.process_time()
        choice, trees = tuned(booster, fit, newest, asked)
        score, _ = booster(learnt, None, choice, trees)
        scores[name] = score(inputs.iloc[after])
        spent = round(time.process_time() - began)
        facts[name] = {"choice": choice, "trees": trees, "cpu_seconds": spent}
        print(kind, name, facts[name], file=sys.stderr, flush=True)
    figures = compared(scores, probability, asked)
    return {name: facts[name] | figure for name, figure in figures.items()}


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
    """Print what each booster reaches, for the kinds of subject named after WORLD, or for both."""
    asked = tomllib.loads(Path(__file__).with_name("parameters.toml").read_text("utf-8"))
    kinds: Any = sys.argv[2:] or ("route", "shipment")
    with tempfile.TemporaryDirectory() as work:
        found = {k: studied(Path(sys.argv[1]), k, Path(work) / k, asked) for k in kinds}
    print(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
