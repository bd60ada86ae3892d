"""Does a tenth of inspections drawn by lot pay, with and without an abrupt change of trades?

Usage: python experiments/2026-11-24-exploration/study.py FOLDER

FOLDER holds `usual-1` … and `abrupt-1` …, each with `set` (a training set of shipments) and
`oracle.parquet`; what is missing is made there. Prints one JSON document.
"""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np

from training.backtest.figures import PolicyFigures, figures
from training.backtest.history import History
from training.backtest.policy import Policy
from training.backtest.replay import replay
from training.training_set import TrainingSet

HERE = Path(__file__).parent
WORLDS = (1, 2)
SEEDS = range(7, 12)
"""Five lives of every policy in each world: ten pairs for each kind of world."""

CHANGE_WEEK = 30
"""The first week of `begins` after which new networks practise other trades."""

JOURNEYS, DAYS = 150_000, 700
SMOOTHED = 8


def main(folder: Path) -> None:
    """Replay both policies in every world, pair by pair."""
    told = {
        kind: [_pair(folder, kind, world, seed) for world in WORLDS for seed in SEEDS]
        for kind in ("usual", "abrupt")
    }
    print(json.dumps({kind: _summed(pairs) for kind, pairs in told.items()}, indent=1))


def _pair(folder: Path, kind: str, world: int, seed: int) -> dict[str, PolicyFigures]:
    place = folder / f"{kind}-{world}"
    if not (place / "set").exists():
        _make(place, kind, world)
    data = TrainingSet.read(place / "set", "shipment")
    history = History.invented(data, place / "oracle.parquet")
    policies = {name: Policy.read(HERE / f"{name}.toml") for name in ("no_lot", "tenth_by_lot")}
    pair = {
        name: figures(replay(name, policy.model_copy(update={"seed": seed}), history))
        for name, policy in policies.items()
    }
    print(kind, world, seed, {n: p.hits.value for n, p in pair.items()}, file=sys.stderr)
    return pair


def _make(place: Path, kind: str, world: int) -> None:
    scenario = str(HERE / "abrupt.toml") if kind == "abrupt" else "usual"
    records = place / "records"
    size = ["--journeys", str(JOURNEYS), "--days", str(DAYS), "--seed", str(world)]
    tidegate = str(Path(sys.executable).parent / "tidegate")
    for command in (
        ["synth", "--out", str(records), *size, "--scenario", scenario],
        ["build", "--records", str(records), "--subject", "shipment", "--out", str(place / "set")],
    ):
        subprocess.run([tidegate, *command], check=True)
    (records / "oracle.parquet").rename(place / "oracle.parquet")


def _summed(pairs: list[dict[str, PolicyFigures]]) -> dict[str, object]:
    lost = [1 - _hits(pair["tenth_by_lot"]) / _hits(pair["no_lot"]) for pair in pairs]
    shares = {name: np.array([_shares(pair[name]) for pair in pairs]) for name in pairs[0]}
    return {
        "hits": {name: [_hits(pair[name]) for pair in pairs] for name in pairs[0]},
        "hits lost by the lot: mean, standard error": _mean(lost),
        "share of the best, before the week of the change": {
            name: _mean(each[:, CHANGE_WEEK - 1]) for name, each in shares.items()
        },
        "share of the best, 8, 16 and 34 weeks later": {
            name: [_mean(each[:, CHANGE_WEEK + later - 1]) for later in (8, 16, 34)]
            for name, each in shares.items()
        },
        "weeks until 80 % of what was lost is back": {
            name: [_recovered(row) for row in each] for name, each in shares.items()
        },
        "found of new typologies": {
            name: _mean([_new(pair[name]) for pair in pairs]) for name in pairs[0]
        },
        "bias of prevalence": {
            name: {
                way: _mean(_bias(pairs, name, way)) for way in ("naive", "weighted", "stratified")
            }
            for name in pairs[0]
        },
    }


def _hits(policy: PolicyFigures) -> float:
    assert policy.hits.value is not None
    return policy.hits.value


def _shares(policy: PolicyFigures) -> np.ndarray:
    """Hits over the best possible, over the last weeks."""
    hits = np.array([week.hits for week in policy.weeks])
    best = np.array([week.best or 0.0 for week in policy.weeks])
    window = np.ones(SMOOTHED)
    return np.convolve(hits, window)[: len(hits)] / np.convolve(best, window)[: len(best)]


def _recovered(shares: np.ndarray) -> int | None:
    """Weeks from the lowest share after the change until four fifths of the loss are made good."""
    before, after = shares[CHANGE_WEEK - 1], shares[CHANGE_WEEK:]
    lowest = int(after.argmin())
    wanted = before - 0.2 * max(before - after[lowest], 0.0)
    back = np.flatnonzero(after[lowest:] >= wanted)
    return int(back[0]) if len(back) else None


def _new(policy: PolicyFigures) -> float:
    told = [each for each in policy.typologies if each.is_new]
    return sum(each.found for each in told) / max(1, sum(each.subjects for each in told))


def _bias(pairs: list[dict[str, PolicyFigures]], name: str, way: str) -> list[float]:
    told = (b for pair in pairs for b in pair[name].prevalence)
    return [b.bias for b in told if b.way == way and b.bias is not None]


def _mean(values: object) -> tuple[float, float] | None:
    numbers = np.asarray(values, dtype=np.float64)
    if not numbers.size:
        return None
    error = float(numbers.std(ddof=1) / np.sqrt(numbers.size)) if numbers.size > 1 else 0.0
    return round(float(numbers.mean()), 4), round(error, 4)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
