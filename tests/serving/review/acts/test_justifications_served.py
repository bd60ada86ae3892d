"""Who reads what their work did not bring says why, and that is on record with the reading."""

import json
from datetime import timedelta
from typing import Any

import pytest
from structlog.testing import capture_logs

from serving.review.acts.claim import claim
from serving.review.cases.case_records import CaseAccess
from serving.review.cases.reviewer import Reviewer
from serving.review.errors import JustificationNeeded
from tests.serving.bodies import shipment
from tests.serving.conftest import NOW, Service
from tests.serving.console.test_pages import ORIGIN
from tests.serving.people import person
from tests.serving.review.cases.test_cases_served import open_case, reviewed
from tests.serving.review.supervision.test_supervision_served import ended, open_rescue, sign_in_as

__all__ = ["reviewed"]

ALL = CaseAccess(frozenset(), is_rescue=False)


def justified(
    service: Service, token: str, case_id: str, pages: str = "cases", **stated: str
) -> Any:
    form = {"form_token": token, "code": "like_case", "text": "same container as S-9", **stated}
    return service.client.post(f"/console/{pages}/{case_id}/justify", data=form, headers=ORIGIN)


def events(service: Service, case_id: str) -> list[tuple[str, str, str]]:
    found = service.services.cases.events(case_id)
    return [(e.action, e.by.name, e.text) for e in found if e.action in ("read", "justify")]


def test_a_case_that_ended_is_read_with_a_stated_justification_alone(reviewed: Service) -> None:
    case_id = ended(reviewed, "S-1", reviewed.key("review"))
    token = sign_in_as(reviewed, "supervisor")

    asked = reviewed.client.get(f"/console/cases/{case_id}")

    assert (asked.status_code, "Why do you read this case?" in asked.text) == (200, True)
    assert "c-0012" not in asked.text
    assert events(reviewed, case_id) == []
    shown = justified(reviewed, token, case_id)
    assert "c-0012" in shown.text
    assert events(reviewed, case_id) == [
        ("justify", "the supervisor", "same container as S-9"),
        ("read", "the supervisor", "like_case"),
    ]
    stated = reviewed.services.cases.events(case_id)[-2]
    assert json.loads(stated.changed) == {"purpose": [None, "like_case"]}


def test_what_the_work_brings_needs_no_words_and_says_which_work(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    sign_in_as(reviewed, "reviewer")
    assert "c-0012" in reviewed.client.get(f"/console/cases/{case_id}").text
    own = Reviewer(person("the owner"), ALL)

    reviewed.services.cases.act(own, case_id, lambda case: claim(case, own.actor, NOW))
    reviewed.services.cases.read(own, case_id, NOW)

    assert events(reviewed, case_id) == [
        ("read", "the reviewer", "queue"),
        ("read", "the owner", "own_case"),
    ]


def test_an_auditor_says_why_of_every_case(reviewed: Service) -> None:
    case_id = open_case(reviewed)
    token = sign_in_as(reviewed, "auditor")

    assert "Why do you read" in reviewed.client.get(f"/console/cases/{case_id}").text
    assert "c-0012" in justified(reviewed, token, case_id, code="audit").text


@pytest.mark.parametrize("wrong", [{"code": "curiosity"}, {"text": "short"}, {"code": "queue"}])
def test_what_justifies_nothing_is_refused(reviewed: Service, wrong: dict[str, str]) -> None:
    case_id = ended(reviewed, "S-1", reviewed.key("review"))
    token = sign_in_as(reviewed, "supervisor")

    refused = justified(reviewed, token, case_id, **wrong)

    assert (refused.status_code, "c-0012" in refused.text) == (422, False)
    assert events(reviewed, case_id) == []


def test_a_stated_justification_is_one_readers_and_holds_for_half_an_hour(
    reviewed: Service,
) -> None:
    case_id = ended(reviewed, "S-1", reviewed.key("review"))
    cases, one = reviewed.services.cases, Reviewer(person("one"), ALL)
    cases.justify(one, case_id, NOW, "court_or_authority", "their file 7 of today")

    cases.read(one, case_id, NOW + timedelta(minutes=30))
    for reader, at in (
        (one, NOW + timedelta(minutes=30, seconds=1)),
        (Reviewer(person("two"), ALL), NOW),
    ):
        with pytest.raises(JustificationNeeded):
            cases.read(reader, case_id, at)


def test_the_decision_behind_a_case_is_read_as_the_case_is(reviewed: Service) -> None:
    case_id = ended(reviewed, "S-1", reviewed.key("review"))
    address = f"/console/decisions/{case_id}"
    token = sign_in_as(reviewed, "supervisor")

    asked = reviewed.client.get(address)

    assert (asked.status_code, "Why do you read this case?" in asked.text) == (200, True)
    assert "c-0012" not in asked.text
    assert events(reviewed, case_id) == []
    refused = justified(reviewed, token, case_id, "decisions", text="short")
    assert (refused.status_code, "c-0012" in refused.text) == (422, False)
    assert "c-0012" in justified(reviewed, token, case_id, "decisions").text
    assert "c-0012" in reviewed.client.get(f"/console/cases/{case_id}").text
    assert events(reviewed, case_id) == [
        ("justify", "the supervisor", "same container as S-9"),
        ("read", "the supervisor", "like_case"),
        ("read", "the supervisor", "like_case"),
    ]


def test_a_decision_that_waits_or_is_studied_without_names_is_read_for_that(
    reviewed: Service,
) -> None:
    case_id = open_case(reviewed)
    for role in ("reviewer", "data_scientist"):
        sign_in_as(reviewed, role)  # type: ignore[arg-type]  # a role
        assert "What speaks" in reviewed.client.get(f"/console/decisions/{case_id}").text

    assert events(reviewed, case_id) == [
        ("read", "the reviewer", "queue"),
        ("read", "the data_scientist", "study"),
    ]


def test_an_auditor_says_why_of_the_decision_of_a_rescue(reviewed: Service) -> None:
    rescue_id = open_rescue(reviewed)
    token = sign_in_as(reviewed, "auditor")

    assert "41 persons" not in reviewed.client.get(f"/console/decisions/{rescue_id}").text
    assert "41 persons" in justified(reviewed, token, rescue_id, "decisions", code="audit").text
    assert events(reviewed, rescue_id)[-1] == ("read", "the auditor", "audit")


def test_a_decision_that_opened_no_case_is_read_and_the_log_of_the_service_tells_of_it(
    service: Service,
) -> None:
    body = shipment(shipment_id="S-gone")
    told = service.score(body, service.key("score")).json()
    lanes = ("release", "manual")
    with capture_logs() as logs:
        sign_in_as(service, "auditor")
        page = service.client.get(f"/console/decisions/{told['decision_id']}").text

    read = [each for each in logs if each["event"] == "decision_read"]
    assert len(read) == (told["lane"] in lanes)
    assert ("Why do you read" in page) == (told["lane"] not in lanes)
