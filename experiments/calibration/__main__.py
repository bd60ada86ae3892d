"""Promised over true probability of the highest: `python -m experiments.calibration --help`.

Each world is split as training splits it. The truth of a subject of the evaluation window is its
true probability times the share of inspected smuggling that was confirmed.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer
from scipy import optimize
from scipy.special import expit

from experiments.uninspected_traffic.__main__ import history_of
from features.records import SUBJECT_KINDS
from training.backtest.history import History
from training.data.time_split import TimeSplit, TimeWindow
from training.errors import TrainingError, WindowUnusable
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_calibrated import CalibratedFit
from training.model.calibration import calibrate, log_odds_of
from training.model.manifest import Calibration
from training.parameters import TrainingParameters
from training.ranking import Floats

SHARES = {"1 %": 0.01, "5 %": 0.05, "all": 1.0}
CLIPS = (50.0, 30.0, 20.0)
WANTED = (0.75, 1.33)
# The prior of the slope, a t of 3 degrees of freedom: the mean in earlier worlds, and its spread.
USUAL_SLOPE, SLOPE_SPREAD, DEGREES = 0.75, 0.25, 3


@dataclass(frozen=True)
class HeldBackFit(CalibratedFit):
    """A fit that keeps the labels it is calibrated on, with their margins."""

    held_back: dict[str, Floats] = field(default_factory=dict)

    def _calibration(self, margins: Floats, window: TimeWindow) -> Calibration:
        labels, rows = window.labels, window.rows
        self.held_back.update(margins=margins, labels=labels, rows=rows.astype(np.float64))
        return super()._calibration(margins, window)


def run(
    out: Annotated[Path, typer.Option(help="Folder for the worlds and figures.csv.")],
    journeys: Annotated[int, typer.Option(min=1_000, help="Of each world; as many shipments.")] = (
        60_000
    ),
    seed: Annotated[list[int] | None, typer.Option(help="Of a world; repeat for several.")] = None,
) -> None:
    """Fit both models of every world; print promised over true probability by calibration."""
    rows = []
    for number in seed or (31, 32, 33, 34):
        for kind in SUBJECT_KINDS:
            history = history_of(out, kind, journeys=journeys, seed=number)
            try:
                figures = list(promised_over_true(history))
            except (WindowUnusable, TrainingError) as refusal:
                typer.echo(f"world {number}, {kind}: {refusal}")
                continue
            rows += [{"world": number, "kind": kind} | row for row in figures]
            typer.echo(pd.DataFrame(rows[-len(figures) :]).round(2).to_string(index=False))
    table = pd.DataFrame(rows)
    table.to_csv(out / "figures.csv", index=False)
    for way, some in table.groupby("way", sort=False):
        is_wanted = some["1 %"].between(*WANTED)
        errors = [f"{name} {_typical_error(some[name]):.2f}" for name in SHARES]
        typer.echo(
            f"{way}: {is_wanted.sum()} of {len(some)} within {WANTED}; mean slope "
            f"{some['slope'].mean():.2f}, of the truth {some['true slope'].mean():.2f}; "
            f"error of the log of {', '.join(errors)}"
        )


def promised_over_true(history: History) -> Iterator[dict[str, object]]:
    """Yield a row per way of calibrating: the line, and promised over true probability by share."""
    data, parameters = history.data, TrainingParameters()
    split = TimeSplit.from_training_set(data, parameters.split)
    encoding = data.encoding(split.fit.rows, fewest=parameters.trees.fewest_per_category)
    fitting = HeldBackFit(data, split, encoding, parameters, lambda step, done, total: None)
    text, _ = fitting.fit()
    later = data.declared_between(split.evaluation.begins, split.evaluation.ends)
    values = EncodedRows(encoding.encode_columns(data.frame), later)
    margins = Margins.from_text(text, parameters.threads).predict_all(values)
    assert history.probability is not None
    is_known_smuggling = data.outcomes.is_labelled & (history.truth == 1)
    truth = history.probability[later] * data.outcomes.label[is_known_smuggling].mean()
    held, labels = fitting.held_back["margins"], fitting.held_back["labels"]
    rows = fitting.held_back["rows"].astype(np.int64)
    lines = {}
    for clip in CLIPS:
        weights = data.outcomes.weights(clip=clip)[rows]
        line = calibrate(held, labels, weights)
        lines[f"clip {clip:.0f}"] = line
        lines[f"clip {clip:.0f}, t prior"] = shrunk(line, held, weights)
    of_truth = _line_of_truth(margins, truth)
    lines["line of the truth"] = of_truth
    falling = np.argsort(-margins, kind="stable")
    for way, line in lines.items():
        promised = expit(log_odds_of(margins, line))
        row: dict[str, object] = {
            "way": way,
            "confirmed": int(labels.sum()),
            "slope": line.slope,
            "true slope": of_truth.slope,
        }
        for name, share in SHARES.items():
            highest = falling[: round(share * len(falling))]
            row[name] = float(promised[highest].sum() / truth[highest].sum())
        yield row


def shrunk(line: Calibration, margins: Floats, weights: Floats) -> Calibration:
    """Return the line whose slope is likeliest under a t prior; the mean probability stays.

    Far from the prior, a t gives way to the labels. The standard error of the slope is a sandwich
    with expected squares: actual ones are too small where no heavy label was confirmed.
    """
    mean = expit(log_odds_of(margins, line))
    design = np.column_stack([margins, np.ones(len(margins))])
    variance = weights * mean * (1 - mean)
    inverse = np.linalg.pinv(design.T @ (design * variance[:, None]))
    squares = design.T @ (design * (weights * variance)[:, None])
    error = float(np.sqrt((inverse @ squares @ inverse)[0, 0]))
    slopes = np.linspace(0.01, max(line.slope, USUAL_SLOPE) + 1, 5_000)
    far = (slopes - USUAL_SLOPE) / SLOPE_SPREAD
    loss = ((slopes - line.slope) / error) ** 2 / 2 + (DEGREES + 1) / 2 * np.log1p(far**2 / DEGREES)
    slope = float(slopes[loss.argmin()])

    def excess(intercept: float) -> float:
        return float(weights @ (expit(slope * margins + intercept) - mean))

    farthest = float(np.abs((slope - line.slope) * margins).max()) + 1e-9
    intercept = optimize.brentq(excess, line.intercept - farthest, line.intercept + farthest)
    return line.model_copy(update={"slope": slope, "intercept": float(intercept)})


def _line_of_truth(margins: Floats, truth: Floats) -> Calibration:
    """Return the line that fits true probabilities best: each subject is a case and a non-case."""
    labels = np.repeat([1.0, 0.0], len(margins))
    return calibrate(np.tile(margins, 2), labels, np.concatenate([truth, 1 - truth]))


def _typical_error(ratios: "pd.Series[float]") -> float:
    return float(np.sqrt((np.log(ratios) ** 2).mean()))


if __name__ == "__main__":
    typer.run(run)
