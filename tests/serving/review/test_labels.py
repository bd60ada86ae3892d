"""What a closed case teaches, and how its subject was selected."""

import json
from datetime import timedelta
from typing import Any, get_args

import pytest

from features.records import Outcome
from serving.review.dispositions import MEANING, Disposition
from serving.review.labels import SELECTED_BY, label_of
from serving.triage.lane_rule import LaneReason
from tests.serving.bodies import ROUTE
from tests.serving.review.decisions import AT, decision

LATER = AT + timedelta(days=1)


def ended(code: Any) -> Disposition:
    return Disposition(code, "other", "high", "as it is written")


@pytest.mark.parametrize(
    ("reason", "selected_by"),
    [
        ("life_at_risk", "intelligence"),
        ("watch_list", "intelligence"),
        ("rule", "rule"),
        ("score", "model"),
        ("random", "random"),
        ("no_score", "discretion"),
    ],
)
def test_a_label_says_how_its_subject_was_selected(reason: Any, selected_by: str) -> None:
    chosen = decision(lane_reason=reason, selection_probability=0.03)

    label = label_of(chosen, ended("inconclusive"), "one", LATER)

    assert label is not None
    assert (label[0].selected_by, label[0].selection_probability) == (selected_by, 0.03)
    assert SELECTED_BY.keys() == set(get_args(LaneReason))


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
        selection_probability=1.0,
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
