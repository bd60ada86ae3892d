"""How many trees training grows under one seed and the next, and what that costs.

    python -m experiments.2026-11-27-early-stopping.study HOME [JOURNEYS]

The two worlds of `2026-11-27-directions-and-features`, kept in HOME, models of both kinds, `SEEDS`
fits each. *One window* is how growth was stopped before: by the ranking loss of the calibration
window alone, under trees of the fit window. *Four folds* is how training stops it now. Precision
among the highest 1 and 5 % of all traffic of the last months, and the log loss of its
probabilities, are those of the world's own probabilities, so that no outcome is drawn. Processor
seconds are those of the whole fit with its calibration. `notes.md` tells what came of it.
"""

import sys
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np

from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_calibrated import CalibratedFit
from training.fit.fit_trees import fit_trees, tree_count
from training.model.encoding import Encoding
from training.model.manifest import Calibration
from training.parameters import TrainingParameters
from training.ranking import Floats

directions = import_module("experiments.2026-11-27-directions-and-features.study")

SEEDS = range(6)

Fit = Callable[[Any, Encoding, TrainingParameters], tuple[str, Calibration]]


@dataclass(frozen=True)
class Figures:
    """What one fit is worth."""

    trees: int
    at_1: float
    at_5: float
    log_loss: float
    seconds: float


def by_one_window(
    world: Any, encoding: Encoding, parameters: TrainingParameters
) -> tuple[str, Calibration]:
    """The number of trees from the calibration window; cross-fitted and grown anew with it."""
    fitting = CalibratedFit(world.data, world.split, encoding, parameters, lambda *step: None)
    fit, held_back = (fitting.rows_of(w) for w in (world.split.fit, world.split.calibration))
    text = fit_trees(fit, held_back, encoding, world.data.inputs, parameters)
    return by_four_folds(world, encoding, parameters.with_trees(tree_count(text)))


def by_four_folds(
    world: Any, encoding: Encoding, parameters: TrainingParameters
) -> tuple[str, Calibration]:
    """As training does it."""
    fitting = CalibratedFit(world.data, world.split, encoding, parameters, lambda *step: None)
    return fitting.fit()


RULES: dict[str, Fit] = {"one window": by_one_window, "four folds": by_four_folds}


def figures_of(
    world: Any, values: EncodedRows, encoding: Encoding, rule: Fit, seed: int
) -> Figures:
    """Fit under the seed, and judge by the world's own probabilities."""
    began = process_time()
    parameters = directions.PARAMETERS.model_copy(update={"seed": seed})
    text, line = rule(world, encoding, parameters)
    seconds = process_time() - began
    margins = Margins.from_text(text, 1).predict_all(values)
    log_odds = line.slope * margins + line.intercept
    return Figures(
        tree_count(text),
        *(precision(world.truth, margins, share) for share in (0.01, 0.05)),
        float((np.logaddexp(0, log_odds) - world.truth * log_odds).mean()),
        seconds,
    )


def precision(truth: Floats, margins: Floats, share: float) -> float:
    """The mean truth of the highest share."""
    highest = np.argsort(-margins, kind="stable")[: int(share * len(truth))]
    return float(truth[highest].mean())


def main() -> None:
    """Print a table for each kind of each world, a row for each fit."""
    home, journeys = Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 40_000
    for number, world in directions.worlds(home, journeys):
        windows = world.split.fit, world.split.calibration
        counts = " and ".join(f"{w.labels.sum():.0f} of {len(w.rows):,}" for w in windows)
        print(f"\n{world.kind}s of world {number}; confirmed in both windows: {counts}\n")
        fewest = directions.PARAMETERS.trees.fewest_per_category
        encoding = world.data.encoding(world.split.fit.rows, fewest=fewest)
        values = EncodedRows(encoding.encode_columns(world.data.frame), world.rows)
        print("| stopped by | seed | trees | at 1 % | at 5 % | log loss | s |")
        print("|---|---|---|---|---|---|---|")
        for seed in SEEDS:
            for name, rule in RULES.items():
                f = figures_of(world, values, encoding, rule, seed)
                print(
                    f"| {name} | {seed} | {f.trees} | {f.at_1:.3f} | {f.at_5:.3f}"
                    f" | {f.log_loss:.4f} | {f.seconds:.1f} |",
                    flush=True,
                )


if __name__ == "__main__":
    main()
