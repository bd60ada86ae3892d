"""What a closed case teaches, and how its subject was selected."""

import json
from datetime import timedelta
from typing import Any, get_args

import pytest

from features.records import Outcome
from serving.audit.decision import Decision
from serving.review.dispositions import MEANING, Disposition
from serving.review.labels import SELECTED_BY, label_of
from serving.triage.lane_rule import LaneReason
from tests.serving.bodies import ROUTE
from tests.serving.review.decisions import AT, decision

LATER = AT + timedelta(days=1)


def ended(code: Any) -> Disposition:
    return Disposition(code, "other", "high", "as it is written")


@pytest.mark.parametrize(
    ("reason", "selected_by", "probability"),
    [
        ("life_at_risk", "intelligence", None),
        ("watch_list", "intelligence", None),
        ("rule", "rule", 0.03),
        ("score", "model", 0.03),
        ("random", "random", 0.03),
        ("no_score", "discretion", None),
    ],
)
def test_a_label_says_how_its_subject_was_selected_and_how_probable_that_was(
    reason: Any, selected_by: str, probability: float | None
) -> None:
    chosen = decision(lane_reason=reason, selection_probability=0.03)

    label = label_of(chosen, ended("inconclusive"), "one", LATER)

    assert label is not None
    assert (label[0].selected_by, label[0].selection_probability) == (selected_by, probability)
    assert SELECTED_BY.keys() == set(get_args(LaneReason))


def checked(**changed: Any) -> Decision:
    """A decision that sent a shipment's documents to be checked, which had been probable."""
    of_lane = {
        "lane": "document_check",
        "lane_reason": "score",
        "lane_probabilities": {"document_check": 0.9, "control": 0.01, "inspect": 0.02},
        "selection_probability": 0.03,
    }
    return decision(**(of_lane | changed))


@pytest.mark.parametrize(
    ("code", "result"),
    [
        ("no_finding_after_document_check", "documents_in_order"),
        ("document_irregularity", "documents_irregular"),
    ],
)
def test_a_check_of_documents_is_told_of_documents_with_its_own_probability(
    code: Any, result: str
) -> None:
    label = label_of(checked(), ended(code), "one", LATER)

    assert label is not None
    outcome = label[0]
    assert (outcome.result, outcome.selected_by) == (result, "model")
    assert outcome.selection_probability == 0.9


@pytest.mark.parametrize("lane", ["document_check", "post_review", "release"])
@pytest.mark.parametrize("code", ["confirmed_smuggling_goods", "no_finding_after_inspection"])
def test_a_visit_that_no_lane_asked_for_is_an_officers_discretion_without_a_probability(
    lane: Any, code: Any
) -> None:
    label = label_of(checked(lane=lane), ended(code), "one", LATER)

    assert label is not None
    assert label[0].result == MEANING[code].result
    assert (label[0].selected_by, label[0].selection_probability) == ("discretion", None)


def test_irregular_documents_are_no_finding_of_a_visit_which_looked_at_more() -> None:
    label = label_of(checked(lane="inspect"), ended("document_irregularity"), "one", LATER)

    assert label is not None
    assert (label[0].result, label[0].selection_probability) == ("not_confirmed", 0.03)


def test_a_label_is_of_its_subject_and_instant_and_kept_under_its_decision() -> None:
    chosen = decision(ROUTE, purpose="customs")

    label = label_of(chosen, ended("no_finding_after_inspection"), "one", LATER)

    assert label is not None
    outcome, row = label
    assert outcome == Outcome(
        subject_kind="route",
        subject_id="J-2",
        inspected_at=LATER,
        known_at=LATER,
        result="not_confirmed",
        selected_by="intelligence",
        selection_probability=None,
    )
    assert Outcome.model_validate_json(row.body) == outcome
    assert json.loads(row.body)["result"] == "not_confirmed"
    assert (row.kind, row.record_id) == ("outcomes", f"d-1:{LATER.isoformat()}")
    assert (row.subject_kind, row.subject_id) == ("route", "J-2")
    assert (row.received_at, row.caller_id) == (LATER.isoformat(), "one")
    assert row.purpose == "customs"


@pytest.mark.parametrize("code", MEANING)
def test_what_nobody_looked_into_teaches_nothing(code: Any) -> None:
    label = label_of(decision(), ended(code), "one", LATER)

    assert (label and label[0].result) == MEANING[code].result
