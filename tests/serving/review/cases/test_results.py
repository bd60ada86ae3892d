"""What an action may find: every pair that can be, every other one refused, and what is a label."""

from itertools import product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from features.offences import OFFENCES
from features.records import Examination, Outcome
from serving.errors import Unprocessable
from serving.review.cases.labels import label_of
from serving.review.cases.results import (
    MAX_TEXT,
    MIN_TEXT,
    OF_ENFORCEMENT,
    RESULT_MEANING,
    CaseResult,
    Finding,
    FoundBy,
    ReasonCode,
    ResultCode,
    reported_result,
)
from serving.review.cases.typology_texts import TYPOLOGIES
from tests.serving.refusals import refused_with
from tests.serving.review.cases.decisions import AT, decision
from tests.serving.review.cases.stated import result_of

# Told apart here and in the code, since people are reported to others by them.
ADVERSE = {"goods_found", "persons_found", "other_offence"}
OF_INSPECTION = ADVERSE | {
    "documents_irregular",
    "nothing_found",
    "inconclusive",
    "not_carried_out",
}
POSSIBLE: dict[FoundBy, set[str]] = {
    "inspect": OF_INSPECTION,
    "refer": OF_INSPECTION - {"documents_irregular"},
    "check_documents": {
        "documents_in_order",
        "documents_irregular",
        "inconclusive",
        "not_carried_out",
    },
    "rescue": {
        "people_helped",
        "nobody_in_danger",
        "nobody_found",
        "taken_over_elsewhere",
        "handed_to_protection",
        "same_incident",
    },
}
FOUND_SOMETHING = {"hidden_space", "documents_false"}
DECLARED_WRONGLY = {"undeclared_goods", "goods_not_as_declared"}
ON_SCENE = {"seen_on_scene", "heard_by_call"}
BECAUSE: dict[str, set[str]] = {
    "goods_found": FOUND_SOMETHING | DECLARED_WRONGLY | {"prohibited_goods"},
    "persons_found": FOUND_SOMETHING | {"persons_hidden"},
    "other_offence": DECLARED_WRONGLY | {"documents_false"},
    "documents_irregular": {"documents_false", "documents_missing", "documents_disagree"},
    "documents_in_order": {"documents_complete", "explained", "reasons_wrong"},
    "nothing_found": {"as_declared", "explained", "reasons_wrong"},
    "inconclusive": {"could_not_open", "evidence_unclear", "no_time_or_capacity"},
    "not_carried_out": {"no_time_or_capacity", "already_gone"},
    **dict.fromkeys(POSSIBLE["rescue"], ON_SCENE),
}
LABELS = {
    ("inspect", "goods_found"): "confirmed",
    ("inspect", "persons_found"): "confirmed",
    ("inspect", "other_offence"): "other_offence",
    ("inspect", "documents_irregular"): "other_offence",
    ("inspect", "nothing_found"): "not_confirmed",
    ("inspect", "inconclusive"): "inconclusive",
    ("refer", "goods_found"): "confirmed",
    ("refer", "persons_found"): "confirmed",
    ("refer", "other_offence"): "other_offence",
    ("refer", "nothing_found"): "not_confirmed",
    ("refer", "inconclusive"): "inconclusive",
    ("check_documents", "documents_in_order"): "documents_in_order",
    ("check_documents", "documents_irregular"): "documents_irregular",
}
EVERY_RESULT = [
    result_of(code, found_by)
    for found_by in get_args(FoundBy)
    for code in get_args(ResultCode)
    if code in POSSIBLE[found_by]
]


def test_every_result_that_its_action_cannot_have_is_refused() -> None:
    for found_by, code in product(get_args(FoundBy), get_args(ResultCode)):
        if code in POSSIBLE[found_by]:
            assert result_of(code, found_by).code == code
        else:
            with pytest.raises(Unprocessable, match=f"{found_by} cannot end in {code}"):
                result_of(code, found_by)


def test_every_reason_that_a_result_cannot_have_is_refused() -> None:
    for said, reason in product(EVERY_RESULT, get_args(ReasonCode)):
        because: Any = (said.found_by, said.code, reason, "high", "as it is written")
        if reason in BECAUSE[said.code] | {"reported", "other"}:
            assert CaseResult(*because).reason == reason
        else:
            with pytest.raises(Unprocessable, match=f"{said.code} cannot be because"):
                CaseResult(*because)


def test_what_is_reported_as_an_offence_and_nothing_else_is_adverse() -> None:
    assert {each.code for each in EVERY_RESULT if each.is_adverse} == ADVERSE


def test_only_what_somebody_looked_into_is_a_label() -> None:
    labels = {(each.found_by, each.code): each.label for each in EVERY_RESULT if each.label}

    assert labels == LABELS


def test_every_result_has_words_of_its_own() -> None:
    words = {code: meaning.words for code, meaning in RESULT_MEANING.items()}
    assert words.keys() == set(get_args(ResultCode))
    assert len(set(words.values())) == len(words)
    assert set(OF_ENFORCEMENT) == words.keys() - POSSIBLE["rescue"]


def test_words_have_ten_to_four_thousand_characters() -> None:
    assert (MIN_TEXT, MAX_TEXT) == (10, 4_000)


findings = st.builds(
    Finding,
    examination=st.sampled_from([None, *get_args(Examination)]),
    offences=st.lists(st.sampled_from(OFFENCES), max_size=2).map(lambda o: " ".join(o) or None),
    found_mass_kg=st.sampled_from([None, 0.0, 3.5]),
    found_items=st.sampled_from([None, 2]),
    found_persons=st.sampled_from([None, 1]),
    typology=st.sampled_from([None, *TYPOLOGIES]),
)


@given(st.sampled_from(EVERY_RESULT), findings)
def test_whatever_is_stated_of_a_finding_it_agrees_with_its_outcome_or_is_refused(
    said: CaseResult, finding: Finding
) -> None:
    try:
        stated = result_of(said.code, said.found_by, finding=finding)
    except Unprocessable:
        return

    label = label_of(decision(), stated, "account:one", AT)

    assert (label is None) == (stated.label is None)
    if label is None:
        assert not any((finding.offences, finding.found_mass_kg, finding.found_persons))
        return
    outcome = label[0]
    assert isinstance(outcome, Outcome)
    assert outcome.result == stated.label
    named = set((outcome.offences or "").split())
    assert set((finding.offences or "").split()) <= named
    if outcome.result in ("not_confirmed", "inconclusive", "documents_in_order"):
        assert not named
        assert not any((finding.found_mass_kg, finding.found_items, finding.found_persons))
    if said.found_by == "check_documents":
        assert finding.examination in (None, "documents", "post_clearance")


@pytest.mark.parametrize(
    ("code", "found_by", "finding"),
    [
        ("nothing_found", "inspect", Finding(offences="drugs")),
        ("nothing_found", "inspect", Finding(found_items=3)),
        ("nothing_found", "inspect", Finding(examination="documents")),
        ("documents_in_order", "check_documents", Finding(examination="physical")),
        ("goods_found", "inspect", Finding(offences="migrant_smuggling")),
        ("goods_found", "inspect", Finding(offences="tobacco", examination="documents")),
        ("other_offence", "inspect", Finding(offences="tobacco")),
        ("not_carried_out", "inspect", Finding(examination="scan")),
        ("not_carried_out", "inspect", Finding(found_items=1)),
        ("inconclusive", "inspect", Finding(typology="undervaluation")),
        ("inconclusive", "check_documents", Finding(offences="other")),
        ("nothing_found", "inspect", Finding(typology="a way of our own")),
        ("other_offence", "inspect", Finding(typology="permit_reuse")),
        ("people_helped", "rescue", Finding(offences="migrant_smuggling")),
        ("people_helped", "rescue", Finding(typology="small_craft_crossing")),
        ("goods_found", "inspect", Finding(typology="small_craft_crossing")),
        ("goods_found", "inspect", Finding(typology="undervaluation", offences="drugs")),
        ("persons_found", "inspect", Finding(typology="transit_diversion")),
    ],
    ids=str,
)
@pytest.mark.parametrize("is_protection", [True, False])
def test_a_finding_against_its_result_is_refused_by_whatever_makes_it(
    code: Any, found_by: Any, finding: Finding, is_protection: bool
) -> None:
    with refused_with("contradictory-finding"):
        result_of(code, found_by, finding=finding, is_protection=is_protection)


@pytest.mark.parametrize(
    ("offences", "code"),
    [
        (None, "goods_found"),
        ("tobacco", "goods_found"),
        ("migrant_smuggling", "persons_found"),
        ("migrant_smuggling document_fraud", "persons_found"),
        ("migrant_smuggling tobacco", "goods_found"),
    ],
)
def test_what_was_confirmed_elsewhere_is_of_goods_or_of_people(
    offences: str | None, code: str
) -> None:
    outcome = Outcome(
        subject_kind="shipment",
        subject_id="S-1",
        selected_by="discretion",
        inspected_at=AT,
        known_at=AT,
        result="confirmed",
        offences=offences,
    )

    result = reported_result(outcome)

    assert (result.code, result.label, result.reason) == (code, "confirmed", "reported")
