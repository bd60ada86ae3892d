"""Monitoring speaks of decisions as of the declaration: a subject counts there once."""

from serving.monitor.rollups import CountedDecisions
from tests.serving.review.cases.decisions import decision


def test_a_subject_that_is_scored_again_is_counted_once() -> None:
    counted = CountedDecisions()

    counted.add_decision(1, decision().as_json().decode())
    counted.add_decision(2, decision(decision_id="d-2", rescores="d-1").as_json().decode())

    assert (counted.size, counted.end) == (2, 2)
    assert counted.unscored.total() == 1
