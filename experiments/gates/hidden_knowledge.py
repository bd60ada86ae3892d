"""Scores and columns that know inspections or results, next to honest ones."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.special import expit

from training.estimation.inspected_sample import InspectedSample, inspected_sample, placed_by
from training.evaluation.scored_alike import scored_alike
from training.gates.verdict import Answer
from training.leakage.single_features import features_that_predict_labels
from training.leakage.target_lookup import Sample
from training.outcomes import Bools
from training.ranking import Floats

# Traffic whose inspections are drawn: features, and the share that an older score chooses.
TRAFFIC, CHOSEN = 8_000, 0.05
DRAWS = (40, 60, 100, 200)

# Inspections with a result of a year, of which the last part are evaluated.
INSPECTED, EVALUATED = 2_000, 0.2
CONFIRMED = (50, 100, 150, 300)
# The share of confirmed and of other subjects that a column is set for.
COLUMNS = {
    "knows 30 %, set for 1 % of others": (0.30, 0.01),
    "knows 20 %, set for 1 % of others": (0.20, 0.01),
    "an honest sign, 5 times as frequent": (0.20, 0.04),
    "nothing": (0.02, 0.02),
}


def uninspected_rows(years: int, seed: int) -> Iterator[tuple[str, "Counter[Answer]"]]:
    """Yield how often figures of all traffic are given, or refused, for eight and 60 features."""
    for features in (8, 60):
        for draws in DRAWS:
            answers: dict[str, Counter[Answer]] = {}
            for number in range(years):
                rng = np.random.default_rng([seed, number])
                frame, scores, sample, is_inspected = _traffic(rng, features, draws)
                for name, given in _scores(scores, is_inspected, rng).items():
                    placed = placed_by(sample, given)
                    judged = scored_alike(placed, frame, np.arange(TRAFFIC), given, is_inspected)
                    answer: Answer = "passed" if judged.refusal is None else "undecided"
                    answers.setdefault(name, Counter())[answer] += 1
            for name, found in answers.items():
                yield f"{features} features, {draws} draws: {name}", found


def leak_rows(years: int, seed: int) -> Iterator[tuple[str, "Counter[Answer]"]]:
    """Yield how often a column leaves the leakage gate undecided, by the confirmed of a year."""
    for confirmed in CONFIRMED:
        for name, (of_confirmed, of_others) in COLUMNS.items():
            found = Counter[Answer]()
            for number in range(years):
                rng = np.random.default_rng([seed, number])
                labels = np.zeros(INSPECTED)
                labels[rng.choice(INSPECTED, confirmed, replace=False)] = 1.0
                chance = np.where(labels == 1, of_confirmed, of_others)
                frame = pd.DataFrame({"column": (rng.random(INSPECTED) < chance).astype(float)})
                fit = round((1 - EVALUATED) * INSPECTED)
                sample = Sample(frame, labels, fit, np.arange(INSPECTED))
                warned = [*features_that_predict_labels(sample, largest_auc=0.95)]
                found["undecided" if warned else "passed"] += 1
            yield f"{confirmed} confirmed: {name}", found


def _traffic(
    rng: np.random.Generator, features: int, draws: int
) -> tuple[pd.DataFrame, Floats, InspectedSample, Bools]:
    """Draw traffic of which an older score chooses some, and a lot some more."""
    values = rng.normal(size=(TRAFFIC, features))
    of_features = rng.normal(size=features)
    scores = 1.3 * values @ of_features / np.linalg.norm(of_features)
    scores += 0.4 * np.tanh(values[:, 0] * values[:, 1])
    older = scores + rng.normal(size=TRAFFIC)
    chosen = 0.8 * (np.argsort(np.argsort(-older)) < CHOSEN * TRAFFIC)
    probability = 1 - (1 - chosen) * (1 - draws / TRAFFIC)
    is_inspected = rng.random(TRAFFIC) < probability
    is_smuggling = (rng.random(TRAFFIC) < expit(scores - 4)).astype(np.float64)
    sample = inspected_sample(
        np.where(is_inspected, is_smuggling, np.nan),
        np.where(is_inspected, "model", None).astype(object),
        np.where(is_inspected, probability, np.nan),
    )
    return pd.DataFrame(values).rename(columns=str), scores, sample, is_inspected


def _scores(scores: Floats, is_inspected: Bools, rng: np.random.Generator) -> dict[str, Floats]:
    """Return honest scores, and such as differ where nobody inspected."""
    others = np.flatnonzero(~is_inspected)
    rising = others[np.argsort(scores[others])]
    turned, shuffled = scores.copy(), scores.copy()
    turned[rising] = scores[rising[::-1]]
    shuffled[others] = scores[rng.permutation(others)]
    return {
        "a function of the features": scores,
        "the truth": scores + 0.5 * rng.normal(size=TRAFFIC),
        "noise": rng.normal(size=TRAFFIC),
        "reversed where nobody inspected": turned,
        "shuffled where nobody inspected": shuffled,
    }
