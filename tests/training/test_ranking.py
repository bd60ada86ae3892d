"""The figures against scikit-learn and against slow definitions, ties included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from training import ranking as r
from training.ranking import Ranking

# Scores from a coarse grid, so that ties are the rule.
cases = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=4, max_size=60).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)


def split(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.array(rows, dtype=float).T
    return labels, scores / 8


@given(cases)
def test_areas_and_losses_agree_with_scikit_learn(rows: list[tuple[int, int]]) -> None:
    labels, scores = split(rows)
    ranking = Ranking.of(labels, scores)

    assert r.roc_auc(ranking) == pytest.approx(roc_auc_score(labels, scores))
    assert r.pr_auc(ranking) == pytest.approx(average_precision_score(labels, scores))
    assert r.brier_score(ranking) == pytest.approx(brier_score_loss(labels, scores))
    clipped = np.clip(scores, 1e-6, 1 - 1e-6)
    assert r.log_loss(ranking) == pytest.approx(sklearn_log_loss(labels, clipped))


@given(cases, st.sampled_from([0.05, 0.1, 0.25, 0.5, 1.0]))
def test_precision_is_the_mean_over_every_order_of_tied_subjects(
    rows: list[tuple[int, int]], share: float
) -> None:
    labels, scores = split(rows)
    lots = np.random.default_rng(0)
    capacity = max(1, int(len(labels) * share + 1e-9))
    drawn = []
    for _ in range(400):
        order = np.lexsort((lots.random(len(labels)), -scores))
        drawn.append(labels[order[:capacity]].mean())

    precision = r.at_capacity(Ranking.of(labels, scores), share)["precision"]

    assert precision == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 20 + 1e-9)


@given(cases)
def test_the_order_of_the_file_changes_no_figure(rows: list[tuple[int, int]]) -> None:
    labels, scores = split(rows)
    shuffled = np.random.default_rng(1).permutation(len(labels))
    one, other = Ranking.of(labels, scores), Ranking.of(labels[shuffled], scores[shuffled])

    for figure in (r.roc_auc, r.pr_auc, r.calibration_error, r.brier_score):
        assert figure(one) == pytest.approx(figure(other), abs=1e-12)


@given(cases)
def test_a_weight_of_two_is_the_same_as_the_subject_twice(rows: list[tuple[int, int]]) -> None:
    labels, scores = split(rows)
    counts = np.random.default_rng(2).integers(1, 4, len(labels))
    weighted = Ranking.of(labels, scores).redrawn(counts)
    repeated = Ranking.of(np.repeat(labels, counts), np.repeat(scores, counts))

    assert r.roc_auc(weighted) == pytest.approx(r.roc_auc(repeated))
    assert r.pr_auc(weighted) == pytest.approx(r.pr_auc(repeated))
    for name, figure in r.at_capacity(weighted, 0.2).items():
        assert figure == pytest.approx(r.at_capacity(repeated, 0.2)[name], nan_ok=True)


def test_a_constant_score_is_worth_no_more_than_the_lot() -> None:
    labels = np.r_[np.ones(30), np.zeros(70)]
    ranking = Ranking.of(labels, np.full(100, 0.3), values=np.ones(100))

    figures = r.at_capacity(ranking, 0.05)

    assert figures == pytest.approx(
        {"precision": 0.3, "recall": 0.05, "lift": 1.0, "value_captured": 0.05}
    )
    assert r.roc_auc(ranking) == 0.5
    assert r.calibration_error(ranking) == pytest.approx(0)


def test_inspected_rows_come_back_in_the_order_they_were_given() -> None:
    ranking = Ranking.of([0, 1, 0, 1], [0.1, 0.9, 0.5, 0.5])

    assert r.inspected_rows(ranking, 0.5).tolist() == [0.0, 1.0, 0.5, 0.5]


def test_the_calibration_error_of_a_true_probability_stays_within_what_chance_allows() -> None:
    lots = np.random.default_rng(5)
    probability = lots.random(2_000) * 0.4
    honest = Ranking.of(lots.random(2_000) < probability, probability)
    doubled = Ranking.of(honest.labels, honest.scores * 2)

    assert r.calibration_error(honest) < r.calibration_error_by_chance(honest, rounds=200, seed=1)
    assert r.calibration_error(doubled) > r.calibration_error_by_chance(doubled, rounds=200, seed=1)


@pytest.mark.parametrize(("promised", "confirmed"), [(0.2, 0.5), (0.5, 0.2), (0.3, 0.3)])
def test_the_calibration_error_is_how_far_shares_lie_from_what_was_promised(
    promised: float, confirmed: float
) -> None:
    labels = np.arange(1_000) % 10 < 10 * confirmed

    told = r.calibration_error(Ranking.of(labels, np.full(1_000, promised)))

    assert told == pytest.approx(abs(promised - confirmed), abs=1e-9)
