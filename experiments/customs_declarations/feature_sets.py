"""What is left without what the set repeats: `python -m … .feature_sets --help`.

The same trees on fewer and fewer features, and LightGBM on the paper's own columns, all fitted on
the declarations and labels that the experiment's last trees are fitted on. Each is judged on all
validation declarations, and on those whose mass and price no earlier one had together.
"""

import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import lightgbm
import numpy as np
import pandas as pd
import typer

from experiments.customs_declarations.__main__ import (
    COLUMNS,
    Declarations,
    is_new,
    parameters_for,
    read_declarations,
    training_set_of,
)
from experiments.customs_declarations.caveats import LABEL_DELAY
from features.definition import Feature
from training.confidence_intervals import Estimate, difference, with_intervals
from training.data.time_split import TimeSplit
from training.data.training_set import TrainingSet
from training.fit.booster_predict import Margins
from training.fit.encoded_rows import EncodedRows
from training.fit.fit_calibrated import CalibratedFit
from training.fit.fit_trees import fit_trees
from training.outcomes import Bools
from training.parameters import TrainingParameters
from training.ranking import Floats, ScoreRanking, at_capacity, roc_auc

TREES = 500
RAW = "the paper's columns as numbers, LightGBM, {:,} trees"
REDRAWS = 200
SEED = 7
PRICE_LOOK_UPS = (
    "same_price_confirmed_rate",
    "like_consignment_confirmed_rate",
    "goods_size_confirmed_rate",
)
AMOUNTS = ("mass", "value", "net_share", "density")
"""What the names of columns of masses and values hold."""


def reads_outcomes(feature: Feature) -> bool:
    """Whether it looks up what earlier inspections found."""
    return any("outcomes" in window.source for window in feature.windows.values())


def reads_amounts(feature: Feature) -> bool:
    """Whether it knows mass, value or price."""
    is_of_amount = any(word in column for column in feature.columns for word in AMOUNTS)
    return feature.family == "valuation" or is_of_amount


FEATURE_SETS: dict[str, Callable[[Feature], bool]] = {
    "all features": lambda f: True,
    "without the three look-ups of price and mass": lambda f: f.name not in PRICE_LOOK_UPS,
    "without any history of outcomes": lambda f: not reads_outcomes(f),
    "… and without mass, value and price": lambda f: not (reads_outcomes(f) or reads_amounts(f)),
}


def run(
    train: Annotated[Path, typer.Option(help="CSV of labelled months to fit on.")],
    valid: Annotated[Path, typer.Option(help="CSV of later labelled months to judge on.")],
) -> None:
    """Print a Markdown table, and how far two leak-free ways can be told apart."""
    declarations = Declarations(*(read_declarations(file) for file in (train, valid, valid)))
    with tempfile.TemporaryDirectory() as work:
        data = training_set_of(declarations, LABEL_DELAY, Path(work))
    parameters = parameters_for(declarations, LABEL_DELAY).with_trees(TREES)
    split = TimeSplit.from_training_set(data, parameters.split)
    raw = declarations.everything.set_index("Declaration ID").loc[data.subject_ids]
    scores = {
        name: _scores_of_features(data, split, parameters, keep)
        for name, keep in FEATURE_SETS.items()
    }
    for trees in (100, 1_000):
        scores[RAW.format(trees)] = _scores_of_raw_columns(raw, data, split, parameters, trees)
    scores["drawing by lot"] = np.zeros(len(split.evaluation.rows))
    labels, new = split.evaluation.labels, is_new(declarations, data, split.evaluation.rows)
    _print_table(scores, labels, new)
    _print_difference(scores, labels, new)


def _scores_of_features(
    data: TrainingSet,
    split: TimeSplit,
    parameters: TrainingParameters,
    keep: Callable[[Feature], bool],
) -> Floats:
    """Of the validation declarations, by trees that know nothing but the features kept."""
    features = tuple(feature for feature in data.inputs.features if keep(feature))
    inputs = replace(data.inputs, features=features)
    kept = replace(data, inputs=inputs, frame=data.frame[list(inputs.names)])
    encoding = kept.encoding(split.fit.rows, fewest=parameters.trees.fewest_per_category)
    fitting = CalibratedFit(kept, split, encoding, parameters, lambda step, done, total: None)
    rows = fitting.rows_of(split.of_final_trees(kept, parameters.split))
    text = fit_trees(rows, None, encoding, inputs, parameters)
    asked = EncodedRows(encoding.encode_columns(kept.frame), split.evaluation.rows)
    return Margins.from_text(text, parameters.threads).predict_all(asked)


def _scores_of_raw_columns(
    raw: pd.DataFrame,
    data: TrainingSet,
    split: TimeSplit,
    parameters: TrainingParameters,
    trees: int,
) -> Floats:
    """LightGBM as it comes, on codes of texts and on numbers."""
    numbers = {"Tax Rate", "Net Mass", "Item Price"}
    texts = [name for name in raw.columns if name in COLUMNS - {*numbers, "Date"}]
    columns = [pd.factorize(raw[name])[0].astype(float) for name in texts]
    columns += [raw[name].astype(float).to_numpy() for name in sorted(numbers)]
    matrix = np.column_stack(columns)
    window = split.of_final_trees(data, parameters.split)
    booster = lightgbm.train(
        {
            "objective": "binary",
            "seed": SEED,
            "num_threads": parameters.threads,
            "deterministic": True,
            "force_row_wise": True,
            "verbosity": -1,
        },
        lightgbm.Dataset(matrix[window.rows], window.labels),
        num_boost_round=trees,
    )
    return np.asarray(booster.predict(matrix[split.evaluation.rows]))


def _print_table(scores: dict[str, Floats], labels: Floats, new: Bools) -> None:
    typer.echo(
        f"{len(labels):,} validation declarations, {labels.mean():.3f} wrong; {new.sum():,} "
        f"have a mass and price that no earlier one had together, {labels[new].mean():.3f} wrong"
    )
    typer.echo("| | precision@5 % | @10 % | ROC-AUC | new: precision@5 % | new: ROC-AUC |")
    typer.echo("|---|---|---|---|---|---|")
    for name, scored in scores.items():
        everyone = with_intervals(
            ScoreRanking.from_scores(labels, scored), _figures, rounds=REDRAWS, seed=SEED
        )
        new_ones = with_intervals(
            ScoreRanking.from_scores(labels[new], scored[new]),
            _figures,
            rounds=REDRAWS,
            seed=SEED,
        )
        cells = [
            everyone["at_5"],
            everyone["at_10"],
            everyone["auc"],
            new_ones["at_5"],
            new_ones["auc"],
        ]
        typer.echo(f"| {name} | {' | '.join(_spelt(cell) for cell in cells)} |")


def _print_difference(scores: dict[str, Floats], labels: Floats, new: Bools) -> None:
    """The project's features beside raw columns, neither with outcomes, in paired redraws."""
    ours, theirs = scores["without any history of outcomes"], scores[RAW.format(100)]
    for what, rows in (("all", np.ones(len(labels), dtype=bool)), ("new ones", new)):
        apart = difference(
            ScoreRanking.from_scores(labels[rows], ours[rows]),
            ScoreRanking.from_scores(labels[rows], theirs[rows]),
            _figures,
            rounds=REDRAWS,
            seed=SEED,
        )
        typer.echo(
            f"without any history of outcomes minus the paper's columns (100 trees), {what}: "
            f"precision@5% {_spelt(apart['at_5'])}, ROC-AUC {_spelt(apart['auc'])}"
        )


def _figures(ranking: ScoreRanking) -> dict[str, float]:
    precision = {f"at_{share}": at_capacity(ranking, share / 100)["precision"] for share in (5, 10)}
    return precision | {"auc": roc_auc(ranking)}


def _spelt(estimate: Estimate) -> str:
    return f"{estimate.value:.3f} ({estimate.low:.3f} to {estimate.high:.3f})"


if __name__ == "__main__":
    typer.run(run)
