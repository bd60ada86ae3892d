"""What a closed case teaches, and how its subject was selected."""

import json
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta
from typing import Any, get_args

import pytest

from features.offences import AGAINST_PERSONS
from features.records import CONCLUSIVE, Outcome
from serving.audit.decision import Decision
from serving.audit.selections import SELECTED_BY
from serving.errors import Unprocessable
from serving.review.cases.labels import label_of, require_plausible_start
from serving.review.cases.results import CaseResult, Finding
from serving.review.cases.typology_texts import TYPOLOGIES
from serving.triage.lane_declarations import LaneReason
from tests.serving.bodies import ROUTE
from tests.serving.refusals import refused_with
from tests.serving.review.cases.decisions import AT, decision
from tests.serving.review.cases.stated import result_of
from tests.serving.review.cases.test_results import EVERY_RESULT

LATER = AT + timedelta(days=1)


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

    label = label_of(chosen, result_of("inconclusive"), "one", LATER)

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
        ("documents_in_order", "documents_in_order"),
        ("documents_irregular", "documents_irregular"),
    ],
)
def test_a_check_of_documents_is_told_of_documents_with_its_own_probability(
    code: Any, result: str
) -> None:
    label = label_of(checked(), result_of(code, "check_documents"), "one", LATER)

    assert label is not None
    outcome = label[0]
    assert (outcome.result, outcome.selected_by) == (result, "model")
    assert outcome.selection_probability == 0.9


@pytest.mark.parametrize("lane", ["document_check", "post_review", "release"])
@pytest.mark.parametrize(
    ("code", "result"), [("goods_found", "confirmed"), ("nothing_found", "not_confirmed")]
)
def test_a_visit_that_no_lane_asked_for_is_an_officers_discretion_without_a_probability(
    lane: Any, code: Any, result: str
) -> None:
    label = label_of(checked(lane=lane), result_of(code), "one", LATER)

    assert label is not None
    assert label[0].result == result
    assert (label[0].selected_by, label[0].selection_probability) == ("discretion", None)


@pytest.mark.parametrize(
    ("reason", "offence"), [("documents_false", "document_fraud"), ("other", "other")]
)
def test_irregular_documents_found_on_a_visit_are_another_offence_and_no_label(
    reason: Any, offence: str
) -> None:
    irregular = replace(result_of("documents_irregular"), reason=reason)

    label = label_of(checked(lane="inspect"), irregular, "one", LATER)

    assert label is not None
    assert (label[0].result, label[0].offences) == ("other_offence", offence)
    assert label[0].result not in CONCLUSIVE
    assert label[0].selection_probability == 0.03


@pytest.mark.parametrize("said", EVERY_RESULT, ids=lambda each: f"{each.found_by} {each.code}")
@pytest.mark.parametrize(
    ("lane", "is_protection"), [("rescue", False), ("inspect", True), ("control", True)]
)
def test_a_rescue_and_a_protection_case_teach_nothing_whatever_was_found(
    said: CaseResult, lane: Any, is_protection: bool
) -> None:
    chosen = decision(lane=lane, lane_reason="random", lane_probabilities={lane: 1.0})

    assert label_of(chosen, replace(said, is_protection=is_protection), "one", LATER) is None


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

    label = label_of(decision(), result_of("goods_found", finding=stated), "one", LATER)

    assert label is not None
    outcome = label[0]
    assert (outcome.inspected_at, outcome.known_at) == (began, LATER)
    assert outcome.is_inspected_at_stated
    assert (outcome.examination, outcome.depth, outcome.typology) == ("canine", "partial", "rip_on")
    assert (outcome.offences, outcome.found_mass_kg) == ("document_fraud drugs", 14.5)


def test_an_inspection_that_nobody_dated_is_marked_and_dated_by_the_end_of_its_case() -> None:
    label = label_of(decision(), result_of("nothing_found"), "one", LATER)

    assert label is not None
    assert (label[0].inspected_at, label[0].is_inspected_at_stated) == (LATER, False)


def test_an_inspection_before_the_decision_was_not_selected_by_it() -> None:
    earlier = Finding(inspected_at=AT - timedelta(minutes=1))
    drawn = decision(lane="control", lane_reason="random", selection_probability=0.01)

    label = label_of(drawn, result_of("nothing_found", finding=earlier), "one", LATER)

    assert label is not None
    assert (label[0].selected_by, label[0].selection_probability) == ("discretion", None)


def test_people_who_were_smuggled_are_always_named_among_the_offences() -> None:
    found = result_of("persons_found", finding=Finding(offences="drugs"))

    label = label_of(decision(), found, "one", LATER)

    assert label is not None
    assert label[0].offences == "drugs migrant_smuggling"


@pytest.mark.parametrize(("lane", "is_protection"), [("inspect", True), ("rescue", False)])
def test_an_inspection_that_began_later_than_now_is_refused_wherever_it_would_teach(
    lane: Any, is_protection: bool
) -> None:
    later = Finding(inspected_at=LATER + timedelta(seconds=1))
    said = result_of("inconclusive", finding=later, is_protection=is_protection)

    with pytest.raises(Unprocessable, match="in the future"):
        label_of(decision(lane=lane), said, "one", LATER)


@pytest.mark.parametrize(("days", "is_refused"), [(29, False), (31, True), (366, True)])
def test_an_inspection_begins_at_most_thirty_days_before_the_declaration(
    days: int, is_refused: bool
) -> None:
    declared_at = decision().submission.subject.declared_at
    said = result_of("nothing_found", finding=Finding(inspected_at=declared_at - timedelta(days)))

    with refused_with("contradictory-finding") if is_refused else nullcontext():
        require_plausible_start(decision(), said)


@pytest.mark.parametrize("typology", [*TYPOLOGIES, "a way of our own"])
def test_a_way_of_smuggling_goes_with_what_may_be_smuggled_by_it(typology: str) -> None:
    known = TYPOLOGIES.get(typology)
    code: Any = "goods_found"
    if known and known.offences == AGAINST_PERSONS:
        code = "persons_found"
    offence = "undervaluation" if code == "goods_found" else "migrant_smuggling"

    for offences in (None, offence, f"{offence} document_fraud other"):
        found = result_of(code, finding=Finding(typology=typology, offences=offences))
        label = label_of(decision(), found, "one", LATER)
        assert label is not None
        assert label[0].typology == typology


def test_a_check_after_release_has_the_probability_of_that_check() -> None:
    shares = {"post_review": 0.2, "document_check": 0.5}

    label = label_of(
        checked(lane="post_review", lane_probabilities=shares),
        result_of("documents_in_order", "check_documents"),
        "one",
        LATER,
    )

    assert label is not None
    assert (label[0].selected_by, label[0].selection_probability) == ("model", 0.2)


def test_a_check_of_documents_after_a_tip_has_no_probability() -> None:
    label = label_of(
        checked(lane_reason="watch_list"),
        result_of("documents_in_order", "check_documents"),
        "one",
        LATER,
    )

    assert label is not None
    assert (label[0].selected_by, label[0].selection_probability) == ("intelligence", None)


def test_a_label_is_of_its_subject_and_instant_and_kept_under_its_decision() -> None:
    chosen = decision(ROUTE, purpose="customs")

    label = label_of(chosen, result_of("nothing_found"), "one", LATER)

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


@pytest.mark.parametrize("said", EVERY_RESULT, ids=lambda each: f"{each.found_by} {each.code}")
def test_what_nobody_looked_into_teaches_nothing(said: CaseResult) -> None:
    label = label_of(decision(), said, "one", LATER)

    assert (label and label[0].result) == said.label
