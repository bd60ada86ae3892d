"""The figures against scikit-learn and against slow definitions, ties included."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.metrics import log_loss as sklearn_log_loss

from training import ranking as r
from training.ranking import ScoreRanking

# Scores from a coarse grid, so that ties are the rule.
cases = st.lists(st.tuples(st.integers(0, 1), st.integers(0, 8)), min_size=4, max_size=60).filter(
    lambda rows: 0 < sum(label for label, _ in rows) < len(rows)
)


def split(rows: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray]:
    labels, scores = np.array(rows, dtype=float).T
    return labels, scores / 8


# By hand: 2, 1, 3 and 4 subjects with scores 0.8, 0.5, 0.5 and 0.1, of which 2 and 3 are confirmed.
LABELS, SCORES, WEIGHTS, VALUES = [1, 0, 1, 0], [0.8, 0.5, 0.5, 0.1], [2, 1, 3, 4], [10, 20, 30, 40]
BY_HAND = ScoreRanking.from_scores(LABELS, SCORES, weights=WEIGHTS, values=VALUES)


def test_equal_scores_are_one_group_and_weights_are_subjects() -> None:
    assert BY_HAND.starts.tolist() == [0, 1, 3]
    assert BY_HAND.group_weight.tolist() == [2, 4, 4]
    assert BY_HAND.group_confirmed.tolist() == [2, 3, 0]
    assert (BY_HAND.size, BY_HAND.prevalence) == (10, 0.5)
    plain = ScoreRanking.from_scores(LABELS, SCORES)
    assert (plain.size, plain.prevalence) == (4, 0.5)
    assert np.isnan(r.at_capacity(plain, 0.5)["value_captured"])


def test_figures_of_weighted_subjects_are_those_computed_by_hand() -> None:
    assert r.at_capacity(BY_HAND, 0.3) == pytest.approx(
        {
            "precision": 2.75 / 3,
            "recall": 2.75 / 5,
            "lift": 2.75 / 3 / 0.5,
            "value_captured": (20 + 90 / 4) / 110,
        }
    )
    assert r.roc_auc(BY_HAND) == pytest.approx((2 * 5 + 3 * 4.5) / 25)
    assert r.pr_auc(BY_HAND) == pytest.approx((2 * 1 + 3 * 5 / 6) / 5)
    assert r.brier_score(BY_HAND) == pytest.approx((2 * 0.04 + 4 * 0.25 + 4 * 0.01) / 10)
    losses = 2 * np.log(0.8) + 4 * np.log(0.5) + 4 * np.log(0.9)
    assert r.log_loss(BY_HAND) == pytest.approx(-losses / 10)


def test_bins_hold_equally_many_rows_from_low_to_high() -> None:
    curve = r.reliability(BY_HAND, bins=2)

    assert curve == pytest.approx(np.array([[1.9 / 7, 2.25 / 7, 7], [0.7, 2.75 / 3, 3]]))
    assert r.calibration_error(BY_HAND, bins=2) == pytest.approx((0.35 + 0.65) / 10)


@pytest.mark.parametrize(
    ("rows", "bins", "sizes"), [(7, 3, [3, 2, 2]), (6, 3, [2, 2, 2]), (2, 4, [1, 1])]
)
def test_rows_that_do_not_divide_go_to_the_lowest_bins(
    rows: int, bins: int, sizes: list[int]
) -> None:
    scores = np.linspace(0.1, 0.9, rows)

    curve = r.reliability(ScoreRanking.from_scores(np.zeros(rows), scores), bins)

    assert curve[:, 2].tolist() == sizes
    assert curve[0, 0] == pytest.approx(scores[: sizes[0]].mean())


def test_calibration_is_judged_in_fifteen_bins() -> None:
    scores = np.linspace(0.1, 0.9, 45)
    ranking = ScoreRanking.from_scores(np.arange(45) % 2, scores)

    assert r.reliability(ranking)[:, 2].tolist() == [3] * 15
    assert r.calibration_error(ranking) == r.calibration_error(ranking, bins=15)


@pytest.mark.parametrize(
    ("subjects", "share", "capacity"),
    [(100, 0.29, 29), (10, 0.29, 2), (10, 0.01, 1), (10, 1.0, 10), (3, 0.5, 1)],
)
def test_capacity_is_whole_subjects_rounded_down_and_at_least_one(
    subjects: int, share: float, capacity: int
) -> None:
    """100 × 0.29 is a hair under 29 in binary."""
    ranking = ScoreRanking.from_scores(np.zeros(subjects), np.arange(subjects))

    assert r.inspected_share(ranking, share).sum() == pytest.approx(capacity)


def test_subjects_that_no_redraw_took_are_in_no_figure() -> None:
    ranking = ScoreRanking.from_scores([1, 0, 1], [0.9, 0.5, 0.1]).redrawn(np.array([0, 1, 1]))

    assert r.inspected_share(ranking, 0.5).tolist() == [0, 1, 0]
    assert r.pr_auc(ranking) == 0.5
    assert r.reliability(ranking, bins=3).tolist() == [[0.1, 1, 1], [0.5, 0, 1]]
    assert r.reliability(ranking, bins=1) == pytest.approx(np.array([[0.3, 0.5, 2]]))
    assert r.calibration_error(ranking, bins=3) == pytest.approx((0.9 + 0.5) / 2)


def test_of_one_confirmed_there_is_a_recall_and_of_none_there_is_none() -> None:
    one = r.at_capacity(ScoreRanking.from_scores([1, 0], [0.9, 0.1], values=[0.5, 0.5]), 0.5)
    none = r.at_capacity(ScoreRanking.from_scores([0, 0], [0.9, 0.1], values=[0.5, 0.5]), 0.5)

    assert one == {"precision": 1, "recall": 1, "lift": 2, "value_captured": 1}
    assert none["precision"] == 0
    assert all(np.isnan(none[name]) for name in ("recall", "lift", "value_captured"))
    assert np.isnan(r.roc_auc(ScoreRanking.from_scores([0, 0], [0.9, 0.1])))
    assert np.isnan(r.pr_auc(ScoreRanking.from_scores([0, 0], [0.9, 0.1])))


def test_a_certain_probability_that_is_wrong_costs_as_much_as_a_millionth() -> None:
    for label, score in ((1, 0.0), (0, 1.0)):
        assert r.log_loss(ScoreRanking.from_scores([label], [score])) == pytest.approx(
            -np.log(1e-6)
        )


@given(cases)
def test_areas_and_losses_agree_with_scikit_learn(rows: list[tuple[int, int]]) -> None:
    labels, scores = split(rows)
    ranking = ScoreRanking.from_scores(labels, scores)

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

    precision = r.at_capacity(ScoreRanking.from_scores(labels, scores), share)["precision"]

    assert precision == pytest.approx(np.mean(drawn), abs=4 * np.std(drawn) / 20 + 1e-9)


@given(cases)
def test_the_order_of_the_file_changes_no_figure(rows: list[tuple[int, int]]) -> None:
    labels, scores = split(rows)
    shuffled = np.random.default_rng(1).permutation(len(labels))
    one, other = (
        ScoreRanking.from_scores(labels, scores),
        ScoreRanking.from_scores(labels[shuffled], scores[shuffled]),
    )

    for figure in (r.roc_auc, r.pr_auc, r.calibration_error, r.brier_score):
        assert figure(one) == pytest.approx(figure(other), abs=1e-12)


@given(cases)
def test_a_weight_of_two_is_the_same_as_the_subject_twice(rows: list[tuple[int, int]]) -> None:
    labels, scores = split(rows)
    counts = np.random.default_rng(2).integers(1, 4, len(labels))
    weighted = ScoreRanking.from_scores(labels, scores).redrawn(counts)
    repeated = ScoreRanking.from_scores(np.repeat(labels, counts), np.repeat(scores, counts))

    assert r.roc_auc(weighted) == pytest.approx(r.roc_auc(repeated))
    assert r.pr_auc(weighted) == pytest.approx(r.pr_auc(repeated))
    for name, figure in r.at_capacity(weighted, 0.2).items():
        assert figure == pytest.approx(r.at_capacity(repeated, 0.2)[name], nan_ok=True)


def test_a_constant_score_is_worth_no_more_than_the_lot() -> None:
    labels = np.r_[np.ones(30), np.zeros(70)]
    ranking = ScoreRanking.from_scores(labels, np.full(100, 0.3), values=np.ones(100))

    figures = r.at_capacity(ranking, 0.05)

    assert figures == pytest.approx(
        {"precision": 0.3, "recall": 0.05, "lift": 1.0, "value_captured": 0.05}
    )
    assert r.roc_auc(ranking) == 0.5
    assert r.calibration_error(ranking) == pytest.approx(0)


def test_inspected_rows_come_back_in_the_order_they_were_given() -> None:
    ranking = ScoreRanking.from_scores([0, 1, 0, 1], [0.1, 0.9, 0.5, 0.5])

    assert r.inspected_rows(ranking, 0.5).tolist() == [0.0, 1.0, 0.5, 0.5]


def test_the_calibration_error_of_a_true_probability_is_small_and_of_its_double_is_not() -> None:
    lots = np.random.default_rng(5)
    probability = lots.random(2_000) * 0.4
    honest = ScoreRanking.from_scores(lots.random(2_000) < probability, probability)
    doubled = ScoreRanking.from_scores(honest.labels, honest.scores * 2)

    assert r.calibration_error(honest) < 0.04
    assert r.calibration_error(doubled) == pytest.approx(honest.prevalence, abs=0.03)


@pytest.mark.parametrize(("promised", "confirmed"), [(0.2, 0.5), (0.5, 0.2), (0.3, 0.3)])
def test_the_calibration_error_is_how_far_shares_lie_from_what_was_promised(
    promised: float, confirmed: float
) -> None:
    labels = np.arange(1_000) % 10 < 10 * confirmed

    told = r.calibration_error(ScoreRanking.from_scores(labels, np.full(1_000, promised)))

    assert told == pytest.approx(abs(promised - confirmed), abs=1e-9)
