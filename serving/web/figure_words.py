"""Names and values of model and monitoring figures as readable text."""

import re

from serving.explanation.formatting import capital, readable
from serving.language import reading, say
from training.confidence_intervals import Estimate

NOT_ENOUGH = "not enough data"
# Figures shown at once; the others are collapsed.
FIRST_FIGURES = (
    *("prevalence", "precision_at_5pct", "recall_at_5pct", "lift_at_5pct"),
    *("population_prevalence", "population_precision_at_5pct", "population_recall_at_5pct"),
    *("population_observed_over_expected", "roc_auc"),
)

SHARES = ("precision", "recall", "lift", "value captured")
OTHER_FIGURES = (
    *("prevalence", "log loss", "observed over expected", "top observed over expected"),
    *("calibration slope", "expected calibration error", "labelled", "confirmed"),
)
AT = ("1 %", "2 %", "5 %", "10 %")

WORDS = {
    "roc_auc": "ROC-AUC",
    "pr_auc": "PR-AUC",
    "brier": "Brier score",
    "ece": "calibration error",
}
# Populations that figures refer to. Only models trained by earlier versions have the last two.
AMONG = {
    "population_": ", of all traffic",
    "weighted_": ", weighted to the population",
    "random_lane_": ", drawn at random",
}


def figure_in_words(figure: str) -> str:
    """Return the name of a figure as text.

    >>> figure_in_words("population_precision_at_5pct")
    'Precision at 5 %, of all traffic'
    >>> figure_in_words("ece")
    'Calibration error'
    """
    prefix = next((known for known in AMONG if figure.startswith(known)), "")
    bare = figure.removeprefix(prefix)
    words = say(WORDS.get(bare) or re.sub(r"(\d+)pct", r"\1 %", bare).replace("_", " "))
    return capital(words) + (say(AMONG[prefix]) if prefix else "")


def share_in_words(estimate: Estimate) -> str:
    """Return a share with its interval, or the interval alone if the value is unknown.

    >>> share_in_words(Estimate(0.5, 0.25, 0.75)), share_in_words(Estimate(None))
    ('50.0 % (25.0–75.0)', 'not enough data')
    >>> share_in_words(Estimate(None, 0.25, 0.75))
    'between 25.0 and 75.0 %'
    """
    if estimate.low is None or estimate.high is None:
        return say(NOT_ENOUGH) if estimate.value is None else f"{_tenths(100 * estimate.value)} %"
    low, high = _tenths(100 * estimate.low), _tenths(100 * estimate.high)
    if estimate.value is None:
        return say("between {low} and {high} %", low=low, high=high)
    value = _tenths(100 * estimate.value)
    if estimate.low == estimate.high:
        return say("{value} % (all known)", value=value)
    return f"{value} % ({low}–{high})"


def times_in_words(estimate: Estimate) -> str:
    """Return a factor with its interval, or the interval alone if the value is unknown."""
    if estimate.low is None or estimate.high is None:
        return say(NOT_ENOUGH)
    low, high = _tenths(estimate.low), _tenths(estimate.high)
    if estimate.value is None:
        return say("between {low} and {high} ×", low=low, high=high)
    return f"{_tenths(estimate.value)} × ({low}–{high})"


def _tenths(number: float) -> str:
    return reading().language.figure(f"{number:.1f}")


def measure_in_words(name: str) -> str:
    """Return the name of a measure as text; `feature mass_kg` gives the feature's name."""
    kind, _, feature = name.partition(" ")
    return say(readable(feature)) if kind == "feature" else say(name)
