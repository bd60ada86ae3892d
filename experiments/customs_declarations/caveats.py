"""What the headline figure hides: `python -m experiments.customs_declarations.caveats --help`.

Figures that belong beside it: what mere look-ups of goods code and unit price reach, without and
with way, duty and mass; how the model does on goods codes that neither it nor history has ever
seen; and what would be left where 2 % of declarations are wrong instead of 21 %.
"""

import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import typer

from experiments.customs_declarations.__main__ import (
    LABEL,
    Declarations,
    read_declarations,
    scores_of,
)
from features.engine.expressions.arithmetic import smoothed_rate
from training.ranking import Floats, ScoreRanking, at_capacity, calibration_error, pr_auc, roc_auc

Key = Callable[[pd.DataFrame], "pd.Series[str]"]

FOLDS = 5
REDRAWS = 200
LABEL_DELAY = timedelta(days=30)
"""As the command assumes it."""


def run(
    train: Annotated[Path, typer.Option(help="CSV of labelled months to fit on.")],
    valid: Annotated[Path, typer.Option(help="CSV of later labelled months to judge on.")],
) -> None:
    """Print the figures, one line each."""
    fitted, judged = read_declarations(train), read_declarations(valid)
    scores = _scores(fitted, judged, judged)
    _print("as they are", judged, scores)
    for what, key in (("unit price", _priced), ("unit price, way, duty and mass", _all_but_equal)):
        _print(f"look-up of goods code and {what}", judged, _looked_up(fitted, judged, key))
    _print("goods codes never seen", judged, _scores_of_unseen_codes(fitted, judged))
    _print_at_prevalence(judged, scores, prevalence=0.02)


def _scores(fitted: pd.DataFrame, judged: pd.DataFrame, asked: pd.DataFrame) -> Floats:
    with tempfile.TemporaryDirectory() as work:
        scored = scores_of(Declarations(fitted, judged, asked), LABEL_DELAY, Path(work))
    by_id = scored.set_index("Declaration ID")["score"]
    return by_id.loc[asked["Declaration ID"]].to_numpy()


def _scores_of_unseen_codes(fitted: pd.DataFrame, judged: pd.DataFrame) -> Floats:
    """Every judged declaration scored by a model from whose history its code was left out."""
    codes = pd.concat([fitted, judged])["HS6 Code"].unique()
    fold_of = dict(
        zip(codes, np.random.default_rng(7).integers(FOLDS, size=len(codes)), strict=True)
    )
    scores = np.full(len(judged), np.nan)
    for fold in range(FOLDS):
        is_unseen = (judged["HS6 Code"].map(fold_of) == fold).to_numpy()
        is_known = fitted["HS6 Code"].map(fold_of) != fold
        scores[is_unseen] = _scores(fitted[is_known], judged[~is_unseen], judged[is_unseen])
    return scores


def _looked_up(fitted: pd.DataFrame, judged: pd.DataFrame, key: Key) -> Floats:
    """The smoothed share of fraud among training declarations of the same key."""
    by_key = (fitted[LABEL] == "1").groupby(key(fitted)).agg(["sum", "size"])
    found = by_key.reindex(key(judged), fill_value=0)
    everything = np.array((fitted[LABEL] == "1").sum()), np.array(len(fitted))
    return smoothed_rate(found["sum"].to_numpy(), found["size"].to_numpy(), *everything)


def _priced(declarations: pd.DataFrame) -> "pd.Series[str]":
    """Goods code and price per kilogram to six digits."""
    prices = declarations["Item Price"].astype(float) / declarations["Net Mass"].astype(float)
    return declarations["HS6 Code"] + " " + prices.map("{:.6g}".format)


def _all_but_equal(declarations: pd.DataFrame) -> "pd.Series[str]":
    """The same with the countries, the duty and the mass to a tenth of its power of ten."""
    way = declarations["Country of Departure"] + declarations["Country of Origin"]
    duty = declarations["Tax Type"] + declarations["Tax Rate"]
    tenths = np.floor(10 * np.log10(declarations["Net Mass"].astype(float).clip(lower=1e-3))).map(
        "{:.0f}".format
    )
    return _priced(declarations) + " " + way + " " + duty + " " + tenths


def _print(what: str, judged: pd.DataFrame, scores: Floats) -> None:
    ranking = _ranking(judged, scores)
    typer.echo(f"{what}: {_told(ranking)}")


def _print_at_prevalence(judged: pd.DataFrame, scores: Floats, *, prevalence: float) -> None:
    """Frauds thinned out at random until they are that rare, redrawn to tell chance."""
    random = np.random.default_rng(7)
    frauds = np.flatnonzero(judged[LABEL] == "1")
    others = np.flatnonzero(judged[LABEL] != "1")
    kept = round(len(others) * prevalence / (1 - prevalence))
    precisions = []
    for _ in range(REDRAWS):
        rows = np.concatenate([others, random.choice(frauds, kept, replace=False)])
        precisions.append(_precision(_ranking(judged.iloc[rows], scores[rows]), 0.05))
    typer.echo(
        f"at {prevalence:.0%} prevalence: precision@5% {np.mean(precisions):.3f} "
        f"± {np.std(precisions):.3f}, where {prevalence / 0.05:.2f} is the most that is possible"
    )


def _told(ranking: ScoreRanking) -> str:
    return (
        f"precision@5% {_precision(ranking, 0.05):.3f}, @10% {_precision(ranking, 0.10):.3f}, "
        f"ROC-AUC {roc_auc(ranking):.3f}, PR-AUC {pr_auc(ranking):.3f}, "
        f"calibration error {calibration_error(ranking):.3f}"
    )


def _ranking(judged: pd.DataFrame, scores: Floats) -> ScoreRanking:
    return ScoreRanking.from_scores((judged[LABEL] == "1").to_numpy(), scores)


def _precision(ranking: ScoreRanking, share: float) -> float:
    return at_capacity(ranking, share)["precision"]


if __name__ == "__main__":
    typer.run(run)
