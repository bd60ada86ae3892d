"""Scores are one function of what was declared, for inspected and other subjects."""

import numpy as np
import pandas as pd
import pytest

from training.estimation.inspected_sample import InspectedSample, inspected_sample, placed_by
from training.evaluation.scored_alike import scored_alike
from training.outcomes import Bools
from training.ranking import Floats

TRAFFIC = 4_000
EVERYONE = np.arange(TRAFFIC)


def traffic(rng: np.random.Generator) -> tuple[pd.DataFrame, Floats, InspectedSample, Bools]:
    """Four thousand subjects, 5 % of them chosen by an older score and 2 % drawn by lot."""
    frame = pd.DataFrame(rng.normal(size=(TRAFFIC, 6))).rename(columns=str).assign(mode="sea")
    frame.iloc[rng.random(TRAFFIC) < 0.3, 0] = np.nan
    numbers = frame.drop(columns="mode").fillna(0.0).to_numpy()
    scores = numbers @ np.array([1.0, 0.8, 0.5, 0.3, 0.1, 0.0]) + np.tanh(numbers[:, 1]) ** 2
    chosen = 0.8 * (np.argsort(np.argsort(-scores - rng.normal(size=TRAFFIC))) < 0.05 * TRAFFIC)
    probability = 1 - (1 - chosen) * 0.98
    is_inspected = rng.random(TRAFFIC) < probability
    sample = inspected_sample(
        np.where(is_inspected, 0.0, np.nan),
        np.where(is_inspected, "model", None).astype(object),
        np.where(is_inspected, probability, np.nan),
    )
    return frame, scores, sample, is_inspected


@pytest.mark.parametrize("known", ["declared", "the truth", "nothing"])
def test_scores_that_know_nothing_of_inspections_are_never_refused(known: str) -> None:
    rng = np.random.default_rng(20261202)
    for _ in range(60):
        frame, scores, sample, is_inspected = traffic(rng)
        by_chance = rng.normal(size=TRAFFIC)
        given = {"declared": scores, "the truth": scores + by_chance, "nothing": by_chance}[known]
        assert scored_alike(sample, frame, EVERYONE, given, is_inspected).refusal is None


@pytest.mark.parametrize("way", ["reversed", "shuffled"])
def test_a_score_exchanged_among_all_who_were_not_inspected_is_refused(way: str) -> None:
    rng = np.random.default_rng(20261202)
    frame, scores, sample, is_inspected = traffic(rng)
    others = np.flatnonzero(~is_inspected)
    rising = others[np.argsort(scores[others])]
    scores[rising] = scores[rising[::-1] if way == "reversed" else rng.permutation(rising)].copy()

    # Ranks are the same as before, so that they show nothing.
    assert placed_by(sample, scores).refusal is None
    refusal = scored_alike(sample, frame, EVERYONE, scores, is_inspected).refusal

    assert refusal is not None
    assert "follows the features otherwise" in refusal


def test_more_features_than_inspections_refuse_no_honest_score() -> None:
    rng = np.random.default_rng(20261202)
    frame, scores, sample, is_inspected = traffic(rng)
    noise = pd.DataFrame(rng.normal(size=(TRAFFIC, 400))).rename(columns="x{}".format)
    noise["never_known"] = np.nan

    assert is_inspected.sum() < 400
    assert scored_alike(sample, frame.join(noise), EVERYONE, scores, is_inspected).refusal is None
