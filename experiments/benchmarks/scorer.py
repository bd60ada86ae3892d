"""The scorer beside `pred_contrib`, `shap` and `Booster.predict`, in one run on the same models.

One thread each, unless said otherwise. Rows are cycled, and all are asked in turn in every round,
so that a busy machine is busy for all of them. Times are of the processor; two threads are timed by
the clock too, which needs two idle cores. A ratio says how many times faster the scorer is.
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter, process_time, thread_time

import lightgbm
import numpy as np
import shap

from serving.models.packed_forest import pack_forest
from serving.models.scores import PreparedTrees
from serving.models.tree_text import read_forest

ROUNDS = 200
BATCH_ROUNDS = 5
BATCH = 10_000
PEER_BATCH = 200
SHAPES = ((500, 63, 6), (200, 31, 5))
"""Trees, leaves, and how many times faster one explained row is to be."""

Call = Callable[[np.ndarray], object]


def main() -> None:
    """Train the models and print one table."""
    print(f"{'model':>8} {'work':<44} {'ours':>12} {'peer':>12} {'ratio':>7}  goal")
    for count, leaves, goal in SHAPES:
        rows, booster = _trained(count, leaves)
        text = booster.model_to_string()
        trees = PreparedTrees.from_text(text)
        name = f"{count}x{leaves}"
        _start(name, text)
        _agreement(name, rows[:1000], booster, trees)
        _one_row(name, rows, _calls(booster, trees), goal)
        _many_rows(name, rows, _calls(booster, trees))
        _two_threads(name, rows[:BATCH], trees)


def _calls(booster: lightgbm.Booster, trees: PreparedTrees) -> dict[str, Call]:
    return {
        "explain": trees.explain,
        "pred_contrib": lambda x: booster.predict(x, pred_contrib=True, num_threads=1),
        "shap": shap.TreeExplainer(booster).shap_values,
        "margins": trees.margins,
        "predict": lambda x: booster.predict(x, raw_score=True, num_threads=1),
    }


def _start(name: str, text: str) -> None:
    taken = min(_seconds(lambda _: pack_forest(read_forest(text)), np.empty(0)) for _ in range(5))
    _line(name, "validate and pack_forest [ms]", f"{1e3 * taken:.0f}", goal="<= 300")


def _agreement(
    name: str, rows: np.ndarray, booster: lightgbm.Booster, trees: PreparedTrees
) -> None:
    explained = trees.explain(rows, threads=2)
    theirs = np.asarray(booster.predict(rows, pred_contrib=True, num_threads=2))
    margins = np.asarray(booster.predict(rows, raw_score=True, num_threads=2))
    apart = max(
        np.abs(explained.parts - theirs[:, :-1]).max(), np.abs(explained.margins - margins).max()
    )
    _line(name, f"apart from pred_contrib, {len(rows):,} rows", f"{apart:.1e}", goal="<= 1e-9")


def _one_row(name: str, rows: np.ndarray, calls: dict[str, Call], goal: float) -> None:
    # Scoring alone in turns of its own: an explanation of shap's empties the processor's caches.
    scoring = {key: calls[key] for key in ("margins", "predict")}
    taken = _in_turn({k: c for k, c in calls.items() if k not in scoring}, rows)
    us = {key: float(np.median(t)) for key, t in (taken | _in_turn(scoring, rows)).items()}
    for peer in ("pred_contrib", "shap"):
        _ratio(name, f"one row explained, {peer} [us]", us["explain"], us[peer], goal)
    _ratio(name, "one row scored, predict [us]", us["margins"], us["predict"], 1)
    tail = float(np.percentile(taken["explain"], 99))
    _line(name, "one row explained, p99 over p50", f"{tail / us['explain']:.2f}", goal="<= 2")


def _in_turn(calls: dict[str, Call], rows: np.ndarray) -> dict[str, np.ndarray]:
    """Microseconds of each call on one row, for many rows, one call after the other."""
    taken = {key: np.empty(ROUNDS) for key in calls}
    for i in range(ROUNDS):
        for key, call in calls.items():
            taken[key][i] = 1e6 * _seconds(call, rows[i : i + 1])
    return taken


def _many_rows(name: str, rows: np.ndarray, calls: dict[str, Call]) -> None:
    asked = {key: PEER_BATCH if key in ("pred_contrib", "shap") else BATCH for key in calls}
    us = {key: np.empty(BATCH_ROUNDS) for key in calls}
    for i in range(BATCH_ROUNDS):
        for key, call in calls.items():
            us[key][i] = 1e6 * _seconds(call, rows[: asked[key]]) / asked[key]
    middle = {key: float(np.median(each)) for key, each in us.items()}
    work = f"{BATCH:,} rows"
    for peer in ("pred_contrib", "shap"):
        _ratio(name, f"{work} explained, {peer} [us/row]", middle["explain"], middle[peer], 25)
    _ratio(name, f"{work} scored, predict [us/row]", middle["margins"], middle["predict"], 1)


def _two_threads(name: str, rows: np.ndarray, trees: PreparedTrees) -> None:
    clock, processor = np.empty((BATCH_ROUNDS, 2)), np.empty((BATCH_ROUNDS, 2))
    for i in range(BATCH_ROUNDS):
        for threads in (1, 2):
            began = perf_counter()
            trees.explain(rows, threads)
            clock[i, threads - 1] = perf_counter() - began
            processor[i, threads - 1] = max(_of_each_thread(trees, rows, threads))
    for kind, taken in (("clock", clock), ("processor", processor)):
        one, two = 1e6 * taken.min(axis=0) / len(rows)
        _ratio(name, f"{len(rows):,} rows, 2 threads over 1, {kind} [us]", two, one, 1.8)


def _of_each_thread(trees: PreparedTrees, rows: np.ndarray, threads: int) -> list[float]:
    """The processor's time for each of some threads at once, which others don't add to."""

    def taken(share: np.ndarray) -> float:
        began = thread_time()
        trees.explain(share)
        return thread_time() - began

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(taken, np.array_split(rows, threads)))


def _seconds(call: Call, rows: np.ndarray) -> float:
    began = process_time()
    call(rows)
    return process_time() - began


def _ratio(name: str, work: str, ours: float, peer: float, goal: float) -> None:
    _line(name, work, f"{ours:,.1f}", f"{peer:,.1f}", f"{peer / ours:.2f}x", f">= {goal}x")


def _line(name: str, work: str, ours: str, peer: str = "", ratio: str = "", goal: str = "") -> None:
    print(f"{name:>8} {work:<44} {ours:>12} {peer:>12} {ratio:>7}  {goal}", flush=True)


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
