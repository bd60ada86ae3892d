"""How many subjects of all traffic an inspected one stands for."""

from dataclasses import replace

import numpy as np
import pytest

from training.estimation.inspected_sample import (
    InspectedSample,
    effective_size,
    inspected_sample,
    inspections_of,
    lot_ranks_above,
    placed_by,
    represent,
)
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


@pytest.mark.parametrize("way", ["rule", "model", "random"])
def test_every_way_with_a_probability_is_drawn(way: str) -> None:
    ways: Texts = np.full(40, way, dtype=object)
    sample = inspected_sample(np.zeros(40), ways, np.full(40, 1.0))
    assert (sample.is_drawn.all(), sample.certain, sample.uncounted) == (True, 0, 0)


@pytest.mark.parametrize("way", ["rule", "model", "intelligence"])
def test_what_was_selected_for_certain_needs_no_probability(way: str) -> None:
    ways: Texts = np.full(40, way, dtype=object)
    sample = inspected_sample(np.zeros(40), ways, np.full(40, np.nan))
    assert (sample.is_drawn.any(), sample.certain, sample.uncounted) == (False, 40, 0)


@pytest.mark.parametrize("probability", [np.nan, 0.0])
def test_a_draw_whose_probability_is_not_known_weighs_in_nothing(probability: float) -> None:
    ways: Texts = np.full(41, "random", dtype=object)
    recorded = np.r_[np.ones(40), probability]
    sample = inspected_sample(np.zeros(41), ways, recorded)
    assert (len(sample.rows), sample.certain, sample.uncounted) == (40, 0, 1)
    assert sample.weights.tolist() == [41 / 40] * 40


def test_thirty_draws_are_enough_to_say_something() -> None:
    for draws, is_refused in ((30, False), (29, True)):
        labels = np.where(np.arange(100) < draws, 0.0, np.nan)
        ways: Texts = np.where(np.arange(100) < draws, "random", None).astype(object)
        sample = inspected_sample(labels, ways, np.full(100, draws / 100))
        assert (sample.refusal is not None) is is_refused


def test_tips_that_are_not_all_settled_stand_for_those_that_are_open() -> None:
    ways: Texts = np.array(["intelligence"] * 4 + ["random"] * 40, dtype=object)
    labels = np.r_[1.0, 0.0, np.nan, np.nan, np.zeros(40)]
    sample = inspected_sample(labels, ways, np.r_[np.full(4, np.nan), np.ones(40)])
    assert (sample.certain, sample.refusal) == (4, None)
    assert sample.weights.tolist() == [2.0, 2.0, *[1.0] * 40]


def test_nobody_stands_for_less_than_themselves() -> None:
    ways: Texts = np.full(100, "random", dtype=object)
    recorded = np.r_[np.ones(95), np.full(5, 0.25)]
    sample = inspected_sample(np.zeros(100), ways, recorded)
    assert sample.refusal is None
    assert sample.weights[:95].tolist() == [1.0] * 95
    assert sample.weights[95:] == pytest.approx(4 * 100 / 115)


def test_equal_weights_say_as_much_as_there_are_and_unequal_ones_less() -> None:
    assert effective_size(np.full(7, 3.0)) == pytest.approx(7)
    assert effective_size(np.array([1.0, 3.0])) == pytest.approx(16 / 10)
    assert effective_size(np.zeros(0)) == 0


@pytest.mark.parametrize(
    ("total", "squares", "there_were", "is_like_them"),
    [
        (100, 100, 100, True),
        (100, 100, 101, True),
        (125, 125, 100, True),
        (126, 126, 100, False),
        (80, 80, 100, True),
        (79, 79, 100, False),
        (3, 3, 5, False),
        # Squares so large that one standard error of the sum is a hundred: four are by chance.
        (1_000, 11_000, 1_400, True),
        (1_000, 11_000, 1_401, False),
        (1_000, 11_000, 600, True),
        (1_000, 11_000, 599, False),
        (100, 99.99, 100, True),
        (100, 99.99, 200, False),
    ],
)
def test_draws_stand_for_as_many_as_there_were_but_for_chance_and_a_quarter(
    total: float, squares: float, there_were: float, is_like_them: bool
) -> None:
    assert represent(total, squares, there_were) is is_like_them


def drawn_by(chances: Floats, lots: np.random.Generator) -> InspectedSample:
    is_drawn = lots.random(TRAFFIC) < chances
    ways = np.where(is_drawn, "model", None).astype(object)
    labels = np.where(is_drawn, (lots.random(TRAFFIC) < 0.1).astype(float), np.nan)
    return inspected_sample(labels, ways, np.where(is_drawn, chances, np.nan))


@pytest.mark.parametrize("design", ["even", "by score", "highest for certain"])
def test_a_score_that_knows_nothing_of_the_draws_refuses_none_of_a_hundred(design: str) -> None:
    lots = np.random.default_rng(11)
    for _ in range(100):
        scores = lots.normal(size=TRAFFIC)
        ranks = scores.argsort().argsort() / TRAFFIC
        chances = {
            "even": np.full(TRAFFIC, 0.05),
            "by score": 0.02 + 0.2 * ranks**3,
            "highest for certain": np.where(ranks >= 0.95, 1.0, 0.03),
        }[design]
        sample = drawn_by(chances, lots)
        assert placed_by(sample, scores).refusal == sample.refusal


def test_a_score_that_knows_who_was_inspected_speaks_of_no_traffic() -> None:
    lots = np.random.default_rng(12)
    sample, scores = drawn_by(np.full(TRAFFIC, 0.1), lots), lots.normal(size=TRAFFIC)
    knows = sample.rows[lots.random(len(sample.rows)) < 0.5]
    scores[knows] += 3.0

    refusal = placed_by(sample, scores).refusal

    assert refusal is not None
    assert "knows who was inspected" in refusal


@pytest.mark.parametrize(("moved", "share", "is_above"), [
    (3.0, 0.5, True), (3.0, 0.7, True), (0.0, 0.5, False), (-3.0, 0.7, False), (3.0, 0.02, False),
])  # fmt: skip
def test_a_lot_that_ranks_above_all_traffic_is_known_to_the_score(
    moved: float, share: float, is_above: bool
) -> None:
    lots = np.random.default_rng(14)
    scores = lots.normal(size=TRAFFIC)
    chances = np.where(scores > 1, 0.4, 0.05)
    ways = np.where(lots.random(TRAFFIC) < chances, "random", None).astype(object)
    scores[(ways == "random") & (lots.random(TRAFFIC) < share)] += moved

    assert lot_ranks_above(ways, chances, scores) is is_above
    assert not lot_ranks_above(np.where(ways == "random", "model", None), chances, scores)


def test_probabilities_that_are_too_large_for_high_scores_are_seen_by_the_score() -> None:
    lots = np.random.default_rng(13)
    scores = lots.normal(size=TRAFFIC)
    sample = drawn_by(np.where(scores > 1, 0.4, 0.05), lots)
    said = np.where(scores > 1, 0.1, 0.05)[sample.rows]
    wrong = replace(sample, weights=1 / said)

    assert placed_by(wrong, scores).refusal is not None


def test_subjects_of_one_office_and_instant_were_inspected_together() -> None:
    instants = ["2026-03-01T10:15:00", "2026-03-01T10:15:00", "2026-03-01T10:15:00", "NaT", "NaT"]
    offices: Texts = np.array(["a", "a", "b", "a", "a"], dtype=object)

    numbers = inspections_of(np.array(instants, dtype="datetime64[us]"), offices)

    assert numbers.tolist() == [0, 0, 2, 3, 4]


def test_subjects_without_an_office_are_told_apart_by_instant_alone() -> None:
    instants = np.array(["2026-03-01T10:15:07"] * 2 + ["2026-03-02T11:20:00"], "datetime64[us]")

    numbers = inspections_of(instants, np.full(3, None, dtype=object))

    assert numbers.tolist() == [0, 0, 2]


def test_dates_do_not_say_who_was_inspected_together() -> None:
    midnights = np.datetime64("2026-03-01T23:00", "us") + np.arange(20) // 4 * np.timedelta64(
        1, "D"
    )

    numbers = inspections_of(midnights, np.full(20, "a", dtype=object))

    assert numbers.tolist() == list(range(20))
