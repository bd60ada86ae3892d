"""What a closed case teaches, and how its subject was selected."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from features.offences import AGAINST_PERSONS
from features.records import CONCLUSIVE, Outcome
from serving.audit.decision import Decision
from serving.audit.selections import SELECTED_BY
from serving.errors import ContradictoryFinding
from serving.review.dispositions import MEANING, Disposition, Finding
from serving.review.labels import label_of
from serving.review.ways_of_smuggling import TYPOLOGIES
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


@pytest.mark.parametrize(
    ("reason", "offence"), [("documents_false", "document_fraud"), ("other", "other")]
)
def test_irregular_documents_found_on_a_visit_are_another_offence_and_no_label(
    reason: Any, offence: str
) -> None:
    irregular = replace(ended("document_irregularity"), reason=reason)

    label = label_of(checked(lane="inspect"), irregular, "one", LATER)

    assert label is not None
    assert (label[0].result, label[0].offences) == ("other_offence", offence)
    assert label[0].result not in CONCLUSIVE
    assert label[0].selection_probability == 0.03


@pytest.mark.parametrize("code", MEANING)
@pytest.mark.parametrize(
    ("lane", "is_protection"), [("rescue", False), ("inspect", True), ("control", True)]
)
def test_a_rescue_and_a_protection_case_teach_nothing_whatever_was_found(
    code: Any, lane: Any, is_protection: bool
) -> None:
    chosen = decision(lane=lane, lane_reason="random", lane_probabilities={lane: 1.0})

    assert label_of(chosen, replace(ended(code), is_protection=is_protection), "one", LATER) is None


def test_what_a_reviewer_states_of_the_inspection_is_in_the_outcome() -> None:
    began = AT + timedelta(hours=3)
    stated = Finding(
        inspected_at=began,
        examination="canine",
        depth="partial",
        offences="document_fraud|drugs",
        found_mass_kg=14.5,
        typology="rip_on",
    )

    label = label_of(
        decision(), replace(ended("confirmed_smuggling_goods"), finding=stated), "one", LATER
    )

    assert label is not None
    outcome = label[0]
    assert (outcome.inspected_at, outcome.known_at) == (began, LATER)
    assert outcome.is_inspected_at_stated
    assert (outcome.examination, outcome.depth, outcome.typology) == ("canine", "partial", "rip_on")
    assert (outcome.offences, outcome.found_mass_kg) == ("document_fraud drugs", 14.5)


def test_an_inspection_that_nobody_dated_is_marked_and_dated_by_the_end_of_its_case() -> None:
    label = label_of(decision(), ended("no_finding_after_inspection"), "one", LATER)

    assert label is not None
    assert (label[0].inspected_at, label[0].is_inspected_at_stated) == (LATER, False)


def test_an_inspection_before_the_decision_was_not_selected_by_it() -> None:
    earlier = Finding(inspected_at=AT - timedelta(minutes=1))
    drawn = decision(lane="control", lane_reason="random", selection_probability=0.01)

    label = label_of(
        drawn, replace(ended("no_finding_after_inspection"), finding=earlier), "one", LATER
    )

    assert label is not None
    assert (label[0].selected_by, label[0].selection_probability) == ("discretion", None)


def test_people_who_were_smuggled_are_always_named_among_the_offences() -> None:
    found = replace(ended("confirmed_migrant_smuggling"), finding=Finding(offences="drugs"))

    label = label_of(decision(), found, "one", LATER)

    assert label is not None
    assert label[0].offences == "drugs migrant_smuggling"


@pytest.mark.parametrize(
    ("code", "finding"),
    [
        ("no_finding_after_inspection", Finding(offences="drugs")),
        ("no_finding_after_inspection", Finding(found_items=3)),
        ("no_finding_after_inspection", Finding(examination="documents")),
        ("no_finding_after_document_check", Finding(examination="physical")),
        ("confirmed_smuggling_goods", Finding(offences="migrant_smuggling")),
        ("confirmed_smuggling_goods", Finding(offences="tobacco", examination="documents")),
        ("other_offence", Finding(offences="tobacco")),
        ("released_without_check", Finding(examination="scan")),
        ("duplicate", Finding(offences="other")),
        ("inconclusive", Finding(inspected_at=LATER + timedelta(seconds=1))),
        ("inconclusive", Finding(typology="undervaluation")),
        ("no_finding_after_inspection", Finding(typology="a way of our own")),
        ("other_offence", Finding(typology="permit_reuse")),
        ("released_without_check", Finding(typology="other")),
        ("confirmed_smuggling_goods", Finding(typology="small_craft_crossing")),
        ("confirmed_smuggling_goods", Finding(typology="undervaluation", offences="drugs")),
        ("confirmed_migrant_smuggling", Finding(typology="transit_diversion")),
    ],
    ids=str,
)
@pytest.mark.parametrize(("lane", "is_protection"), [("inspect", True), ("rescue", False)])
def test_a_finding_against_the_end_of_its_case_is_refused_wherever_it_would_teach(
    code: Any, finding: Finding, lane: Any, is_protection: bool
) -> None:
    said = replace(ended(code), finding=finding, is_protection=is_protection)

    with pytest.raises(ContradictoryFinding):
        label_of(decision(lane=lane), said, "one", LATER)


@pytest.mark.parametrize("typology", [*TYPOLOGIES, "a way of our own"])
def test_a_way_of_smuggling_goes_with_what_may_be_smuggled_by_it(typology: str) -> None:
    known = TYPOLOGIES.get(typology)
    code: Any = "confirmed_smuggling_goods"
    if known and known.offences == AGAINST_PERSONS:
        code = "confirmed_migrant_smuggling"
    offence = "undervaluation" if code == "confirmed_smuggling_goods" else "migrant_smuggling"

    for offences in (None, offence, f"{offence} document_fraud other"):
        found = replace(ended(code), finding=Finding(typology=typology, offences=offences))
        label = label_of(decision(), found, "one", LATER)
        assert label is not None
        assert label[0].typology == typology


def test_a_check_after_release_has_the_probability_of_that_check() -> None:
    shares = {"post_review": 0.2, "document_check": 0.5}

    label = label_of(
        checked(lane="post_review", lane_probabilities=shares),
        ended("no_finding_after_document_check"),
        "one",
        LATER,
    )

    assert label is not None
    assert (label[0].selected_by, label[0].selection_probability) == ("model", 0.2)


def test_a_check_of_documents_after_a_tip_has_no_probability() -> None:
    label = label_of(
        checked(lane_reason="watch_list"), ended("no_finding_after_document_check"), "one", LATER
    )

    assert label is not None
    assert (label[0].selected_by, label[0].selection_probability) == ("intelligence", None)


def test_a_label_is_of_its_subject_and_instant_and_kept_under_its_decision() -> None:
    chosen = decision(ROUTE, purpose="customs")

    label = label_of(chosen, ended("no_finding_after_inspection"), "one", LATER)

    assert label is not None
    outcome, row = label
    assert outcome == Outcome(
        subject_kind="route",
        subject_id="J-2",
        inspected_at=LATER,
        is_inspected_at_stated=False,
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
