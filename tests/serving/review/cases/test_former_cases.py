"""Cases that releases before 0.1.0 stored are read under the actions and results of now."""

import json
from typing import Any

import pytest

from serving.access.actors import Actor
from serving.review.cases.case_state import Case
from serving.review.cases.opening import CASE
from tests.serving.people import ONE, TWO, stored


def read(**state: Any) -> Case:
    return CASE.validate_json(json.dumps({"case_id": "c", **state}))


def end(code: str, **stated: Any) -> dict[str, Any]:
    said = {"code": code, "reason": "other", "confidence": "low", "text": "as it was written"}
    return {**said, "finding": {}, "is_protection": False, **stated}


@pytest.mark.parametrize(
    ("code", "finding", "found_by", "now"),
    [
        ("confirmed_smuggling_goods", {}, "inspect", "goods_found"),
        ("confirmed_migrant_smuggling", {}, "inspect", "persons_found"),
        ("other_offence", {}, "inspect", "other_offence"),
        ("document_irregularity", {}, "check_documents", "documents_irregular"),
        ("document_irregularity", {"examination": "scan"}, "inspect", "documents_irregular"),
        ("no_finding_after_inspection", {}, "inspect", "nothing_found"),
        ("no_finding_after_document_check", {}, "check_documents", "documents_in_order"),
        ("inconclusive", {}, "inspect", "inconclusive"),
        ("people_helped", {}, "rescue", "people_helped"),
        ("nobody_in_danger", {}, "rescue", "nobody_in_danger"),
        ("nobody_found", {}, "rescue", "nobody_found"),
        ("taken_over_elsewhere", {}, "rescue", "taken_over_elsewhere"),
    ],
)
def test_a_former_end_is_what_its_action_found(
    code: str, finding: dict[str, str], found_by: str, now: str
) -> None:
    case = read(status="closed", owner=stored(ONE), disposition=end(code, finding=finding))

    assert case.result is not None
    assert (case.result.found_by, case.result.code) == (found_by, now)
    assert case.result.text == "as it was written"
    assert (case.action and case.action.kind) == (None if found_by == "rescue" else found_by)
    assert (case.status, case.ended_by) == ("closed", (ONE,))


@pytest.mark.parametrize(
    ("code", "kind", "refer_to"),
    [
        ("released_without_check", "release", None),
        ("duplicate", "release", None),
        ("referred_protection", "refer", "protection"),
    ],
)
def test_a_former_end_of_what_nobody_looked_into_is_an_action(
    code: str, kind: str, refer_to: str | None
) -> None:
    case = read(status="closed", owner=stored(ONE), disposition=end(code))

    assert case.action is not None
    assert (case.action.kind, case.action.refer_to, case.result) == (kind, refer_to, None)


def test_a_former_proposal_waits_for_a_second_person_and_forged_papers_stay_the_reason() -> None:
    forged = end("other_offence", reason="documents_false")
    for status, owner in (("second_review", None), ("claimed", stored(TWO))):
        case = read(status=status, owner=owner, proposed=forged, proposed_by=stored(ONE))

        assert case.status == "result_in"
        assert case.proposal is not None
        assert case.proposal.result is not None
        assert (case.proposal.by, case.proposal.result.reason) == (ONE, "documents_false")
        assert (case.owner, case.result) == (owner and TWO, None)


def test_whoever_ended_a_former_case_by_two_ended_it_by_two() -> None:
    found = end("confirmed_smuggling_goods")
    case = read(
        status="closed",
        owner=stored(TWO),
        disposition=found,
        proposed=found,
        proposed_by=stored(ONE),
    )

    assert (case.ended_by, case.proposal, case.is_ended_adversely) == ((ONE, TWO), None, True)


@pytest.mark.parametrize(("former", "waits_for"), [("snoozed", "other"), ("waiting", "documents")])
def test_what_was_laid_aside_waits(former: str, waits_for: str) -> None:
    until = "2026-11-24T12:00:00Z"
    case = read(status=former, owner="one", snoozed_until=until)

    assert (case.status, case.waiting_for, case.owner) == (
        "waiting",
        waits_for,
        Actor.stored("one", None),
    )
    assert case.waiting_until is not None


@pytest.mark.parametrize(("former", "now"), [("open", "open"), ("claimed", "assigned")])
def test_an_open_case_is_read_as_it_was(former: str, now: str) -> None:
    nothing = dict.fromkeys(("disposition", "proposed", "proposed_by", "snoozed_until"))
    assert read(status=former, owner=None, **nothing) == Case("c", now)  # type: ignore[arg-type]  # a status
