"""Which lanes' cases come first."""

import pytest

from serving.review.cases.queue_risk import UNKNOWN_RISK, risk_of
from serving.triage.lane_declarations import QUEUE_RANK
from tests.serving.review.cases.decisions import decision
from tests.serving.review.cases.test_case_opening_worker import SCORE


def test_rescues_come_first_and_control_cases_stand_among_inspections() -> None:
    assert QUEUE_RANK == {
        "rescue": 0,
        "inspect": 1,
        "control": 1,
        "document_check": 2,
        "post_review": 3,
    }


@pytest.mark.parametrize("harm_ratio", [None, 0.5, 3.0])
def test_a_case_is_as_urgent_as_a_find_is_probable_and_harmful(harm_ratio: float | None) -> None:
    made = decision(score=SCORE, harm_ratio=harm_ratio)

    assert made.probability is not None
    assert risk_of(made) == made.probability * (harm_ratio or 1.0)


def test_what_has_no_score_or_may_cost_lives_is_as_urgent_as_can_be() -> None:
    assert (
        risk_of(decision(score=None))
        == risk_of(decision(score=SCORE, lane="rescue"))
        == UNKNOWN_RISK
        == 1.0
    )
