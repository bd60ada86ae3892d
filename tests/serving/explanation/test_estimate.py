"""The one estimate of a decision and its range: of the same cases, and in the same words."""

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from serving.explanation.estimate_text import FOUND_LESS, FOUND_MORE, estimate_in_words
from serving.explanation.explained_score import Inspected, Score
from serving.models.scores import logistic
from tests.serving.bodies import SHIPMENT
from tests.serving.conftest import Service

shares = st.floats(0, 1)


def score(log_odds: float, inspected: Inspected) -> Score:
    probability = 1 / (1 + math.exp(-log_odds))
    return Score(
        log_odds=log_odds,
        base_log_odds=0.0,
        probability=probability,
        percentile=50.0,
        contributions=(),
        inspected=inspected,
        outside=(),
        is_unlike_training=False,
    )


def inspected(
    low: float,
    high: float,
    expected: float | None,
    subjects: int = 40,
    span: tuple[float, float] = (0.001, 0.9),
) -> Inspected:
    return Inspected(
        least=span[0],
        most=span[1],
        subjects=subjects,
        confirmed=8,
        low=low,
        high=high,
        expected=expected,
    )


@given(
    log_odds=st.floats(-12, 12),
    bounds=st.tuples(shares, shares),
    expected=st.none() | st.floats(1e-6, 1 - 1e-6),
)
def test_an_estimate_lies_in_its_range(
    log_odds: float, bounds: tuple[float, float], expected: float | None
) -> None:
    estimated = score(log_odds, inspected(min(bounds), max(bounds), expected))
    low, high = estimated.estimate_range

    assert 0 <= low <= estimated.probability * (1 + 1e-9)
    assert estimated.probability * (1 - 1e-9) <= high <= 1


def test_a_case_of_the_mean_score_of_its_band_has_the_interval_of_the_band() -> None:
    (log_odds,) = [math.log(0.2 / 0.8)]

    assert score(log_odds, inspected(0.1, 0.35, 0.2)).estimate_range == pytest.approx((0.1, 0.35))


def test_a_riskier_case_of_a_band_has_a_higher_range() -> None:
    ranges = [score(log_odds, inspected(0.1, 0.35, 0.2)).estimate_range for log_odds in (-6, 0, 6)]

    assert ranges == sorted(ranges)
    assert ranges[2][0] > 0.9


def test_where_inspections_say_nothing_the_range_is_everything() -> None:
    assert score(-2.0, inspected(0.0, 1.0, 0.1)).estimate_range == (0.0, 1.0)


@pytest.mark.parametrize(
    ("log_odds", "odds", "estimate"),
    [
        (-math.log(3), "1 in 4", "25 %"),
        (-math.log(999), "1 in 1,000", "0.1 %"),
        (math.log(17 / 3), "8 in 10", "85 %"),
        (9.0, "9 in 10", "more than 99 %"),
    ],
)
def test_an_estimate_is_said_as_so_many_in_so_many(
    log_odds: float, odds: str, estimate: str
) -> None:
    said = estimate_in_words(score(log_odds, inspected(0.1, 0.35, 0.2)))

    assert said.startswith(
        f"About {odds} inspections of cases like this would find something: estimate {estimate}, "
    )
    assert said.endswith(
        "Too few cases with similar scores were inspected, so the range rests on 40 inspections of "
        "cases with estimates from 0.1 % to 90 %, 8 of them confirmed."
    )


@pytest.mark.parametrize(
    ("span", "probability", "is_similar"),
    [
        ((0.1, 0.29), 0.2, True),
        ((0.1, 0.31), 0.2, False),
        ((0.1, 0.2), 0.31, False),
        ((0.1, 0.2), 0.06, False),
        ((0.1, 0.2), 0.09, True),
    ],
)
def test_scores_are_called_similar_only_within_a_factor_of_three(
    span: tuple[float, float], probability: float, is_similar: bool
) -> None:
    log_odds = math.log(probability / (1 - probability))
    said = estimate_in_words(score(log_odds, inspected(0.05, 0.4, 0.15, span=span)))

    similar = "The range rests on 40 inspections of cases with similar scores, 8 of them confirmed."
    assert said.endswith(similar) == is_similar
    assert ("Too few cases with similar scores" in said) != is_similar
    assert re.search(r"estimate [\d.]+ %, range [\d.]+ % to [\d.]+ %", said)


@pytest.mark.parametrize(
    ("low", "high", "expected", "why"),
    [
        (0.25, 0.35, 0.2, FOUND_MORE),
        (0.1, 0.15, 0.2, FOUND_LESS),
        (0.1, 0.35, 0.2, "confirmed."),
        (0.25, 0.35, None, "confirmed."),
    ],
)
def test_an_estimate_at_an_end_of_its_range_says_why(
    low: float, high: float, expected: float | None, why: str
) -> None:
    assert estimate_in_words(score(-2.0, inspected(low, high, expected))).endswith(why)


def test_an_estimate_without_inspections_says_so() -> None:
    said = estimate_in_words(score(-1.0, inspected(0.0, 1.0, None, subjects=0)))

    assert "No inspection of a case with a similar score is known" in said


def test_answer_and_page_say_the_same_estimate_with_the_same_range(service: Service) -> None:
    caller = service.key("score", "explain")
    decision_id = service.score(SHIPMENT, caller).json()["decision_id"]
    answer = service.client.get(f"/v1/decisions/{decision_id}/explanation", headers=caller).json()
    span = answer["estimate_range"]

    assert span["low"] <= answer["probability"] <= span["high"]
    assert answer["probability"] == float(logistic(answer["log_odds"]))
    assert re.match(r"About 1 in [\d,]+ inspections", answer["estimate_in_words"])
