"""The figures of a manifest as the console names them."""

import re

FIRST = (
    *("prevalence", "precision_at_5pct", "recall_at_5pct", "lift_at_5pct"),
    *("roc_auc", "ece", "weighted_precision_at_5pct", "weighted_ece"),
)
"""Those to look at first; the others are a fold away."""

WORDS = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "brier": "Brier score",
    "ece": "calibration error",
    "ece_by_chance": "calibration error by chance",
}
AMONG = {"weighted_": ", weighted to the population", "random_lane_": ", drawn by lot"}


def named(figure: str) -> str:
    """A figure's name in words.

    >>> named("weighted_precision_at_5pct")
    'Precision at 5 %, weighted to the population'
    >>> named("ece")
    'Calibration error'
    """
    prefix = next((each for each in AMONG if figure.startswith(each)), "")
    bare = figure.removeprefix(prefix)
    words = WORDS.get(bare) or re.sub(r"(\d+)pct", r"\1 %", bare).replace("_", " ")
    return words[:1].upper() + words[1:] + AMONG.get(prefix, "")
