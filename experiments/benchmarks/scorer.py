"""The scorer beside `pred_contrib`, `shap` and `Booster.predict`, in one interleaved run.

One thread each; rows are cycled; every round asks all of them, so that a busy machine is busy for
all. Ratios above 1 say how many times faster the scorer is.
"""

from collections.abc import Callable
from time import perf_counter

import lightgbm
import numpy as np
import shap

from serving.scorer.scores import PreparedTrees

ROUNDS = 60
BATCH = 10_000
PEER_BATCH = 200
SHAPES = ((500, 63), (200, 31))


def main() -> None:
    """Train both models and print one table."""
    print(f"{'model':>10} {'work':<34} {'ours':>12} {'peer':>12} {'ratio':>7}")
    for count, leaves in SHAPES:
        rows, booster = _trained(count, leaves)
        began = perf_counter()
        trees = PreparedTrees.of_text(booster.model_to_string())
        taken = perf_counter() - began
        print(f"{count:>6}x{leaves:<3} validated, prepared and warmed in {taken:.2f} s")
        _compare(f"{count}x{leaves}", rows, booster, trees)


def _compare(name: str, rows: np.ndarray, booster: lightgbm.Booster, trees: PreparedTrees) -> None:
    explainer = shap.TreeExplainer(booster)
    calls: dict[str, Callable[[np.ndarray], object]] = {
        "ours": trees.explain,
        "pred_contrib": lambda x: booster.predict(x, pred_contrib=True, num_threads=1),
        "shap": explainer.shap_values,
        "margin": trees.margins,
        "predict": lambda x: booster.predict(x, raw_score=True, num_threads=1),
    }
    one = {key: np.empty(ROUNDS) for key in calls}
    for i in range(ROUNDS):
        for key, call in calls.items():
            one[key][i] = _seconds(call, rows[i : i + 1])
    us = {key: float(np.median(taken)) * 1e6 for key, taken in one.items()}
    for ours, peer in (("ours", "pred_contrib"), ("ours", "shap"), ("margin", "predict")):
        _line(name, f"one row, {peer} [us]", us[ours], us[peer], us[peer] / us[ours])
    batch = {
        key: BATCH / _seconds(calls[key], rows[:BATCH]) for key in ("ours", "margin", "predict")
    }
    batch["pred_contrib"] = PEER_BATCH / _seconds(calls["pred_contrib"], rows[:PEER_BATCH])
    two = BATCH / _seconds(lambda x: trees.explain(x, threads=2), rows[:BATCH])
    for ours, peer in (("ours", "pred_contrib"), ("margin", "predict")):
        _line(
            name,
            f"10,000 rows, {peer} [rows/s]",
            batch[ours],
            batch[peer],
            batch[ours] / batch[peer],
        )
    _line(name, "two threads over one [rows/s]", two, batch["ours"], two / batch["ours"])


def _seconds(call: Callable[[np.ndarray], object], rows: np.ndarray) -> float:
    began = perf_counter()
    call(rows)
    return perf_counter() - began


def _line(name: str, work: str, ours: float, peer: float, ratio: float) -> None:
    print(f"{name:>10} {work:<34} {ours:>12,.0f} {peer:>12,.0f} {ratio:>6.1f}x", flush=True)


def _trained(count: int, leaves: int) -> tuple[np.ndarray, lightgbm.Booster]:
    lots = np.random.default_rng(1)
    rows = lots.normal(size=(40_000, 60))
    rows[:, 50:] = np.floor(lots.gamma(0.7, 12, (len(rows), 10)))
    risk = rows[:, 0] + np.sin(2 * rows[:, 1]) + rows[:, 2] * rows[:, 3] + rows[:, 50] % 3
    labels = risk + lots.logistic(size=len(rows)) > np.quantile(risk, 0.95)
    rows[:, :17][lots.random((len(rows), 17)) < 0.15] = np.nan
    data = lightgbm.Dataset(rows, labels, categorical_feature=list(range(50, 60)))
    settings = {"objective": "binary", "num_leaves": leaves, "num_threads": 1, "verbosity": -1}
    settings |= {"learning_rate": 0.05, "seed": 3}
    return rows, lightgbm.train(settings, data, count)


if __name__ == "__main__":
    main()
