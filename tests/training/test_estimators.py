import numpy as np
import pytest

from training.estimators import difference, proportion, with_intervals
from training.ranking import Ranking, at_capacity, roc_auc


def drawn(rows: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    lots = np.random.default_rng(seed)
    scores = lots.random(rows)
    return (lots.random(rows) < scores).astype(float), scores


def precision(ranking: Ranking) -> dict[str, float]:
    return {"precision": at_capacity(ranking, 0.1)["precision"], "roc_auc": roc_auc(ranking)}


def test_the_interval_holds_the_truth_about_as_often_as_it_says() -> None:
    truth = roc_auc(Ranking.of(*drawn(200_000, seed=0)))
    held = 0
    for seed in range(1, 101):
        estimate = with_intervals(Ranking.of(*drawn(400, seed)), precision, rounds=100, seed=1)
        low, high = estimate["roc_auc"].low, estimate["roc_auc"].high
        assert low is not None
        assert high is not None
        held += low <= truth <= high

    assert 86 <= held <= 100


def test_the_same_seed_gives_the_same_interval() -> None:
    ranking = Ranking.of(*drawn(300, seed=4))

    again = [with_intervals(ranking, precision, rounds=50, seed=9) for _ in range(2)]

    assert again[0] == again[1]


def test_a_figure_that_cannot_be_known_is_none_instead_of_nan() -> None:
    ranking = Ranking.of([0.0, 0.0, 0.0], [0.3, 0.2, 0.1])

    estimates = with_intervals(ranking, precision, rounds=10, seed=1)

    assert estimates["roc_auc"].value is None
    assert estimates["precision"].value == 0


def test_a_ranking_differs_from_itself_by_exactly_nothing() -> None:
    labels, scores = drawn(500, seed=6)
    ranking = Ranking.of(labels, scores)

    nothing = difference(ranking, ranking, precision, rounds=20, seed=1)["precision"]
    worse = difference(Ranking.of(labels, -scores), ranking, precision, rounds=50, seed=1)

    assert (nothing.value, nothing.low, nothing.high) == (0, 0, 0)
    assert worse["roc_auc"].high is not None
    assert worse["roc_auc"].high < 0


def test_a_share_of_few_trials_has_a_wide_interval() -> None:
    none_of_ten = proportion(0, 10)

    assert none_of_ten.low == 0
    assert none_of_ten.high == pytest.approx(0.2775, abs=1e-4)
