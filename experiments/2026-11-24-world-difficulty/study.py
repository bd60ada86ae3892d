"""How hard is the invented world? `python study.py` prints one JSON document.

One world per seed of `parameters.toml`; every figure as its mean and standard deviation over them.
"""

import json
import sys
import tempfile
import tomllib
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
from scipy.stats import rankdata

from features.build_training_set import build_training_set
from features.records import SubjectKind
from synthetic.scenario import Scenario
from synthetic.world import invent

LATE = ("virtual_asset_escrow", "cloned_container")


def roc_auc(scores: np.ndarray, truth: np.ndarray) -> float:
    """Probability that a true case scores above a false one; ties count half."""
    positives = int(truth.sum())
    ranks = rankdata(scores)[truth].sum() - positives * (positives + 1) / 2
    return float(ranks / (positives * (len(truth) - positives)))


def single_features(
    inputs: pd.DataFrame, truth: np.ndarray, is_after: np.ndarray
) -> dict[str, float]:
    """The ten highest ROC-AUCs of a feature on its own, after the cut.

    A number counts in its better direction, missing ranks lowest; a category ranks by its share of
    true cases before the cut.
    """
    aucs = {}
    for name, column in inputs.items():
        if column.dtype == "category":
            shares = pd.Series(truth[~is_after]).groupby(column[~is_after].to_numpy()).mean()
            scores = column[is_after].astype(object).map(shares).fillna(0.0)
        else:
            scores = column[is_after].fillna(-1e18)
        auc = roc_auc(scores.to_numpy(dtype=float), truth[is_after])
        aucs[str(name)] = round(max(auc, 1 - auc), 4)
    return dict(sorted(aucs.items(), key=lambda item: -item[1])[:10])


def top(scores: np.ndarray, share: float) -> np.ndarray:
    """The rows that an office would look at."""
    return np.argsort(-scores, kind="stable")[: int(len(scores) * share)]


def studied(world: Path, kind: SubjectKind, work: Path, asked: dict[str, Any]) -> dict[str, Any]:
    """Fit on what was inspected and known by the cut, judge on the truth after it."""
    build_training_set(world, kind, work)
    rows = pd.read_parquet(work / "features.parquet")
    oracle = pd.read_parquet(world / "oracle.parquet").set_index("subject_id").loc[rows.subject_id]
    outcomes = pd.read_parquet(work / "outcomes.parquet").set_index("subject_id")
    known = outcomes.reindex(rows.subject_id)
    inputs = rows.drop(columns=["subject_id", "declared_at"])
    for name in inputs.columns.difference(inputs.select_dtypes("number").columns):
        inputs[name] = inputs[name].astype("category")
    first, last = rows.declared_at.min(), rows.declared_at.max()
    cut = first + asked["trained_until"] * (last - first)
    is_after = (rows.declared_at >= cut).to_numpy()
    truth = oracle.typology.notna().to_numpy()
    usable = (known.known_at < cut).to_numpy() & known.result.isin(
        ["confirmed", "not_confirmed"]
    ).to_numpy()
    settings = dict(asked["booster"])
    rounds = settings.pop("rounds")
    labels = (known.result == "confirmed").to_numpy()
    fitted = {}
    for teacher, taught, label in (("inspected", usable, labels), ("truth", ~is_after, truth)):
        data = lgb.Dataset(inputs[taught], label[taught])
        fitted[teacher] = np.asarray(lgb.train(settings, data, rounds).predict(inputs[is_after]))
    after, probability = truth[is_after], oracle.true_probability.to_numpy()[is_after]
    chosen = {name: top(scores, asked["inspected_share"]) for name, scores in fitted.items()}
    best = top(probability, asked["inspected_share"])
    typology = oracle.typology.to_numpy()[is_after]
    return {
        "subjects": len(rows),
        "base_rate_after_cut": float(after.mean()),
        "confirmed_to_learn_from": int(labels[usable].sum()),
        "best_single_features": single_features(inputs, truth, is_after),
        "oracle_precision": float(after[best].mean()),
        "models": {
            name: {
                "precision": float(after[rows_].mean()),
                "lift": float(after[rows_].mean() / after.mean()),
                "share_of_oracle": float(after[rows_].mean() / after[best].mean()),
                "roc_auc": roc_auc(fitted[name], after),
            }
            for name, rows_ in chosen.items()
        },
        "found_by_typology": found_by_typology(typology, chosen["inspected"]),
    }


def found_by_typology(typology: np.ndarray, chosen: np.ndarray) -> dict[str, Any]:
    """Share of each typology's true cases in the chosen rows, the late ones apart."""
    names = pd.Series(typology)
    found = names.iloc[chosen].value_counts()
    shares = {
        str(name): round(float(found.get(name, 0) / many), 3)
        for name, many in names.value_counts().items()
    }
    return {
        "known": {name: share for name, share in shares.items() if name not in LATE},
        "late": {name: share for name, share in shares.items() if name in LATE},
    }


def over_seeds(found: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """Every figure in each world (none where it was not reached), its mean and deviation."""
    figures = pd.json_normalize(found, sep=" / ").astype(float)
    return {
        str(name): {
            "mean": round(column.mean(), 4),
            "deviation": round(column.std(), 4) if column.count() > 1 else None,
            "each": [None if pd.isna(value) else round(value, 4) for value in column],
        }
        for name, column in figures.items()
    }


def main() -> None:
    """Invent a world for each seed and print what was found in them."""
    asked = tomllib.loads(Path(__file__).with_name("parameters.toml").read_text("utf-8"))
    found: dict[SubjectKind, list[dict[str, Any]]] = {"route": [], "shipment": []}
    for seed in asked["seeds"]:
        with tempfile.TemporaryDirectory() as folder:
            world = Path(folder) / "world"
            size = {name: asked[name] for name in ("journeys", "days")}
            invent(world, scenario=Scenario(), seed=seed, **size)
            for kind, studies in found.items():
                studies.append(studied(world, kind, Path(folder) / kind, asked))
        print(f"seed {seed} done", file=sys.stderr)
    print(json.dumps({kind: over_seeds(studies) for kind, studies in found.items()}, indent=1))


if __name__ == "__main__":
    main()
