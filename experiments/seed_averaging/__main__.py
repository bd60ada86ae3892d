"""One fit or the mean of several seeds: `python -m experiments.seed_averaging --help`.

Each world is split as training splits it, and trees are fitted and calibrated as training does.
Calibrated log-odds are averaged, so contributions of the mean add up. Precision is the mean true
probability of the highest ranked of the evaluation window.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy import stats

from experiments.uninspected_traffic.__main__ import history_of
from features.records import SUBJECT_KINDS
from training.backtest.history import History
from training.data.time_split import TimeSplit
from training.errors import TrainingError
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_calibrated import CalibratedFit
from training.model.calibration import log_odds_of
from training.parameters import TrainingParameters
from training.ranking import Floats, Ints

SEEDS = (1, 2, 3, 4, 5)
SHARES = (0.01, 0.05)


def run(
    out: Annotated[Path, typer.Option(help="Folder for the worlds and figures.csv.")],
    journeys: Annotated[int, typer.Option(min=1_000, help="Of each world; as many shipments.")] = (
        30_000
    ),
    seed: Annotated[list[int] | None, typer.Option(help="Of a world; repeat for several.")] = None,
) -> None:
    """Fit every kind of every world with each seed; print the gain of the mean over one fit."""
    rows = []
    for number in seed or (41, 42, 43, 44):
        for kind in SUBJECT_KINDS:
            try:
                found = precision_of_seeds(history_of(out, kind, journeys=journeys, seed=number))
            except TrainingError as refusal:
                typer.echo(f"world {number}, {kind}: {refusal}")
                continue
            rows += [{"world": number, "kind": kind} | row for row in found]
            typer.echo(pd.DataFrame(rows[-len(found) :]).round(3).to_string(index=False))
    table = pd.DataFrame(rows)
    table.to_csv(out / "figures.csv", index=False)
    for (kind, share), some in [*table.groupby(["kind", "share"]), *_of_both(table)]:
        gain = (some["of the mean"] - some["of one"]).groupby(some["world"]).mean()
        half = stats.t.ppf(0.975, len(gain) - 1) * gain.sem()
        typer.echo(
            f"{kind}, highest {share:.0%}: one fit {some['of one'].mean():.3f}, mean of "
            f"{len(SEEDS)} {some['of the mean'].mean():.3f}; gain {gain.mean():+.3f} "
            f"({gain.mean() - half:+.3f} to {gain.mean() + half:+.3f}); sd over seeds "
            f"{some['sd'].mean():.3f}"
        )


def precision_of_seeds(history: History) -> list[dict[str, float]]:
    """Return a row per share: the precision of one fit, on average, and of the mean of all."""
    data = history.data
    assert history.probability is not None
    split = TimeSplit.from_training_set(data, TrainingParameters().split)
    later = data.declared_between(split.evaluation.begins, split.evaluation.ends)
    truth = history.probability[later]
    fits = np.stack([_log_odds(history, split, seed, later) for seed in SEEDS])
    rows = []
    for share in SHARES:
        each = [_precision(scores, truth, share) for scores in fits]
        rows.append(
            {
                "share": share,
                "of one": float(np.mean(each)),
                "sd": float(np.std(each, ddof=1)),
                "least": min(each),
                "of the mean": _precision(fits.mean(axis=0), truth, share),
                "of the truth": _precision(truth, truth, share),
            }
        )
    return rows


def _log_odds(history: History, split: TimeSplit, seed: int, later: Ints) -> Floats:
    data, parameters = history.data, TrainingParameters(seed=seed)
    encoding = data.encoding(split.fit.rows, fewest=parameters.trees.fewest_per_category)
    fitting = CalibratedFit(data, split, encoding, parameters, lambda step, done, total: None)
    text, line = fitting.fit()
    values = EncodedRows(encoding.encode_columns(data.frame), later)
    return log_odds_of(Margins.from_text(text, parameters.threads).predict_all(values), line)


def _precision(scores: Floats, truth: Floats, share: float) -> float:
    highest = np.argsort(-scores, kind="stable")[: round(share * len(scores))]
    return float(truth[highest].mean())


def _of_both(table: pd.DataFrame) -> list[tuple[tuple[str, float], pd.DataFrame]]:
    return [(("both", share), table[table["share"] == share]) for share in SHARES]


if __name__ == "__main__":
    typer.run(run)
