"""How many subjects of all traffic an inspected one stands for."""

import numpy as np
import pytest

from training.estimation.inspected_sample import InspectedSample, inspected_sample
from training.outcomes import Texts
from training.ranking import Floats

TRAFFIC = 4_000


def sampled(
    *, probability: float = 0.05, tips: int = 0, noticed: int = 0, unsettled: int = 0
) -> InspectedSample:
    """A draw with one probability, after tips and before officers' discretion."""
    labels: Floats = np.full(TRAFFIC, np.nan)
    ways: Texts = np.full(TRAFFIC, None, dtype=object)
    recorded = np.full(TRAFFIC, np.nan)
    drawn = slice(0, round(TRAFFIC * probability))
    ways[drawn], recorded[drawn], labels[drawn] = "random", probability, 0.0
    labels[:unsettled] = np.nan
    tipped = slice(1_000, 1_000 + tips)
    ways[tipped], labels[tipped] = "intelligence", 1.0
    seen = slice(2_000, 2_000 + noticed)
    ways[seen], labels[seen] = "discretion", 1.0
    return inspected_sample(labels, ways, recorded)


def test_weights_of_the_draws_add_up_to_the_traffic() -> None:
    sample = sampled()
    assert sample.refusal is None
    assert sample.weights.sum() == pytest.approx(TRAFFIC)
    assert sample.effective_size == pytest.approx(200)


def test_tips_stand_for_themselves_and_the_draws_for_the_rest() -> None:
    sample = sampled(tips=80)
    assert sample.certain == 80
    assert sample.weights[~sample.is_drawn].tolist() == [1.0] * 80
    assert sample.weights[sample.is_drawn].sum() == pytest.approx(TRAFFIC - 80)


def test_results_that_are_not_known_are_taken_to_be_like_those_that_are() -> None:
    sample = sampled(unsettled=50)
    assert sample.is_drawn.sum() == 150
    assert sample.weights.sum() == pytest.approx(TRAFFIC)


def test_what_officers_noticed_is_counted_and_weighs_in_nothing() -> None:
    sample = sampled(noticed=70)
    assert sample.uncounted == 70
    assert sample.weights.sum() == pytest.approx(TRAFFIC)
    assert sample.labels.sum() == 0


def test_two_frames_over_the_same_traffic_are_refused() -> None:
    labels: Floats = np.full(TRAFFIC, np.nan)
    ways: Texts = np.full(TRAFFIC, None, dtype=object)
    recorded = np.full(TRAFFIC, np.nan)
    for begins, way in (
        (0, "random"),
        (1_000, "rule"),
    ):  # each with the probability of itself alone
        ways[begins : begins + 400], labels[begins : begins + 400] = way, 0.0
        recorded[begins : begins + 400] = 0.1
    refusal = inspected_sample(labels, ways, recorded).refusal
    assert refusal is not None
    assert "stand for 8,000 subjects where there were 4,000" in refusal


def test_a_rule_that_reaches_a_part_alone_is_refused() -> None:
    labels: Floats = np.full(TRAFFIC, np.nan)
    ways: Texts = np.full(TRAFFIC, None, dtype=object)
    recorded = np.full(TRAFFIC, np.nan)
    ways[:300], labels[:300], recorded[:300] = "rule", 0.0, 1.0
    refusal = inspected_sample(labels, ways, recorded).refusal
    assert refusal is not None
    assert "stand for 300 subjects where there were 4,000" in refusal


def test_too_few_draws_are_refused() -> None:
    refusal = sampled(probability=0.005).refusal
    assert refusal is not None
    assert refusal.startswith("20 results")


def test_a_rule_without_a_probability_stands_for_itself() -> None:
    labels: Floats = np.zeros(TRAFFIC)
    ways: Texts = np.full(TRAFFIC, "rule", dtype=object)
    sample = inspected_sample(labels, ways, np.full(TRAFFIC, np.nan))
    assert (sample.certain, sample.refusal) == (TRAFFIC, None)
