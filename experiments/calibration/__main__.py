"""Promised over true probability of the highest: `python -m experiments.calibration --help`.

Each world is split as training splits it. The truth of a subject of the evaluation window is its
true probability times the share of inspected smuggling that was confirmed.
"""

from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy.special import expit

from experiments.uninspected_traffic.__main__ import history_of
from features.records import SUBJECT_KINDS
from training.backtest.history import History
from training.data.time_split import TimeSplit
from training.errors import WindowUnusable
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_calibrated import CalibratedFit
from training.model.calibration import USUAL_SLOPES, calibrate, likeliest_line, log_odds_of
from training.model.manifest import Calibration
from training.parameters import SelectionParameters, TrainingParameters
from training.ranking import Floats

SHARES = {"1 %": 0.01, "5 %": 0.05, "all": 1.0}
# The clip of weights before the slope was shrunk.
EARLIER_CLIP = 50.0
WANTED = (0.75, 1.33)


def run(
    out: Annotated[Path, typer.Option(help="Folder for the worlds and figures.csv.")],
    journeys: Annotated[int, typer.Option(min=1_000, help="Of each world; as many shipments.")] = (
        60_000
    ),
    seed: Annotated[list[int] | None, typer.Option(help="Of a world; repeat for several.")] = None,
    fit: Annotated[str, typer.Option(help="What trees are fitted to: `selection.fit`.")] = (
        "traffic"
    ),
) -> None:
    """Fit both models of every world; print told over true, before and after shrinking."""
    selection = SelectionParameters.model_validate({"fit": fit})
    rows = []
    for number in seed or (21, 22, 23, 24, 25):
        for kind in SUBJECT_KINDS:
            history = history_of(out, kind, journeys=journeys, seed=number)
            try:
                figures = told_over_true(history, selection)
            except WindowUnusable as refusal:
                typer.echo(f"world {number}, {kind}: {refusal}")
                continue
            rows += [{"world": number, "kind": kind} | row for row in figures]
    table = pd.DataFrame(rows)
    table.to_csv(out / "figures.csv", index=False)
    typer.echo(table.round(2).to_string(index=False))
    for way, some in table.groupby("way", sort=False):
        is_wanted = some["1 %"].between(*WANTED)
        errors = [f"{name} {_typical_error(some[name]):.2f}" for name in SHARES]
        typer.echo(
            f"{way}: {is_wanted.sum()} of {len(some)} within {WANTED}; mean slope "
            f"{some['slope'].mean():.2f}, of the truth {some['true slope'].mean():.2f} "
            f"(sd {some['true slope'].std():.2f}); error of the log of {', '.join(errors)}"
        )


def told_over_true(history: History, selection: SelectionParameters) -> list[dict[str, object]]:
    """Return a row per way of calibrating: the line, and told over true probability by share."""
    data, parameters = history.data, TrainingParameters(selection=selection)
    split = TimeSplit.from_training_set(data, parameters.split)
    encoding = data.encoding(split.fit.rows, fewest=parameters.trees.fewest_per_category)
    fitting = CalibratedFit(data, split, encoding, parameters, lambda step, done, total: None)
    text, held_back = fitting.fit_with_held_back()
    earlier = data.outcomes.weights(clip=EARLIER_CLIP)[held_back.rows]
    later = data.declared_between(split.evaluation.begins, split.evaluation.ends)
    values = EncodedRows(encoding.encode_columns(data.frame), later)
    margins = Margins.from_text(text, parameters.threads).predict_all(values)
    assert history.probability is not None
    is_known_smuggling = data.outcomes.is_labelled & (history.truth == 1)
    truth = history.probability[later] * data.outcomes.label[is_known_smuggling].mean()
    of_truth = _line_of_truth(margins, truth)
    usual_slope, (_, held, labels, weights) = USUAL_SLOPES[selection.fit], held_back
    lines = {
        "before": likeliest_line(held, labels, earlier),
        "shrunk": calibrate(held, labels, earlier, usual_slope),
        "shrunk, and weights below 30": calibrate(held, labels, weights, usual_slope),
        "line of the truth": of_truth,
    }
    falling = np.argsort(-margins, kind="stable")
    return [
        {
            "way": way,
            "confirmed": int(held_back.labels.sum()),
            "slope": line.slope,
            "error": line.standard_error,
            "true slope": of_truth.slope,
        }
        | {
            name: float(told[highest].sum() / truth[highest].sum())
            for name, share in SHARES.items()
            for highest in [falling[: round(share * len(falling))]]
        }
        for way, line in lines.items()
        for told in [expit(log_odds_of(margins, line))]
    ]


def _line_of_truth(margins: Floats, truth: Floats) -> Calibration:
    """Return the line that fits true probabilities best: each subject is a case and a non-case."""
    labels = np.repeat([1.0, 0.0], len(margins))
    return likeliest_line(np.tile(margins, 2), labels, np.concatenate([truth, 1 - truth]))


def _typical_error(ratios: "pd.Series[float]") -> float:
    return float(np.sqrt((np.log(ratios) ** 2).mean()))


if __name__ == "__main__":
    typer.run(run)
